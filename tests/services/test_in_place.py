"""Tables of the store's own database, followed in place: what is committed there is found by the next search."""

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from threading import Thread
from types import MappingProxyType
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from livesearch.domain import Document, ImportReport, Row, SearchQuery
from livesearch.errors import ConflictError, SourceError
from livesearch.ingest import PostgresSource, open_source, parse_source, postgres_table
from livesearch.services import Services
from livesearch.services.entering import Entry, enterer
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows
from tests.indexes import checked_documents

pytestmark = pytest.mark.parametrize("store_url", ["postgres"], indirect=True)

_FORGET = """
DO $$ DECLARE f regprocedure; BEGIN
  FOR f IN SELECT oid FROM pg_proc WHERE proname LIKE 'livesearch\\_note\\_table\\_%' LOOP
    EXECUTE format('DROP FUNCTION %s CASCADE', f);
  END LOOP;
END $$
"""
_GAMES = """
CREATE TABLE shop.games (id int PRIMARY KEY, title text, maker text, year int);
INSERT INTO shop.games VALUES (1, 'Mario Kart', 'Nintendo', 1992), (2, 'Sonic', 'Sega', 1991),
    (3, 'Zelda', 'Nintendo', 1986)
"""
Client = Any  # asyncpg has no types
Follow = Callable[..., Awaitable[ImportReport]]


@pytest.fixture
async def client(services: Services, store_url: str) -> AsyncIterator[Client]:  # noqa: ARG001  # they set it up
    """Another program, in the database of the store, which has a table of games."""
    connection = await asyncpg.connect(store_url.replace("+asyncpg", ""))
    await connection.execute(f"DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop; {_GAMES}")
    yield connection
    await connection.execute(f"DROP SCHEMA IF EXISTS shop CASCADE; {_FORGET}")
    await connection.close()


@pytest.fixture
def follow(client: Client, services: Services, store_url: str) -> Follow:  # noqa: ARG001  # it makes the tables
    """Import a table of ``shop``, by default the games."""
    address = store_url.replace("+asyncpg", "")

    async def run(table: str = "games", *, moments: Mapping[str, Any] = MappingProxyType({}), **options: Any) -> Any:
        source = f"{address}::shop.{table}"
        return await services.imports.run(source, ImportOptions(**options), **moments)

    return run


async def found(services: Services, text: str = "", name: str = "games") -> list[str]:
    page = await services.search.search(name, SearchQuery(text, is_verbatim=True, page_size=100))
    assert page.total == len(page.hits)
    return sorted(hit.key for hit in page.hits)


async def documents(services: Services, name: str = "games") -> dict[str, Document]:
    await services.collections.get(name)  # what is waiting is taken over by this
    return await checked_documents(services.transactions, name)


async def rows(client: Client) -> dict[str, Document]:
    """What the documents must be."""
    return {
        str(row["id"]): {name: value for name, value in row.items() if value is not None}
        for row in await client.fetch("SELECT * FROM shop.games")
    }


async def test_a_committed_change_is_found_by_the_next_search(
    services: Services, client: Client, follow: Follow
) -> None:
    report = await follow()
    assert (report.accepted, report.key_field, report.source_table) == (3, "id", "shop.games")
    assert await found(services, "zelda") == ["3"]

    await client.execute("INSERT INTO shop.games VALUES (4, 'Metroid', 'Nintendo', 1986)")
    assert await found(services, "metr") == ["4"]
    await client.execute("UPDATE shop.games SET title = 'Sonic the Hedgehog' WHERE id = 2")
    assert await found(services, "hedgehog") == ["2"]
    await client.execute("UPDATE shop.games SET id = id + 10")
    assert await found(services) == ["11", "12", "13", "14"]
    await client.execute("DELETE FROM shop.games WHERE title = 'Zelda'")
    assert (await found(services, "zelda"), len(await found(services))) == ([], 3)
    await client.execute(
        "INSERT INTO shop.games VALUES (11, 'Doom', NULL, 1993), (15, 'Quake', NULL, 1996)"
        " ON CONFLICT (id) DO UPDATE SET title = excluded.title"
    )
    assert await found(services, "doom") == ["11"]
    assert await documents(services) == await rows(client)
    await client.execute("TRUNCATE shop.games")
    assert await found(services) == []
    assert await documents(services) == {}
    await client.execute("INSERT INTO shop.games VALUES (1, 'Elite', NULL, 1984)")
    assert await found(services, "elite") == ["1"]
    assert await documents(services) == await rows(client)


