"""Rows of PostgreSQL tables: types, names, and what is said when they cannot be read."""

import asyncio
import traceback
from collections.abc import Callable, Iterator
from itertools import islice
from uuid import uuid4

import asyncpg
import pytest

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest import PostgresSource, default_name, open_source, parse_source, shown_url
from livesearch.ingest import postgres_table as table_module
from tests.conftest import POSTGRES

Run = Callable[..., None]


async def execute(address: str, statements: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def database(has_postgres: bool) -> Iterator[str]:
    """The address of a database for all tests here: making one takes seconds."""
    if not has_postgres:
        pytest.skip(f"no PostgreSQL answers at {POSTGRES}; set LIVESEARCH_TEST_POSTGRES_URL")
    name = f"livesearch_{uuid4().hex}"
    asyncio.run(execute(POSTGRES, f"CREATE DATABASE {name}"))
    yield f"{POSTGRES.rpartition('/')[0]}/{name}"
    asyncio.run(execute(POSTGRES, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def server(database: str) -> str:
    """The same, with nothing in it."""
    empty = 'DROP SCHEMA IF EXISTS public, shop, "my shop" CASCADE; CREATE SCHEMA public'
    asyncio.run(execute(database, empty))
    return database


@pytest.fixture
def run(server: str) -> Run:
    """Run statements there."""
    return lambda statements: asyncio.run(execute(server, statements))


def read(source: str) -> tuple[list[Row | Reject], tuple[str, ...]]:
    with open_source(parse_source(source)) as opened:
        return list(opened.rows()), opened.notes


def test_values_of_all_kinds_are_read(server: str, run: Run) -> None:
    run(
        """
        SET TimeZone = 'Asia/Tokyo';
        CREATE TYPE mood AS ENUM ('good', 'bad');
        CREATE DOMAIN picture AS bytea;
        CREATE TABLE odd (
            id int PRIMARY KEY, price numeric(10, 2), large numeric, big bigint, share float8, name text, born date,
            seen timestamp, heard timestamptz, took interval, tags text[], grid int[], more jsonb, code uuid,
            is_new bool, raw bytea, thumb picture, state mood, fixed char(4), words tsvector, nothing text,
            span daterange
        );
        INSERT INTO odd VALUES (
            1, 9.50, 123456789012345678901234567890, 9007199254740993, 'NaN', E'a "b"\\n€', '2020-02-03',
            '2020-02-03 04:05:06.5', '2020-02-03 04:05:06+09', '1 day 2 hours', '{x,NULL,y}', '{{1,2},{3,4}}',
            '{"w": 1, "in": {"deep": true}, "list": ["a", 2]}', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', true,
            '\\x00ff', '\\x00ff', 'bad', 'ab', 'x y', NULL, '[2020-01-01,2020-02-01)'
        );
        """
    )
    rows, notes = read(f"{server}::odd")

    assert rows == [
        Row(
            1,
            {
                "id": 1,
                "price": 9.5,
                "large": "123456789012345678901234567890",
                "big": 9007199254740993,
                "share": "NaN",
                "name": 'a "b"\n€',
                "born": "2020-02-03",
                "seen": "2020-02-03T04:05:06.5",
                "heard": "2020-02-02T19:05:06+00:00",
                "took": "1 day 02:00:00",
                "tags": ["x", "y"],
                "grid": "[[1,2],[3,4]]",
                "more.w": 1,
                "more.in": '{"deep":true}',
                "more.list": ["a", 2],
                "code": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
                "is_new": True,
                "state": "bad",
                "fixed": "ab  ",
                "nothing": None,
                "span": "[2020-01-01,2020-02-01)",
            },
        )
    ]
    assert notes == (
        "raw is of type bytea, which is left out",
        "thumb is of type bytea, which is left out",
        "words is of type tsvector, which is left out",
    )


def test_odd_names_schemas_and_views_are_read(server: str, run: Run) -> None:
    run(
        """
        CREATE SCHEMA "my shop";
        CREATE TABLE "my shop"."Odd "" name" ("a ""b" int, "select" text);
        INSERT INTO "my shop"."Odd "" name" VALUES (1, 'x');
        CREATE VIEW seen AS SELECT "a ""b" * 10 AS tenfold FROM "my shop"."Odd "" name";
        """
    )
    rows, _ = read(f'{server}::my shop.Odd " name')

    assert rows == [Row(1, {'a "b': 1, "select": "x"})]
    assert read(f"{server}::seen")[0] == [Row(1, {"tenfold": 10})]
    assert default_name(parse_source(f"{server}::my shop.Games")) == "games"


@pytest.mark.parametrize(
    ("definition", "key"),
    [
        ("code text PRIMARY KEY, n int", "code"),
        ("a int, b int, PRIMARY KEY (a, b)", None),
        ("a int UNIQUE", None),
        ("a bytea PRIMARY KEY", None),
    ],
)
def test_a_primary_key_of_one_column_is_the_likely_key(server: str, run: Run, definition: str, key: str | None) -> None:
    run(f"CREATE TABLE t ({definition})")
    with open_source(parse_source(f"{server}::t")) as source:
        assert source.likely_key == key


def test_a_database_with_one_table_needs_no_name_and_one_with_several_lists_them(server: str, run: Run) -> None:
    with pytest.raises(SourceError, match="has no table"):
        parse_source(server)
    run("CREATE TABLE games (id int)")
    assert parse_source(server).table == "games"
    run("CREATE SCHEMA shop; CREATE TABLE shop.products (id int); CREATE VIEW documents AS SELECT 1 AS one")
    with pytest.raises(SourceError, match=r"3 tables: documents, games, shop\.products\. Choose one: .*::documents"):
        parse_source(server)


def test_a_table_that_is_not_there_is_named_with_those_that_are(server: str, run: Run) -> None:
    run("CREATE TABLE games (id int)")
    with pytest.raises(SourceError, match=r"no table “nope”\. It has: games"):
        open_source(parse_source(f"{server}::nope"))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://someone:hunter2secret@127.0.0.1:1/name::t",
        "postgresql://someone:hunter2secret@127.0.0.1:port/name::t",
        "postgresql://someone:hunter2secret/x@127.0.0.1/name::t",
        "postgresql://someone:hunter2secret#x@127.0.0.1/name::t",
        "postgres://someone:x?hunter2secret@127.0.0.1/name::t",
        "postgresql://127.0.0.1:1/name?password=hunter2secret::t",
        "postgresql://[::1/name:hunter2secret::t",
    ],
)
def test_no_message_holds_the_password(address: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(parse_source(address))

    assert "hunter2secret" not in str(caught.value)
    assert "hunter2secret" not in parse_source(address).shown
    assert "hunter2secret" not in "".join(traceback.format_exception_only(caught.value))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:secret@host:5432/shop::games", "postgresql://me@host:5432/shop::games"),
        ("postgresql://host/shop?sslmode=require&password=x", "postgresql://host/shop?sslmode=require"),
        ("postgresql://me:pw@[::1]/shop::games", "postgresql://me@[::1]/shop::games"),
        ("games@home.csv", "games@home.csv"),
    ],
)
def test_an_address_is_shown_without_its_password(address: str, shown: str) -> None:
    assert shown_url(address) == shown


