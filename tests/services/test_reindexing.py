"""Indexes made anew: after an upgrade, after an interruption, and while people search."""

import json
import sqlite3
from hashlib import blake2b

import orjson
import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, delete, insert, select, update

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import CHUNK_BITS, SearchQuery
from livesearch.errors import CollectionNotFoundError, ConflictError, SchemaOutdatedError
from livesearch.models import collections, postings, vocabulary
from livesearch.services import Services, build_services, reindexing
from livesearch.services.imports import ImportOptions
from livesearch.services.reindexing import ReindexingProgress
from livesearch.store.collections import REPLACEMENT_SUFFIX
from livesearch.store.schema import SchemaState, _config
from tests.conftest import WriteRows
from tests.indexes import checked_documents
from tests.services.test_imports import InterruptionError, after, make_rows

CHUNK_SIZE = 1 << CHUNK_BITS
ROWS = [{"id": f"k{number}", "title": f"Zelda {number}", "year": 1980 + number} for number in range(20)]


def _make_first(connection: Connection) -> None:
    """A store as migration 0001 made it, with documents on both sides of a border between chunks."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    tables = MetaData()
    tables.reflect(connection)
    fields = [
        {"name": name, "type": kind, "role": role, "weight": 1.0, "is_list": False, "reason": ""}
        for name, kind, role in (("id", "text", "key"), ("title", "text", "title"), ("year", "number", "sort"))
    ]
    connection.execute(
        insert(tables.tables["collections"]).values(
            id=1, name="games", version=3, document_count=20, next_number=CHUNK_SIZE + 10, fields=fields, key_field="id"
        )
    )
    bodies = [orjson.dumps(row) for row in ROWS]
    connection.execute(
        insert(tables.tables["documents"]),
        [
            {
                "collection_id": 1,
                "number": CHUNK_SIZE - 10 + number,
                "key": f"k{number}",
                "body": body,
                "digest": blake2b(body, digest_size=16).digest(),
            }
            for number, body in enumerate(bodies)
        ],
    )
    connection.execute(
        insert(tables.tables["postings"]).values(collection_id=1, chunk=0, key="wold", cardinality=1, bitmap=b"\0" * 18)
    )


async def test_a_store_of_the_first_migration_is_upgraded_and_searched(store_url: str) -> None:
    database = Database(Settings(store_url=store_url, query_timeout_ms=20_000))
    services = build_services(database.settings, database)
    async with database.write() as conn:
        await conn.run_sync(_make_first)

    assert await services.transactions.upgrade() is SchemaState.OUTDATED
    with pytest.raises(SchemaOutdatedError, match="livesearch db upgrade"):
        await services.search.search("games", SearchQuery("zelda"))
    seen: list[ReindexingProgress] = []
    assert await services.reindexing.reindex_stale(on_progress=seen.append) == ("games",)
    documents = await checked_documents(services.transactions, "games")
    page = await services.search.search("games", SearchQuery("zeld", sort="-year"))

    assert list(documents.values()) == ROWS
    assert [progress.done for progress in seen] == [CHUNK_SIZE, CHUNK_SIZE + 10]
    assert (page.total, page.hits[0].document) == (20, ROWS[19])
    assert await services.integrity.check() == []
    assert await services.reindexing.reindex_stale() == ()
    await database.close()


@pytest.fixture
async def stale(services: Services, write_rows: WriteRows) -> Services:
    """A collection of three chunks whose index is of no use, and one that is as it should be."""
    for first in range(0, 60, 20):
        if first:
            async with services.transactions.write() as conn:
                await conn.execute(update(collections).values(next_number=(first // 20) * CHUNK_SIZE))
        await services.imports.run(write_rows("games", make_rows(20, first=first)))
    await services.imports.run(write_rows("other", make_rows(10)))
    async with services.transactions.write() as conn:
        mine = select(collections.c.id).where(collections.c.name == "games").scalar_subquery()
        await conn.execute(update(collections).where(collections.c.name == "games").values(index_version=0))
        await conn.execute(delete(postings).where(postings.c.collection_id == mine, postings.c.key != "wred"))
        await conn.execute(update(postings).where(postings.c.collection_id == mine).values(cardinality=7, bitmap=b"x"))
        await conn.execute(update(vocabulary).where(vocabulary.c.collection_id == mine).values(frequency=99))
    return build_services(services.transactions.database.settings, services.transactions.database)


async def test_nothing_is_answered_from_a_stale_index(stale: Services) -> None:
    for attempt in (
        stale.search.search("games", SearchQuery("red")),
        stale.search.search_all("red"),
        stale.collections.get("games"),
        stale.documents.get("games", "k1"),
    ):
        with pytest.raises(SchemaOutdatedError, match="db upgrade"):
            await attempt
    readiness = await stale.health.check()

    assert not readiness.is_ready
    assert await stale.integrity.check() == ["The schema is stale. Run `livesearch db upgrade`."]


async def test_a_stale_index_is_made_anew_from_the_documents(stale: Services) -> None:
    assert await stale.reindexing.reindex_stale() == ("games",)

    assert len(await checked_documents(stale.transactions, "games")) == 60
    assert len(await checked_documents(stale.transactions, "other")) == 10


async def test_an_interrupted_reindexing_goes_on_where_it_stopped(stale: Services) -> None:
    def interrupt(_: ReindexingProgress) -> None:
        raise InterruptionError

    with pytest.raises(InterruptionError):
        await stale.reindexing.reindex("games", on_progress=interrupt)
    assert await stale.transactions.schema() is SchemaState.STALE
    seen: list[ReindexingProgress] = []
    await stale.reindexing.reindex_stale(on_progress=seen.append)

    assert [progress.done for progress in seen] == [2 * CHUNK_SIZE, 2 * CHUNK_SIZE + 20]
    assert len(await checked_documents(stale.transactions, "games")) == 60


async def test_a_chunk_of_many_bytes_is_indexed_in_parts(
    services: Services, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindexing, "ROW_COUNT", 7)
    monkeypatch.setattr(reindexing, "BYTE_COUNT", 1000)
    await services.imports.run(write_rows("games", make_rows(60)))
    before = await services.collections.get("games")
    await services.reindexing.reindex("games")
    after = await services.collections.get("games")

    assert len(await checked_documents(services.transactions, "games")) == 60
    assert (after.token_count, after.document_count) == (before.token_count, before.document_count)
    assert after.version > before.version


async def test_fields_that_are_exempt_from_now_on_take_effect(services: Services, write_rows: WriteRows) -> None:
    await services.imports.run(write_rows("games", make_rows(30)))
    async with services.transactions.write() as conn:
        fields = (await conn.execute(select(collections.c.fields))).scalar_one()
        fields = [{**saved, "is_typo_tolerant": saved["name"] not in {"title", "about"}} for saved in fields]
        await conn.execute(update(collections).values(fields=fields))
    assert any("differ" in fault for fault in await services.integrity.check())

    await services.reindexing.reindex("games")
    await checked_documents(services.transactions, "games")
    async with services.transactions.read() as conn:
        exempt = set((await conn.execute(select(postings.c.key).where(postings.c.key.startswith("x")))).scalars())
    assert "xzelda" in exempt
    assert await services.integrity.check() == []


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_fields_that_change_meanwhile_end_a_reindexing(stale: Services) -> None:
    def change_fields(_: ReindexingProgress) -> None:
        connection = sqlite3.connect(stale.transactions.database.settings.store_url.partition("///")[2])
        [(fields,)] = connection.execute("SELECT fields FROM collections WHERE name = 'games'")
        changed = [{**saved, "is_typo_tolerant": False} for saved in json.loads(fields)]
        connection.execute("UPDATE collections SET fields = ? WHERE name = 'games'", (json.dumps(changed),))
        connection.commit()
        connection.close()

    with pytest.raises(ConflictError, match="fields of “games” were changed"):
        await stale.reindexing.reindex("games", on_progress=change_fields)
    await stale.reindexing.reindex_stale()


async def test_what_is_not_there_cannot_be_reindexed(services: Services) -> None:
    with pytest.raises(CollectionNotFoundError):
        await services.reindexing.reindex("games")


async def test_a_half_built_replacement_with_a_stale_index_is_begun_again(
    services: Services, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("livesearch.services.imports.ROW_COUNT", 7)
    monkeypatch.setattr("livesearch.services.batches.BYTE_COUNT", 1500)
    source, options = write_rows("games", make_rows(60)), ImportOptions(replace=True)

    with pytest.raises(InterruptionError):
        await services.imports.run(source, options, on_progress=after(40))
    async with services.transactions.write() as conn:
        await conn.execute(
            update(collections).where(collections.c.name.endswith(REPLACEMENT_SUFFIX)).values(index_version=0)
        )
    assert await services.transactions.schema() is SchemaState.CURRENT
    report = await services.imports.run(source, options)

    assert (report.resumed_at, report.accepted) == (0, 60)
    assert len(await checked_documents(services.transactions, "games")) == 60
