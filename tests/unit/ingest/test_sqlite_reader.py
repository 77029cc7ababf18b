import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest import open_source, parse_source


def documents(rows: Sequence[Row | Reject]) -> list[dict[str, object]]:
    return [dict(row.document) for row in rows if isinstance(row, Row)]


def rejects(rows: Sequence[Row | Reject]) -> list[Reject]:
    return [row for row in rows if isinstance(row, Reject)]


@pytest.fixture
def location(tmp_path: Path) -> str:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            """
            CREATE TABLE "odd "" name" (id INTEGER PRIMARY KEY, name TEXT, price REAL, picture BLOB);
            INSERT INTO "odd "" name" VALUES (2, 'two', 2.5, x'00ff'), (1, 'one', NULL, NULL);
            CREATE TABLE fixed (code TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
            INSERT INTO fixed VALUES ('b', 2), ('a', 1);
            CREATE VIEW seen AS SELECT n * 10 AS tenfold FROM fixed;
            CREATE TABLE broken (id INTEGER, t);
            INSERT INTO broken VALUES (1, CAST(x'ff41' AS TEXT)), (2, 'ok'), (3, 9e999), (4, 'a' || char(0) || 'b');
            """
        )
        connection.commit()
    return str(path)


def test_table_is_read_in_rowid_order_without_blobs(location: str) -> None:
    with open_source(parse_source(f'{location}::odd " name')) as source:
        rows = list(source.rows())

    assert rows == [
        Row(1, {"id": 1, "name": "one", "price": None, "picture": None}),
        Row(2, {"id": 2, "name": "two", "price": 2.5}),
    ]
    assert source.notes == ("picture holds binary values, which are left out",)
    assert source.total_bytes is None


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("fixed", [{"code": "a", "n": 1}, {"code": "b", "n": 2}]),
        ("seen", [{"tenfold": 10}, {"tenfold": 20}]),
    ],
)
def test_tables_without_rowid_and_views_are_read(location: str, table: str, expected: list[dict[str, object]]) -> None:
    with open_source(parse_source(f"{location}::{table}")) as source:
        assert documents(list(source.rows())) == expected


def test_rows_that_cannot_be_stored_are_rejected(location: str) -> None:
    with open_source(parse_source(f"{location}::broken")) as source:
        rows = list(source.rows())

    assert documents(rows) == [{"id": 2, "t": "ok"}]
    assert [(reject.line, reject.reason) for reject in rejects(rows)] == [
        (1, "t holds text that is not UTF-8"),
        (3, "t holds a number too large to hold"),
        (4, "t holds a NUL character"),
    ]


@pytest.mark.parametrize(("name", "tidy"), [("", "column_1"), (" f\x1b[31m ", "f[31m")])
def test_columns_with_odd_names_are_named_anew(location: str, name: str, tidy: str) -> None:
    with closing(sqlite3.connect(location)) as connection:
        connection.execute(f'CREATE VIEW odd AS SELECT 7 AS "{name}"')

    with open_source(parse_source(f"{location}::odd")) as source:
        assert documents(list(source.rows())) == [{tidy: 7}]


def test_column_with_a_name_as_long_as_a_text_is_refused(location: str) -> None:
    with closing(sqlite3.connect(location)) as connection:
        connection.execute(f'CREATE VIEW long AS SELECT 7 AS "{"x" * 201}"')

    with pytest.raises(SourceError, match="has 201 characters; 200 at most"):
        open_source(parse_source(f"{location}::long"))


def test_missing_table_is_named_with_those_there_are(location: str) -> None:
    with pytest.raises(SourceError, match=r"no table “nothing”.*fixed"):
        open_source(parse_source(f"{location}::nothing"))


def test_source_cannot_be_written(location: str) -> None:
    with open_source(parse_source(f"{location}::fixed")) as source:
        before = source.fingerprint()
        list(source.rows())

        assert source.fingerprint() == before


def test_fingerprint_sees_what_is_only_in_the_log(location: str) -> None:
    with closing(sqlite3.connect(location)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        with open_source(parse_source(f"{location}::fixed")) as source:
            before = source.fingerprint()
        connection.execute("INSERT INTO fixed VALUES ('c', 3)")
        connection.commit()
        with open_source(parse_source(f"{location}::fixed")) as source:
            rows = documents(list(source.rows()))

            assert source.fingerprint() != before
    assert rows[-1] == {"code": "c", "n": 3}
