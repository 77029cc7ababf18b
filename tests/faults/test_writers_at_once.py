"""Services of two processes and another program write to the same few documents at once: the index ends up true."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import Role, SearchQuery
from livesearch.errors import ConflictError, DocumentNotFoundError, StoreUnavailableError
from livesearch.services import Services, build_services
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows
from tests.indexes import checked_documents
from tests.services.foreign_program import ForeignProgram

WRITE_COUNT = 40  # of each writer
KEYS = [f"k{number}" for number in range(6)]
WORDS = ["red", "green", "blue", "zelda", "F-16", "käse"]


def make_document(chance: random.Random) -> dict[str, object]:
    title, maker = " ".join(chance.choices(WORDS, k=3)), chance.choice(["Sega", "Atari"])
    document: dict[str, object] = {"title": title, "maker": maker}
    return document if chance.random() < 0.3 else {**document, "year": chance.randint(1980, 1983)}


async def write(services: Services, chance: random.Random) -> None:
    key = chance.choice(KEYS)
    if chance.random() < 0.3:
        await services.documents.delete("games", key)
    else:
        await services.documents.put("games", key, make_document(chance))


async def write_foreign(program: ForeignProgram, chance: random.Random) -> None:
    key = chance.choice(KEYS)
    kind = chance.random()
    if kind < 0.3:
        await program.insert(key, make_document(chance))
    elif kind < 0.7:
        await program.update(key, make_document(chance) if kind < 0.6 else b"{")
    else:
        await program.delete(key)


async def look(services: Services, chance: random.Random) -> None:
    page = await services.search.search("games", SearchQuery(chance.choice(WORDS)))
    assert len(page.hits) <= page.total


async def repeat(action: Callable[[], Awaitable[None]]) -> None:
    for _ in range(WRITE_COUNT):
        try:
            await action()
        # What is not there cannot be deleted; PostgreSQL ends one of two who wait for each other.
        except (DocumentNotFoundError, ConflictError, StoreUnavailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("seed", [1, 2])
async def test_writers_at_once_leave_the_index_true(
    services: Services, store_url: str, write_rows: WriteRows, seed: int
) -> None:
    rows: list[dict[str, object]] = [{"id": key, "title": "Zelda", "maker": "Sega", "year": 1986} for key in KEYS]
    roles = {"title": Role.TITLE, "maker": Role.FACET, "year": Role.SORT}
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id", roles=roles))
    database = Database(Settings(store_url=store_url, query_timeout_ms=20_000))
    other, program = build_services(database.settings, database), ForeignProgram(store_url)
    chance = random.Random(seed)  # noqa: S311  # writes, not secrets
    try:
        async with asyncio.TaskGroup() as group:
            for action in (
                lambda: write(services, chance),
                lambda: write(other, chance),
                lambda: write_foreign(program, chance),
                lambda: write_foreign(program, chance),
                lambda: look(services, chance),
                lambda: look(other, chance),
            ):
                group.create_task(repeat(action))
    finally:
        await database.close()
    services.transactions.foreign_pauses.clear()
    await services.collections.get("games")

    documents = await checked_documents(services.transactions, "games")
    assert documents.keys() <= set(KEYS)
    assert await services.integrity.check() == []