async def test_what_is_not_committed_is_never_found(services: Services, client: Client, follow: Follow) -> None:
    await follow()
    transaction = client.transaction()
    await transaction.start()
    await client.execute("INSERT INTO shop.games VALUES (4, 'Metroid', 'Nintendo', 1986)")
    await client.execute("DELETE FROM shop.games WHERE id = 3")
    assert (await found(services, "metroid"), await found(services, "zelda")) == ([], ["3"])
    await transaction.rollback()

    assert (await found(services, "metroid"), await found(services, "zelda")) == ([], ["3"])
    assert await client.fetchval("SELECT count(*) FROM table_changes") == 0


_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)
# Of each type, values as text; arrays and bytes as the driver takes them.
_TYPES: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "small": ("smallint", st.integers(-(2**15), 2**15 - 1).map(str)),
    "large": ("bigint", st.integers(-(2**63), 2**63 - 1).map(str)),
    "exact": ("numeric", st.decimals(allow_nan=False, allow_infinity=False).map(str) | st.just("NaN")),
    "price": ("numeric(12,2)", st.decimals(-(10**9), 10**9, places=2).map(str)),
    "share": ("double precision", st.floats().map(str)),
    "rough": ("real", st.floats(width=32).map(str)),
    "name": ("text", _TEXT),
    "short": ("varchar(20)", _TEXT),
    "fixed": ("char(14)", _TEXT),
    "is_new": ("boolean", st.booleans().map(str)),
    "born": ("date", st.dates().map(str) | st.sampled_from(["infinity", "0044-03-15 BC"])),
    "seen": ("timestamp", st.datetimes().map(str)),
    "heard": ("timestamptz", st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())),
    "daily": ("time", st.times().map(str)),
    "took": ("interval", st.integers(-(10**9), 10**9).map(lambda seconds: f"{seconds} seconds")),
    "code": ("uuid", st.uuids().map(str)),
    "place": ("inet", st.ip_addresses().map(str)),
    "cost": ("money", st.integers(-500, 500).map(lambda value: f"{value}.5")),
    "span": ("int4range", st.integers(0, 9).map(lambda low: f"[{low},{low + 5})")),
    "more": ("jsonb", _JSON.map(json.dumps).filter(lambda text: "\\u0000" not in text)),
    "raw_more": ("json", _JSON.map(json.dumps)),
    "tags": ("text[]", st.lists(st.none() | _TEXT, max_size=3)),
    "counts": ("int[]", st.lists(st.integers(0, 9), max_size=3)),
    "photo": ("bytea", st.binary(max_size=5)),
}
# What the types of the fields are told from.
_EXAMPLE = {
    "id": "a", "small": 1, "large": 2, "exact": "1.5", "price": "9.50", "share": "0.5", "name": "Mario",
    "is_new": "true", "born": "1990-01-02", "seen": "1990-01-02 03:04", "heard": "1990-01-02 03:04+01", "tags": "{x,y}",
}  # fmt: skip
# A failure costs minutes to make smaller: every example goes to the server.
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
_KINDS_ROW = st.fixed_dictionaries({name: st.none() | values for name, (_, values) in _TYPES.items()})


def _cast(place: int, type_name: str) -> str:
    return (
        f"${place}::{type_name}" if type_name.endswith("[]") or type_name == "bytea" else f"${place}::text::{type_name}"
    )


