"""Connections to PostgreSQL that are kept for the next who wants one."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

import livesearch.db.postgres
from livesearch.config import Settings
from livesearch.db import Database


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = Database(Settings(store_url=postgres_url))
    yield database
    await database.close()


async def read(database: Database) -> int:
    """What the server calls the connection."""
    async with database.read() as conn:
        return int((await conn.exec_driver_sql("SELECT pg_backend_pid()")).scalar_one())


async def end_all(url: str) -> None:
    """End the server's side of every other connection to a database."""
    conn = await asyncpg.connect(url.replace("+asyncpg", ""))
    await conn.execute(
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await conn.close()


async def test_connections_that_the_server_ended_cost_nobody_an_error(database: Database, postgres_url: str) -> None:
    await database.warm()
    before = await read(database)
    await end_all(postgres_url)

    assert {await read(database) for _ in range(20)}.isdisjoint({before})


async def test_a_connection_that_rested_is_asked_whether_it_is_there(
    database: Database, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livesearch.db.postgres, "_TRUST_SECONDS", 0.2)
    before = await read(database)
    # The loop stands still, so that it has not heard of the end when the connection is wanted.
    other = threading.Thread(target=lambda: asyncio.run(end_all(postgres_url)))
    other.start()
    other.join()
    time.sleep(0.3)  # noqa: ASYNC251  # that it stands still is the point

    assert await read(database) != before


async def test_a_connection_that_was_just_used_is_not_asked(
    database: Database,
) -> None:
    first = await read(database)
    statements: list[str] = []
    async with database.read() as conn:
        raw = (await conn.get_raw_connection()).driver_connection
        raw.add_query_logger(lambda record: statements.append(record.query))  # type: ignore[union-attr]  # asyncpg's
    statements.clear()

    assert await read(database) == first
    # What is prepared first is not logged.
    assert statements == ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;", "ROLLBACK;"]
