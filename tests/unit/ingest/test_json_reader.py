import json
import sys
import tarfile
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest import json_reader, open_source, parse_json_strict, parse_source

ReadRows = Callable[..., list[Row | Reject]]


def documents(rows: Sequence[Row | Reject]) -> list[dict[str, object]]:
    return [dict(row.document) for row in rows if isinstance(row, Row)]


def rejects(rows: Sequence[Row | Reject]) -> list[Reject]:
    return [row for row in rows if isinstance(row, Reject)]


def suite(shared: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(shared / "malformed" / "JSONTestSuite.tar.xz") as archive:
        for member in archive:
            if "test_parsing/" in member.name and member.isfile() and (file := archive.extractfile(member)):
                yield Path(member.name).name, file.read()


def parses(data: bytes) -> bool:
    try:
        parse_json_strict(data)
    except SourceError:
        return False
    return True


def test_parse_json_strict_agrees_with_the_test_suite(shared: Path) -> None:
    outcome = [(name, parses(data)) for name, data in suite(shared)]

    assert sum(name.startswith("y_") for name, _ in outcome) == 95
    assert sum(name.startswith("n_") for name, _ in outcome) == 188
    assert [name for name, is_taken in outcome if name.startswith("y_") and not is_taken] == []
    assert [name for name, is_taken in outcome if name.startswith("n_") and is_taken] == []


def test_reader_gives_no_row_of_what_must_be_refused(shared: Path, read: ReadRows) -> None:
    given_rows: dict[str, list[dict[str, object]]] = {}
    refused: dict[str, str] = {}
    for name, data in suite(shared):
        try:
            given_rows[name] = documents(read(data, "rows.json"))
        except SourceError as error:
            refused[name] = str(error)

    assert len(given_rows) + len(refused) == 318
    assert [name for name, why in refused.items() if name.startswith("y_") and "holds no rows" not in why] == []
    assert [name for name, rows in given_rows.items() if name.startswith("n_") and rows] == []
    assert given_rows["y_object_basic.json"] == [{"asd": "sdf"}]


def test_jsonl_reader_gives_no_row_of_what_must_be_refused(shared: Path, read: ReadRows) -> None:
    # Some of the suite's files are several lines: there, a line by itself may be an object.
    taken = {name for name, data in suite(shared) if data.strip() and documents(read(data.strip(), "rows.jsonl"))}

    assert {name for name in taken if name.startswith("n_")} == set()
    assert "y_object_basic.json" in taken


@pytest.mark.parametrize(
    "text",
    [
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": 1e400}',
        '{"a": "\\ud800"}',
        '{"a": 1,}',
        "{'a': 1}",
        '{"a": 01}',
        "[" * 100_000,
    ],
)
def test_parse_json_strict_refuses(text: str) -> None:
    with pytest.raises(SourceError):
        parse_json_strict(text.encode())


def test_parse_json_strict_limits_depth() -> None:
    assert parse_json_strict(b"[" * 20 + b"]" * 20)
    with pytest.raises(SourceError, match="20 levels"):
        parse_json_strict(b"[" * 21 + b"]" * 21)


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 2}', "stands twice"),
        ('{"a" : 1, "a" : 2}', "stands twice"),
        ('{"a": {"b": 1, "b": 2}}', "stands twice"),
        ('{"a": "x\\u0000y"}', "NUL"),
        ('{"a\\u0000": "x"}', "NUL"),
        ('{"a": ' + "[" * 20 + "]" * 20 + "}", "20 levels"),
        ('{"' + "x" * 201 + '": 1}', "has 201 characters; 200 at most"),
        ('{"' + "x" * 100 + '": {"' + "y" * 100 + '": 1}}', "has 201 characters; 200 at most"),
        ("[1]", "not an object"),
        ("7", "not an object"),
    ],
)
def test_object_that_cannot_be_a_row_is_rejected(name: str, text: str, reason: str, read: ReadRows) -> None:
    content = f'[\n{{"ok": 1}},\n{text}\n]' if name == "rows.json" else f'\n{{"ok": 1}}\n{text}\n'
    rows = read(content, name)

    assert documents(rows) == [{"ok": 1}]
    assert [reject.line for reject in rejects(rows)] == [3]
    assert reason in rejects(rows)[0].reason


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
@pytest.mark.parametrize(
    ("text", "document"),
    [
        ('{" a ": 1, "": 2}', {"a": 1, "column_2": 2}),
        ('{"f\\u001b[31m": 1, "\\u0007": 2, "f[31m": 3}', {"f[31m": 1, "column_2": 2, "f[31m_2": 3}),
        ('{"a": {"b\\u001b": 1}}', {"a.b": 1}),
        ('{"a": {"b": 1, "c": {"d": 2}}}', {"a.b": 1, "a.c": '{"d":2}'}),
        ('{"a.b": 1, "a": {"b": 2}}', {"a.b": 1, "a.b_2": 2}),
        ('{"a": ["x", null, "y"]}', {"a": ["x", "y"]}),
        ('{"a": [1, 2.5, true]}', {"a": [1, 2.5, True]}),
        ('{"a": [{"b": 1}, "x"]}', {"a": '[{"b":1},"x"]'}),
        (
            '{"a": 9223372036854775807, "b": -9223372036854775808}',
            {"a": 9223372036854775807, "b": -9223372036854775808},
        ),
        ('{"a": 9223372036854775808}', {"a": "9223372036854775808"}),
        ('{"a": 123456789012345678901234567890}', {"a": "123456789012345678901234567890"}),
        (
            '{"a": ["18446744073709551616", 18446744073709551616]}',
            {"a": ["18446744073709551616", "18446744073709551616"]},
        ),
        ('{"a": "quote \\" : colon \\": x"}', {"a": 'quote " : colon ": x'}),
        ('{"a": 1.5e3, "b": false, "c": null}', {"a": 1500.0, "b": False, "c": None}),
    ],
)
def test_shape_of_documents(name: str, text: str, document: dict[str, object], read: ReadRows) -> None:
    assert documents(read(f"[{text}]" if name == "rows.json" else text, name)) == [document]