@given(st.data())
@settings(max_examples=8, phases=_PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_changed_row_makes_the_document_that_an_import_makes(
    services: Services, client: Client, follow: Follow, store_url: str, data: st.DataObject
) -> None:
    casts = ", ".join(_cast(place, kind) for place, (kind, _) in enumerate(_TYPES.values(), start=2))
    if await client.fetchval("SELECT to_regclass('shop.kinds')") is None:
        columns = ", ".join(f"{name} {kind}" for name, (kind, _) in _TYPES.items())
        await client.execute(f"CREATE TABLE shop.kinds (id text PRIMARY KEY, {columns})")
        names = ", ".join(_EXAMPLE)
        values = ", ".join(f"'{value}'" for value in _EXAMPLE.values())
        await client.execute(f"INSERT INTO shop.kinds ({names}) VALUES ({values})")  # noqa: S608  # our own
        await follow("kinds")
    for setting in ("TimeZone = 'Asia/Kolkata'", "DateStyle = 'German'", "IntervalStyle = iso_8601"):
        await client.execute(f"SET {setting}")  # the writer's, which must not show
    keys = data.draw(st.lists(_TEXT, min_size=1, max_size=4, unique=True))
    await client.execute("TRUNCATE shop.kinds")
    for key in keys:
        row = data.draw(_KINDS_ROW)
        statement = f"INSERT INTO shop.kinds SELECT $1, {casts} ON CONFLICT DO NOTHING"
        await client.execute(statement, key, *(row[name] for name in _TYPES))
    await documents(services, "kinds")
    stored = {
        row["key"]: (row["body"], row["digest"])
        for row in await client.fetch(
            "SELECT key, body, digest FROM documents"
            " WHERE collection_id = (SELECT id FROM collections WHERE name = 'kinds')"
        )
    }

    collection = await services.collections.get("kinds")

    def imported() -> dict[str, tuple[bytes, bytes]]:
        with open_source(parse_source(f"{store_url}::shop.kinds")) as source:
            assert isinstance(source, PostgresSource)
            source.key = "id"
            entered = [enterer(collection)(row) for row in source.rows() if isinstance(row, Row)]
        return {entry.key: (entry.body, entry.digest) for entry in entered if isinstance(entry, Entry)}

    assert stored == await asyncio.to_thread(imported)
    assert (await follow("kinds")).updated == 0


_WORDS = ("red", "green", "blue", "zelda")
_KEYS = st.integers(1, 6)
_STATEMENT = st.one_of(
    st.tuples(
        st.just("INSERT INTO shop.games VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET title = $2"),
        st.tuples(_KEYS, st.sampled_from(_WORDS)),
    ),
    st.tuples(st.just("UPDATE shop.games SET title = $2 WHERE id >= $1"), st.tuples(_KEYS, st.sampled_from(_WORDS))),
    st.tuples(
        st.just("UPDATE shop.games SET id = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM shop.games WHERE id = $2)"),
        st.tuples(_KEYS, _KEYS),
    ),
    st.tuples(st.just("DELETE FROM shop.games WHERE id = $1"), st.tuples(_KEYS)),
    st.tuples(st.just("TRUNCATE shop.games"), st.just(())),
)
_TRANSACTION = st.tuples(st.lists(_STATEMENT, min_size=1, max_size=4), st.booleans(), st.booleans())


@given(st.lists(_TRANSACTION, max_size=6))
@settings(max_examples=8, phases=_PHASES, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_whatever_is_committed_searches_find_what_the_table_holds(
    services: Services, client: Client, follow: Follow, transactions: list[Any]
) -> None:
    await client.execute("TRUNCATE shop.games; INSERT INTO shop.games (id, title) VALUES (1, 'red'), (2, 'blue')")
    await follow()
    for statements, is_committed, is_looked_at in transactions:
        transaction = client.transaction()
        await transaction.start()
        for statement, values in statements:
            await client.execute(statement, *values)
        await (transaction.commit() if is_committed else transaction.rollback())
        if is_looked_at:
            for word in _WORDS:
                expected = await client.fetch("SELECT id FROM shop.games WHERE title = $1", word)
                assert await found(services, word) == sorted(str(row["id"]) for row in expected)

    assert await documents(services) == await rows(client)
    assert await services.integrity.check() == []


async def test_writers_at_once_and_searches_between_them_end_right(
    services: Services, client: Client, follow: Follow, store_url: str
) -> None:
    await follow()

    async def write(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311  # rows, not secrets
        other = await asyncpg.connect(store_url.replace("+asyncpg", ""))
        for turn in range(60):
            async with other.transaction():
                await other.execute(
                    "INSERT INTO shop.games VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET title = $2",
                    chance.randint(1, 12),
                    f"pong {seed} {turn}",
                )
                if turn % 3 == 0:
                    await other.execute("DELETE FROM shop.games WHERE id = $1", chance.randint(13, 20))
        await other.close()

    async def look() -> None:
        for _ in range(25):
            await found(services, "pong")

    await asyncio.gather(write(1), write(2), look())

    assert await documents(services) == await rows(client)


# Before the triggers are there, when a part of the rows has been looked at; and while all are read.
@pytest.mark.parametrize("moment", ["on_plan", "on_progress"])
async def test_rows_that_change_while_the_table_is_read_end_as_they_are(
    services: Services, client: Client, follow: Follow, store_url: str, moment: str
) -> None:
    await client.execute("INSERT INTO shop.games SELECT n, 'Game ' || n FROM generate_series(10, 2500) n")

    async def write() -> None:
        other = await asyncpg.connect(store_url.replace("+asyncpg", ""))
        await other.execute(
            "UPDATE shop.games SET title = 'Changed' WHERE id = 2000; DELETE FROM shop.games WHERE id IN (11, 2400);"
            " INSERT INTO shop.games VALUES (3000, 'Late'); UPDATE shop.games SET id = 4000 WHERE id = 1500"
        )
        await other.close()

    is_written: list[bool] = []

    def once(_: object) -> None:
        if not is_written:
            is_written.append(True)
            thread = Thread(target=asyncio.run, args=(write(),))
            thread.start()
            thread.join()

    await follow(moments={moment: once})

    assert is_written
    assert (await found(services, "changed"), await found(services, "late")) == (["2000"], ["3000"])
    assert await documents(services) == await rows(client)


# The command, with a transaction for each some hundred rows.
_SCRIPT = """
from livesearch.services import batches, imports
batches.BYTE_COUNT, imports.ROW_COUNT = 5_000, 50
from livesearch.cli.importing import import_source
import_source()
"""


async def test_killed_while_it_reads_the_same_command_ends_right(
    services: Services, client: Client, store_url: str
) -> None:
    await client.execute("INSERT INTO shop.games SELECT n, repeat('game ', 20) || n FROM generate_series(10, 1900) n")
    source = f"{store_url.replace('+asyncpg', '')}::shop.games"
    command = (sys.executable, "-c", _SCRIPT, source, "--store", store_url, "--json")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603, ASYNC220  # our own
    deadline = time.monotonic() + 60
    while not await client.fetchval("SELECT max(rows_read) FROM imports") and process.poll() is None:
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    await asyncio.to_thread(process.communicate, timeout=60)
    reached = await client.fetchval("SELECT max(rows_read) FROM imports")
    await client.execute("DELETE FROM shop.games WHERE id % 7 = 0; UPDATE shop.games SET title = 'New' WHERE id = 15")
    table = await services.collections.followed_table("games")
    assert table is not None
    again = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=120, check=True)

    assert 0 < reached < 1890
    assert "has not been read to the end" in (table.fault or "")
    assert json.loads(again.stdout)["source_table"] == "shop.games"
    assert await documents(services) == await rows(client)
    assert await found(services, "new") == ["15"]


async def test_importing_again_compares_everything(services: Services, client: Client, follow: Follow) -> None:
    await follow()
    await client.execute("ALTER TABLE shop.games DISABLE TRIGGER USER")
    await client.execute(
        "DELETE FROM shop.games WHERE id = 3; UPDATE shop.games SET title = 'Sonic 2' WHERE id = 2;"
        " INSERT INTO shop.games VALUES (4, 'Metroid')"
    )
    table = await services.collections.followed_table("games")
    assert table is not None
    assert "disconnected" in (table.fault or "")
    await client.execute("ALTER TABLE shop.games ENABLE TRIGGER USER")
    report = await follow()

    assert (report.accepted, report.updated, report.unchanged, report.removed) == (1, 1, 1, 1)
    assert await documents(services) == await rows(client)
    assert (await follow(skip_known=True)).unchanged == 3


async def test_the_table_is_the_truth_and_documents_cannot_be_written(
    services: Services, follow: Follow, write_rows: WriteRows
) -> None:
    await follow()
    with pytest.raises(ConflictError, match=r"rows of the table shop\.games\. Change the row there"):
        await services.documents.put("games", "1", {"title": "x"})
    with pytest.raises(ConflictError, match=r"shop\.games"):
        await services.documents.delete("games", "1")
    with pytest.raises(ConflictError, match=r"shop\.games"):
        await services.imports.run(write_rows("games", [{"id": 1, "title": "x"}]), ImportOptions(key="id"))


_TRACES = """
SELECT 'relation', c.relname::text, c.relkind::text, c.relhastriggers::text, c.reloptions::text, c.relacl::text
  FROM pg_class c WHERE c.relnamespace = 'shop'::regnamespace
UNION ALL SELECT 'trigger', tgname::text, tgrelid::text, '', '', '' FROM pg_trigger
  WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace)
UNION ALL SELECT 'column', attname::text, attrelid::text, attnum::text, '', '' FROM pg_attribute
  WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace)
UNION ALL SELECT 'constraint', conname::text, conrelid::text, contype::text, '', '' FROM pg_constraint
UNION ALL SELECT 'function', proname::text, pronamespace::text, '', '', '' FROM pg_proc
UNION ALL SELECT 'type', typname::text, typnamespace::text, '', '', '' FROM pg_type
UNION ALL SELECT 'rule', rulename::text, ev_class::text, '', '', '' FROM pg_rewrite
UNION ALL SELECT 'index', indexrelid::text, indrelid::text, '', '', '' FROM pg_index
UNION ALL SELECT 'note', key, '', '', '', '' FROM table_changes
UNION ALL SELECT 'document', key, '', '', '', '' FROM documents
"""


async def test_dropping_the_collection_leaves_no_trace(services: Services, client: Client, follow: Follow) -> None:
    async def traces() -> set[tuple[str, ...]]:
        # That a table has triggers is not taken back before it is vacuumed.
        await client.execute("VACUUM shop.games")
        return {tuple(row) for row in await client.fetch(_TRACES)}

    before = await traces()
    await follow()
    assert {trace[0] for trace in await traces() - before} >= {"trigger", "function", "document"}
    await client.execute("INSERT INTO shop.games VALUES (4, 'Metroid')")
    await follow(replace=True)
    await client.execute("INSERT INTO shop.games VALUES (5, 'Doom')")
    await services.collections.drop("games")

    assert await traces() == before


async def test_a_renamed_table_is_followed_on(services: Services, client: Client, follow: Follow) -> None:
    await follow()
    await client.execute("ALTER TABLE shop.games RENAME TO spiele; UPDATE shop.spiele SET title = 'Doom' WHERE id = 1")

    assert await found(services, "doom") == ["1"]
    table = await services.collections.followed_table("games")
    assert table is not None
    assert (table.name, table.fault) == ("shop.spiele", None)


async def test_of_a_dropped_table_the_documents_stay_until_the_collection_is_dropped(
    services: Services, client: Client, follow: Follow
) -> None:
    await follow()
    await client.execute("UPDATE shop.games SET title = 'Doom' WHERE id = 1; DROP TABLE shop.games")

    assert await found(services) == ["1", "2", "3"]
    table = await services.collections.followed_table("games")
    assert table is not None
    assert "its table shop.games is gone" in (table.fault or "")
    assert ["its table shop.games is gone" in fault for fault in await services.integrity.check()] == [True]
    with pytest.raises(SourceError, match=r"no table “shop\.games”"):
        await follow()
    await client.execute(_GAMES)
    assert (await follow()).unchanged == 3  # a table of that name is followed again
    await client.execute("DROP TABLE shop.games")
    await services.collections.drop("games")
    assert await client.fetchval("SELECT count(*) FROM pg_proc WHERE proname LIKE 'livesearch_note_table%'") == 0


@pytest.mark.parametrize(
    "change",
    ["RENAME COLUMN id TO number", "DROP COLUMN id", "ALTER COLUMN id TYPE date USING DATE '2020-01-01' + id"],
)
async def test_a_table_whose_key_is_gone_can_be_written_to_and_searches_go_on(
    services: Services, client: Client, follow: Follow, change: str
) -> None:
    await follow()
    await client.execute("UPDATE shop.games SET title = 'Sonic 2' WHERE id = 2")
    await client.execute(f"ALTER TABLE shop.games {change}")
    if "TYPE" not in change:
        columns = "number, title" if "RENAME" in change else "year, title"
        await client.execute(f"INSERT INTO shop.games ({columns}) VALUES (9, 'Doom')")  # noqa: S608  # our own
    await client.execute("UPDATE shop.games SET title = title || '!'")

    assert await found(services) == ["1", "2", "3"]
    table = await services.collections.followed_table("games")
    assert table is not None
    assert "import it again with --replace" in (table.fault or "").lower()


async def test_columns_come_and_go(services: Services, client: Client, follow: Follow) -> None:
    await follow()
    await client.execute("ALTER TABLE shop.games DROP COLUMN maker, ADD COLUMN price numeric")
    await client.execute("UPDATE shop.games SET price = 9.5, title = 'Sonic 2' WHERE id = 2")

    assert await found(services, "sonic 2") == ["2"]
    assert (await documents(services))["2"] == {"id": 2, "title": "Sonic 2", "year": 1991, "price": 9.5}
    await follow()
    assert (await documents(services))["1"] == {"id": 1, "title": "Mario Kart", "year": 1992}


async def test_a_row_that_is_no_document_harms_neither_writer_nor_search(
    services: Services, client: Client, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.execute(
        "CREATE TABLE shop.texts (id text PRIMARY KEY, title text); INSERT INTO shop.texts VALUES ('a', 'x')"
    )
    await follow("texts")
    monkeypatch.setattr(postgres_table, "MAX_ROW_BYTES", 1000)
    await client.execute("INSERT INTO shop.texts VALUES ('b', 'fine'), ('', 'blank'), (repeat('k', 600), 'long')")
    await client.execute("INSERT INTO shop.texts VALUES (E'c\\x01', 'control'), ('d', repeat('large ', 300))")
    await client.execute("UPDATE shop.texts SET title = repeat('large ', 300) WHERE id = 'a'")
    with capture_logs() as lines:
        assert await found(services, name="texts") == ["b"]
    await client.execute("UPDATE shop.texts SET title = 'small' WHERE id = 'd'")

    assert sorted(line["key"][:3] for line in lines if line["event"] == "row not indexed") == [
        "",
        "a",
        "c\x01",
        "d",
        "kkk",
    ]
    assert await found(services, name="texts") == ["b", "d"]


async def test_who_may_write_the_table_need_not_know_of_livesearch(
    services: Services, client: Client, follow: Follow
) -> None:
    await follow()
    await client.execute("DROP ROLE IF EXISTS livesearch_test_writer; CREATE ROLE livesearch_test_writer")
    try:
        await client.execute(
            "GRANT USAGE ON SCHEMA shop TO livesearch_test_writer; GRANT ALL ON shop.games TO livesearch_test_writer;"
            " SET ROLE livesearch_test_writer"
        )
        await client.execute("INSERT INTO shop.games VALUES (4, 'Metroid'); DELETE FROM shop.games WHERE id = 3")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await client.execute("INSERT INTO table_changes (collection_id) VALUES (1)")
    finally:
        await client.execute("RESET ROLE; DROP OWNED BY livesearch_test_writer; DROP ROLE livesearch_test_writer")

    assert await found(services) == ["1", "2", "4"]


async def test_a_table_in_use_is_not_waited_for_long(services: Services, follow: Follow, store_url: str) -> None:
    other = await asyncpg.connect(store_url.replace("+asyncpg", ""))
    transaction = other.transaction()
    await transaction.start()
    await other.execute("UPDATE shop.games SET title = 'Doom' WHERE id = 1")
    with pytest.raises(ConflictError, match=r"shop\.games is in use"):
        await follow()
    assert await services.collections.list_all() == ()
    await transaction.commit()
    await follow()
    transaction = other.transaction()
    await transaction.start()
    await other.execute("TRUNCATE shop.games")
    with pytest.raises(ConflictError, match="is in use"):
        await services.collections.drop("games")
    assert await found(services, "doom") == ["1"]
    await transaction.rollback()
    await other.close()

    assert (await services.collections.drop("games")).name == "games"


@pytest.mark.parametrize(
    ("definition", "note"),
    [
        ("CREATE VIEW shop.seen AS SELECT * FROM shop.games", "shop.seen is a view"),
        ("CREATE TABLE shop.seen (LIKE shop.games) PARTITION BY RANGE (id)", "shop.seen is a partitioned table"),
        (
            "CREATE TABLE shop.seen () INHERITS (shop.games); INSERT INTO shop.seen SELECT * FROM shop.games",
            "shop.seen is a table of several that inherit",
        ),
    ],
)
async def test_what_cannot_be_followed_is_copied_and_that_is_said(
    services: Services, client: Client, store_url: str, definition: str, note: str
) -> None:
    await client.execute(definition)
    if "PARTITION BY" in definition:
        await client.execute(
            "CREATE TABLE shop.part PARTITION OF shop.seen DEFAULT; INSERT INTO shop.seen SELECT * FROM shop.games"
        )
    notes: list[str] = []
    source = f"{store_url.replace('+asyncpg', '')}::shop.seen"
    report = await services.imports.run(source, ImportOptions(key="id"), on_plan=lambda plan: notes.extend(plan.notes))

    assert notes == [f"{note}, which cannot be followed: its rows are copied"]
    assert (report.accepted, report.source_table) == (3, None)
    assert (await services.documents.put("seen", "1", {"title": "Mine"})).key == "1"


@pytest.mark.parametrize(
    ("columns", "key", "advice"),
    [
        ("a int, b int, PRIMARY KEY (a, b)", None, "Make one"),
        ("a int PRIMARY KEY, b int", "b", "Give --key a"),
        ("a int PRIMARY KEY, b int", "c", "Give --key a"),
        ("a float8 PRIMARY KEY", None, "Make one"),
    ],
)
async def test_a_table_without_a_key_is_refused_with_advice(
    client: Client, follow: Follow, columns: str, key: str | None, advice: str
) -> None:
    await client.execute(
        f"CREATE TABLE shop.t ({columns}); INSERT INTO shop.t VALUES (1{', 2' if 'b' in columns else ''})"  # noqa: S608
    )
    with pytest.raises(SourceError, match=advice):
        await follow("t", key=key)


async def test_a_collection_of_that_name_is_replaced_only_when_told(
    services: Services, client: Client, follow: Follow, write_rows: WriteRows
) -> None:
    path = write_rows("games", [{"id": "x", "title": "Mine"}])
    await services.imports.run(path)
    with pytest.raises(ConflictError, match="Give --name for another collection"):
        await follow()
    await follow(replace=True)
    assert await found(services) == ["1", "2", "3"]
    await client.execute(
        "CREATE TABLE shop.other (id int PRIMARY KEY, title text); INSERT INTO shop.other VALUES (7, 'x')"
    )
    with pytest.raises(ConflictError, match=r"follows shop\.games"):
        await follow("other", name="games")
    await services.imports.run(path, ImportOptions(replace=True))

    assert await found(services) == ["x"]
    assert await client.fetchval("SELECT count(*) FROM pg_proc WHERE proname LIKE 'livesearch_note_table%'") == 0


async def test_another_key_than_the_primary_one_is_kept(services: Services, client: Client, follow: Follow) -> None:
    await client.execute("ALTER TABLE shop.games ADD UNIQUE (title)")
    await follow(key="title")
    await client.execute("UPDATE shop.games SET year = 2000, title = 'Link' WHERE title = 'Zelda'")

    assert (await follow()).unchanged == 2  # the third is new: its key has changed
    assert (await services.collections.get("games")).key_field == "title"
    assert await found(services) == ["Link", "Mario Kart", "Sonic"]


async def test_two_phase_commit_works_as_before(client: Client, follow: Follow) -> None:
    await follow()
    await client.execute("BEGIN; INSERT INTO shop.games VALUES (4, 'Metroid')")
    try:
        await client.execute("PREPARE TRANSACTION 'livesearch_test'")
    except asyncpg.PostgresError as error:  # refused by this server for all
        assert "max_prepared_transactions" in str(error)  # noqa: PT017
    else:
        await client.execute("COMMIT PREPARED 'livesearch_test'")
