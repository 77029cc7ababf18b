import csv
import io
import json
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest import csv_reader, open_source, parse_source

ReadRows = Callable[..., list[Row | Reject]]


def documents(rows: Sequence[Row | Reject]) -> list[dict[str, object]]:
    return [dict(row.document) for row in rows if isinstance(row, Row)]


def rejects(rows: Sequence[Row | Reject]) -> list[Reject]:
    return [row for row in rows if isinstance(row, Reject)]


def notes_of(path: Path) -> tuple[str, ...]:
    with open_source(parse_source(str(path))) as source:
        list(source.rows())
        return source.notes


SPECTRUM = [
    "comma_in_quotes", "empty", "empty_crlf", "escaped_quotes", "json", "location_coordinates", "newlines",
    "newlines_crlf", "quotes_and_newlines", "simple", "simple_crlf", "utf8",
]  # fmt: skip


@pytest.mark.parametrize("name", SPECTRUM)
def test_rows_give_the_answers_of_csv_spectrum(name: str, shared: Path, read: ReadRows) -> None:
    with tarfile.open(shared / "malformed" / "csv-spectrum.tar.xz") as archive:
        text, answer = (
            file.read()
            for member in (f"csv-spectrum/csvs/{name}.csv", f"csv-spectrum/json/{name}.json")
            if (file := archive.extractfile(member)) is not None
        )
    expected = json.loads(answer)
    if name == "location_coordinates":  # upstream's answer is a bare object, and holds another telephone number
        expected = [expected | {"Contact Phone Number": "2095257564"}]

    rows = read(text)

    assert documents(rows) == expected
    assert rejects(rows) == []


def test_lines_are_where_records_begin(read: ReadRows) -> None:
    rows = read('a,b\n1,"x\ny"\n\n2,z\n')

    assert [(row.line, dict(row.document)) for row in rows if isinstance(row, Row)] == [
        (2, {"a": "1", "b": "x\ny"}),
        (5, {"a": "2", "b": "z"}),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read(end: str, read: ReadRows) -> None:
    rows = read(end.join(["a,b", "1,2", '3,"4"', ""]))

    assert [(row.line, documents([row])) for row in rows] == [(2, [{"a": "1", "b": "2"}]), (3, [{"a": "3", "b": "4"}])]


@pytest.mark.parametrize("separator", ["\u2028", "\x0b", "\x0c", "\x85", "\x1e"])
def test_other_separators_stay_in_their_cells(separator: str, read: ReadRows) -> None:
    assert documents(read(f"a,b\n1,x{separator}y\n")) == [{"a": "1", "b": f"x{separator}y"}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_detected(delimiter: str, tmp_path: Path, read: ReadRows) -> None:
    table = [["name", "n", "t"], ["Ann", "1", "x y"], ["Bo", "2", "z"]]
    rows = read("\n".join(delimiter.join(cells) for cells in table))

    assert documents(rows) == [{"name": "Ann", "n": "1", "t": "x y"}, {"name": "Bo", "n": "2", "t": "z"}]
    shown = {"\t": "tab"}.get(delimiter, delimiter)
    assert f"delimiter {shown}" in notes_of(tmp_path / "rows.csv")


def test_single_column_with_commas_is_one_column(read: ReadRows) -> None:
    rows = read("title\nHello, world\nOne, two, three\n")

    assert documents(rows) == [{"title": "Hello, world"}, {"title": "One, two, three"}]


def test_separator_line_of_spreadsheets_is_obeyed(read: ReadRows) -> None:
    rows = read("sep=;\r\na;b\r\n1;2\r\n")

    assert rows == [Row(3, {"a": "1", "b": "2"})]


def test_single_quotes_are_detected(read: ReadRows) -> None:
    assert documents(read("a,b\n'x, y',1\n'z',2\n")) == [{"a": "x, y", "b": "1"}, {"a": "z", "b": "2"}]


def test_blank_before_quotes_is_detected(read: ReadRows) -> None:
    assert documents(read('a, b\n1, "x, y"\n2, "z"\n')) == [{"a": "1", "b": "x, y"}, {"a": "2", "b": "z"}]


def test_quotes_in_unquoted_tsv_are_text(read: ReadRows) -> None:
    rows = read('a\tb\n1\t"Weird" Al\n2\t5" disk\n3\t"x\n4\ty\n', "rows.tsv")

    assert [row["b"] for row in documents(rows)] == ['"Weird" Al', '5" disk', '"x', "y"]


ENCODED = "name,stadt\nMüller,Köln\nJosé,Besançon\nStraße,Zürich\nGarçon,Genève\nFrançois,Orléans\nÅngström,Malmö\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encoding_is_detected(codec: str, read: ReadRows) -> None:
    rows = documents(read(ENCODED.encode(codec)))

    assert rows[0] == {"name": "Müller", "stadt": "Köln"}
    assert rows[-1] == {"name": "Ångström", "stadt": "Malmö"}


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("name\nSmith’s “book” – déjà vu\n", "cp1252"),  # typographic on purpose
        ("id,city\n1,Köln\n", "cp1252"),
        ("imię,miasto\nŁukasz,Łódź\nŚwiętosława,Gdańsk\n", "cp1250"),
        ("имя,город\n" + "Анна Каренина,Москва\nЛев Толстой,Ясная Поляна\n" * 5, "cp1251"),
        ("名前,都市\n" + "夏目漱石,東京\n吾輩は猫である,名前はまだ無い\nドラゴンクエスト,大阪\n" * 5, "cp932"),
    ],
)
def test_older_encodings_are_guessed(text: str, codec: str, read: ReadRows) -> None:
    assert documents(read(text.encode(codec))) == list(csv.DictReader(io.StringIO(text)))