def test_integer_of_five_thousand_digits_stays_text(read: ReadRows) -> None:
    assert documents(read('{"a": ' + "9" * 5_000 + "}", "rows.json")) == [{"a": "9" * 5_000}]


def test_json_object_around_one_list_gives_its_objects(read: ReadRows) -> None:
    rows = read('{"count": 2, "tags": ["x"],\n "results": [{"a": 1},\n {"a": 2}], "next": null}', "rows.json")

    assert rows == [Row(2, {"a": 1}), Row(3, {"a": 2})]


def test_json_object_is_one_row(read: ReadRows) -> None:
    assert documents(read('{"a": 1, "b": ["x", "y"]}', "rows.json")) == [{"a": 1, "b": ["x", "y"]}]


@pytest.mark.parametrize("text", ["7", '"x"', "null"])
def test_json_without_rows_is_refused(text: str, read: ReadRows) -> None:
    with pytest.raises(SourceError, match="holds no rows"):
        read(text, "rows.json")


@pytest.mark.parametrize(
    "text", ['[{"a": 1}, {"a": 2}', '[{"a": 1}] x', '[{"a": 1},]', '[{"a": 1} {"a": 2}]', '{"a": 1}\n{"a": 2}']
)
def test_broken_json_gives_no_row(text: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text)

    with pytest.raises(SourceError, match="not JSON"):
        open_source(parse_source(str(path)))


def test_long_broken_json_gives_the_rows_before_the_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_reader, "CHECKED_CHARACTERS", 100_000)
    path = tmp_path / "rows.json"
    path.write_text("[" + '{"a": "some text"},' * 100_000 + "oops]")
    rows: list[Row | Reject] = []

    with open_source(parse_source(str(path))) as source, pytest.raises(SourceError, match="not JSON"):
        rows.extend(source.rows())

    assert len(rows) == 100_000


def test_json_is_read_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text("[" + ",\n".join(['{"a": "' + "x" * 990 + '"}'] * 8_000) + "]")
    tracemalloc.start()
    with open_source(parse_source(str(path))) as source:
        count = sum(1 for _ in source.rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert count == 8_000
    assert peak < 5_000_000  # the file has 8 MB


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_encodings(name: str, codec: str, read: ReadRows) -> None:
    text = '{"a": "Zürich 東京 😀"}'

    assert documents(read((f"[{text}]" if name == "rows.json" else text).encode(codec), name)) == [
        {"a": "Zürich 東京 😀"}
    ]


def test_jsonl_broken_lines_reject_themselves(read: ReadRows) -> None:
    rows = read(b'{"a": 1}\r\n\r\n{"a": \xff}\n{"a": 2\n{"a": "' + b"x" * 9_000_000 + b'"}\n{"a": 3}', "rows.jsonl")

    assert documents(rows) == [{"a": 1}, {"a": 3}]
    assert [reject.line for reject in rejects(rows)] == [3, 4, 5]
    assert all(len(reject.raw) <= 2_000 for reject in rejects(rows))


@pytest.mark.parametrize(("name", "content"), [("rows.json", b""), ("rows.json", b" \n"), ("rows.jsonl", b"")])
def test_empty_json_is_refused(name: str, content: bytes, read: ReadRows) -> None:
    with pytest.raises(SourceError, match="empty"):
        read(content, name)


@pytest.mark.parametrize(
    ("format", "content"),
    [("json", b'[{"a": "1"}]'), ("jsonl", b'{"a": "1"}\n'), ("csv", b"a\n1\n"), ("tsv", b"a\n1\n")],
)
def test_standard_input_is_read(format: str, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: A002
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(content)))
    with open_source(parse_source("-", format=format)) as source:
        rows = list(source.rows())

    assert documents(rows) == [{"a": "1"}]
    assert (source.total_bytes, source.fingerprint()) == (None, None)


VALUE = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
NAME = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
DOCUMENTS = st.lists(
    st.dictionaries(NAME, VALUE | TEXT | st.lists(TEXT, max_size=4), min_size=1, max_size=6), max_size=8
)


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=DOCUMENTS, is_ascii=st.booleans())
def test_what_the_json_module_writes_comes_back(
    name: str, rows: list[dict[str, object]], is_ascii: bool, read: ReadRows
) -> None:
    text = (
        json.dumps(rows, ensure_ascii=is_ascii, indent=1)
        if name == "rows.json"
        else "".join(json.dumps(row, ensure_ascii=is_ascii) + "\n" for row in rows) or "\n"
    )

    assert documents(read(text, name)) == rows


def test_naughty_strings_come_back(shared: Path, read: ReadRows) -> None:
    strings = json.loads((shared / "malformed" / "naughty-strings" / "blns.json").read_text("utf-8"))
    rows = [{"id": n, "text": text} for n, text in enumerate(strings)]

    assert documents(read("\n".join(map(json.dumps, rows)), "rows.jsonl")) == rows
    assert documents(read(json.dumps(rows), "rows.json")) == rows
