"""Change tokens: every commit is known at once, whoever made it, and nothing is asked while there is none."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import Scope
from livesearch.errors import StoreUnavailableError
from livesearch.services import Services, build_services
from livesearch.services.change_tokens import PostgresTokens, SqliteTokens
from livesearch.services.imports import ImportOptions
from livesearch.store.versions import load_versions
from tests.conftest import WriteRows


@pytest.fixture
async def games(services: Services, write_rows: WriteRows) -> AsyncIterator[Services]:
    """A collection of two games."""
    rows: list[dict[str, object]] = [{"id": "1", "title": "Zelda"}, {"id": "2", "title": "Mario"}]
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id"))
    yield services
    await services.change_tokens.close()


@pytest.fixture
async def neighbour(services: Services) -> AsyncIterator[Services]:
    """Another process's services over the same store."""
    database = Database(services.transactions.database.settings)
    built = build_services(database.settings, database)
    yield built
    await built.change_tokens.close()
    await database.close()


async def execute_plainly(store_url: str, statement: str) -> None:
    """Run a statement as any other program would."""
    if store_url.startswith("sqlite"):
        with sqlite3.connect(store_url.removeprefix("sqlite+aiosqlite:///")) as connection:
            connection.execute(statement)
        connection.close()
        return
    other = await asyncpg.connect(store_url.replace("+asyncpg", ""))
    await other.execute(statement)
    await other.close()


async def test_token_is_the_collections_id_and_version(games: Services) -> None:
    token = await games.change_tokens.current("games")

    collection = await games.collections.get("games")
    assert token is not None
    assert (token.id, token.version, token.is_settled) == (collection.id, collection.version, True)
    assert await games.change_tokens.current("books") is None


async def test_own_commit_is_known_at_once(games: Services) -> None:
    before = await games.change_tokens.current("games")

    await games.documents.put("games", "3", {"title": "Metroid"})

    after = await games.change_tokens.current("games")
    assert before is not None
    assert after is not None
    assert after.version > before.version


async def test_commit_of_another_process_is_known_at_once(games: Services, neighbour: Services) -> None:
    for number in range(5):
        await games.documents.put("games", "3", {"title": f"Metroid {number}"})

        token = await neighbour.change_tokens.current("games")

        assert token is not None
        assert token.version == (await games.collections.get("games")).version


async def test_row_written_by_plain_sql_unsettles_its_collection(games: Services, store_url: str) -> None:
    assert (await games.change_tokens.current("games")) is not None

    await execute_plainly(store_url, "UPDATE documents SET body = '{\"title\": \"Zelda II\"}' WHERE key = '1'")

    token = await games.change_tokens.current("games")
    assert token is not None
    assert not token.is_settled


async def test_dropped_collection_has_no_token(games: Services) -> None:
    assert await games.change_tokens.current("games") is not None

    await games.collections.drop("games")

    assert await games.change_tokens.current("games") is None


async def test_nothing_is_asked_while_nobody_commits(games: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = games.change_tokens
    known = await tokens.read()
    if isinstance(tokens, PostgresTokens):
        assert tokens.glance() is None
        return
    assert isinstance(tokens, SqliteTokens)
    monkeypatch.setattr(tokens, "_load", None)  # would fail

    assert tokens.glance() is known
    assert await tokens.read() is known


async def test_what_says_the_same_stays_the_same_object(games: Services) -> None:
    known = await games.change_tokens.read()

    await games.tokens.create("changes no collection", Scope.SEARCH)

    assert await games.change_tokens.read() is known


async def test_those_who_ask_at_once_share_readings(games: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, count = games.change_tokens, 0
    original = load_versions

    async def counted(conn: AsyncConnection) -> object:
        nonlocal count
        count += 1
        return await original(conn)

    monkeypatch.setattr("livesearch.services.change_tokens.load_versions", counted)

    found = await asyncio.gather(*[tokens.read() for _ in range(50)])

    assert count <= 2
    assert all(other is found[0] for other in found)


async def test_who_gives_up_waiting_disturbs_nobody(games: Services) -> None:
    tokens = games.change_tokens
    impatient, patient = asyncio.create_task(tokens.read()), asyncio.create_task(tokens.read())
    await asyncio.sleep(0)

    impatient.cancel()

    assert "games" in await patient


async def test_commits_are_noticed_without_asking(games: Services, neighbour: Services) -> None:
    async with neighbour.change_tokens.watching():
        await games.documents.put("games", "3", {"title": "Metroid"})
        version = (await games.collections.get("games")).version

        async with asyncio.timeout(10):
            while (token := neighbour.change_tokens.noticed("games")) is None or token.version < version:  # noqa: ASYNC110  # nothing tells when
                await asyncio.sleep(0.01)

    assert token.version == version


async def test_lost_connection_is_replaced(postgres_url: str) -> None:
    database = Database(Settings(store_url=postgres_url))
    services = build_services(database.settings, database)
    await services.transactions.upgrade()
    assert await services.change_tokens.read() == {}

    await execute_plainly(
        postgres_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    with pytest.raises(StoreUnavailableError):
        await services.change_tokens.read()

    assert await services.change_tokens.read() == {}
    await services.change_tokens.close()
    await database.close()