def test_undecodable_row_is_rejected_with_its_line(read: ReadRows) -> None:
    good = "".join(f"{n},Zürich\n" for n in range(30)).encode()
    rows = read(b"id,city\n" + good + b"31,K\xf6ln\n32,Bern\n")

    assert [(reject.line, reject.reason) for reject in rejects(rows)] == [(32, "bytes that are not utf-8")]
    assert len(documents(rows)) == 31


def test_undecodable_byte_after_the_first_megabyte_is_rejected(read: ReadRows) -> None:
    good = "".join(f"{n},Zürich in der Schweiz\n" for n in range(60_000)).encode()
    rows = read(b"id,city\n" + good + b'31,"K\xf6\nln"\n32,Bern\n')

    assert [reject.line for reject in rejects(rows)] == [60_002]
    assert len(documents(rows)) == 60_001


def test_nul_rejects_its_row(read: ReadRows) -> None:
    rows = read(b"a,b\n1,x\0y\n2,z\n")

    assert [(row.line, row.reason) for row in rejects(rows)] == [(2, "a NUL character")]
    assert documents(rows) == [{"a": "2", "b": "z"}]


def test_unclosed_quote_rejects_its_row_only(read: ReadRows) -> None:
    rows = read('a,b\n1,x\n2,"open\n3,y\n4,z\n')

    assert [reject.line for reject in rejects(rows)] == [3]
    assert "line 3" in rejects(rows)[0].reason
    assert [row["a"] for row in documents(rows)] == ["1", "3", "4"]


def test_unclosed_quote_before_quoted_rows_rejects_its_row_only(read: ReadRows) -> None:
    rows = read('a,b\n2,"open\n3,"y"\n4,"two\nlines"\n5,z\n')

    assert [reject.line for reject in rejects(rows)] == [2]
    assert documents(rows) == [{"a": "3", "b": "y"}, {"a": "4", "b": "two\nlines"}, {"a": "5", "b": "z"}]


def test_unclosed_quotes_everywhere_take_linear_time(read: ReadRows) -> None:
    # Each line opens a quote, whichever state it is read in; reading all of it again for each would take hours.
    rows = read("k,v\n" + 'a","c\n' * 100_000)

    assert len(rows) + 1 >= 100_000 / 2


def test_text_after_a_closing_quote_rejects_its_row(read: ReadRows) -> None:
    rows = read('a,b\n1,"x"y\n2,z\n')

    assert [reject.line for reject in rejects(rows)] == [2]
    assert documents(rows) == [{"a": "2", "b": "z"}]