def test_an_address_of_ipv6_is_told_from_a_table() -> None:
    spec = parse_source("postgresql://[::1]/shop::games")

    assert (spec.location, spec.table) == ("postgresql://[::1]/shop", "games")


def test_rows_stream_and_can_be_left(server: str, run: Run) -> None:
    series = ", ".join(f"generate_series(1, 1000) s{n}" for n in range(4))
    run(f"CREATE VIEW endless AS SELECT s0, repeat('x', 1000) AS text FROM {series}")  # noqa: S608  # our own
    with open_source(parse_source(f"{server}::endless")) as source:
        rows = list(islice(source.rows(), 20_000))  # of 10^12: it would never come to the end

    assert rows[-1].line == 20_000


def test_rows_that_are_no_documents_are_rejected_one_by_one(
    server: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_module, "MAX_ROW_BYTES", 1000)
    run(
        """
        CREATE TABLE t (id int, body json);
        INSERT INTO t VALUES (1, '"ok"'), (2, to_json(repeat('x', 2000))), (3, '{"a": 1, "a": 2}'), (4, '"\\u0000"'),
            (5, '1e400');
        """
    )
    rows, _ = read(f"{server}::t")

    assert [row.line for row in rows if isinstance(row, Row)] == [1]
    assert [row.reason[:15] for row in rows if isinstance(row, Reject)] == [
        "2,018 bytes; a ",
        "the name “a” st",
        "a NUL character",
        "not JSON: numbe",
    ]


def test_a_second_pass_sees_what_was_committed_since(server: str, run: Run) -> None:
    run("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 300)")
    with open_source(parse_source(f"{server}::t")) as source:
        assert isinstance(source, PostgresSource)
        first = source.rows()
        assert len(list(islice(first, 10))) == 10
        run("DELETE FROM t WHERE id > 5")
        source.rewind()

        assert len(list(source.rows())) == 5