def test_ragged_rows(read: ReadRows) -> None:
    rows = read("a,b,c\n1,2\n1,2,3,4\n1,2,3,,\n")

    assert documents(rows) == [{"a": "1", "b": "2"}, {"a": "1", "b": "2", "c": "3"}]
    assert rejects(rows) == [Reject(3, "4 cells, but the header names 3 columns", "1,2,3,4")]


def test_headers_are_made_unique_and_noted(tmp_path: Path, read: ReadRows) -> None:
    rows = read(" name ,name,,name_2\n1,2,3,4\n")

    assert documents(rows) == [{"name": "1", "name_3": "2", "column_3": "3", "name_2": "4"}]
    assert {"column 2 is named name_3", "column 3 is named column_3"} <= set(notes_of(tmp_path / "rows.csv"))


def test_headers_lose_control_characters(tmp_path: Path, read: ReadRows) -> None:
    assert documents(read("f\x1b[31m,\x07,f[31m\n1,2,3\n")) == [{"f[31m": "1", "column_2": "2", "f[31m_2": "3"}]
    assert "column 1 is named f[31m" in notes_of(tmp_path / "rows.csv")


def test_header_as_long_as_a_text_is_refused(read: ReadRows) -> None:
    assert documents(read("a," + "x" * 200 + "\n1,2\n")) == [{"a": "1", "x" * 200: "2"}]
    with pytest.raises(SourceError, match=r"“x{40}…” has 201 characters; 200 at most"):
        read("a," + "x" * 201 + "\n1,2\n")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"  \r\n"])
def test_empty_file_is_refused(content: bytes, read: ReadRows) -> None:
    with pytest.raises(SourceError, match="first line with the names"):
        read(content)


def test_header_alone_gives_no_rows(read: ReadRows) -> None:
    assert read("a,b\n") == []


def test_too_many_columns_are_refused_with_the_limit(read: ReadRows) -> None:
    with pytest.raises(SourceError, match="50,000 columns; the limit is 1,000"):
        read(",".join(f"c{n}" for n in range(50_000)) + "\n1,2\n")


def test_long_cell_is_taken_and_longer_rejected(read: ReadRows) -> None:
    rows = read("a,b\n1," + "x" * 200_000 + "\n2," + "y" * 1_000_001 + "\n3,z\n")

    assert [(row["a"], len(str(row["b"]))) for row in documents(rows)] == [("1", 200_000), ("3", 1)]
    assert [(reject.line, len(reject.raw)) for reject in rejects(rows)] == [(3, 2_000)]


def test_endless_line_is_refused(read: ReadRows) -> None:
    with pytest.raises(SourceError, match="longer than"):
        read("a,b\n1," + "x" * 9_000_000)


def test_record_without_end_is_rejected(read: ReadRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_reader, "MAX_ROW_BYTES", 1_000)
    rows = read("a,b\n" + '"x","y\n' + '","\n' * 500 + "z,1\n")

    assert rejects(rows)[0].line == 2
    assert "longer than 1,000 characters" in rejects(rows)[0].reason
    assert documents(rows)[-1] == {"a": "z", "b": "1"}


@pytest.mark.parametrize(
    ("content", "message"), [(b'"a,b\n1,2\n', "line 1.*not closed"), (b"a,\0b\n1,2\n", "line 1.*NUL")]
)
def test_broken_header_is_refused(content: bytes, message: str, read: ReadRows) -> None:
    with pytest.raises(SourceError, match=message):
        read(content)


def test_formula_quote_of_exports_is_left_alone(read: ReadRows) -> None:
    assert documents(read("a,b\n1,'=2+3\n")) == [{"a": "1", "b": "'=2+3"}]


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\",;\t|\n\r'= "), max_size=12)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    codec=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_the_csv_module_writes_comes_back(
    rows: list[tuple[str, str, str]], delimiter: str, end: str, codec: str, read: ReadRows
) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b", "c"), *rows])
    name = "rows.tsv" if delimiter == "\t" else "rows.csv"

    taken = documents(read(buffer.getvalue().encode(codec), name))

    assert [tuple(row.values()) for row in taken] == rows
