"""Stores that many tests share: each puts its rows into a collection of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from shutil import copyfile
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from livesearch.config import Settings
from livesearch.db import Database, sqlite_path
from livesearch.domain import Role
from livesearch.services import Services, build_services
from livesearch.services.imports import ImportOptions
from tests.conftest import POSTGRES

# Puts rows into a new collection of a store, told apart by their field ``id``, and gives its name.
LoadRows = Callable[[Services, Sequence[Mapping[str, object]], Mapping[str, Role]], Awaitable[str]]

_NUMBERS = count(1)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def both_stores(
    has_postgres: bool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Services]]:
    """Services over a SQLite file and over a PostgreSQL database, where one answers; the latter under ``postgres``."""
    database_name = f"livesearch_{uuid4().hex}"
    urls = {"sqlite": f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('shared')}/store.db"}
    if has_postgres:
        await _run(f"CREATE DATABASE {database_name}")
        server = POSTGRES.rpartition("/")[0].replace("postgresql://", "postgresql+asyncpg://")
        urls["postgres"] = f"{server}/{database_name}"
    settings = [Settings(store_url=url, query_timeout_ms=20_000) for url in urls.values()]
    databases = [Database(of_store) for of_store in settings]
    built = [build_services(*pair) for pair in zip(settings, databases, strict=True)]
    for services in built:
        await services.transactions.upgrade()
    yield dict(zip(urls, built, strict=True))
    for services, database in zip(built, databases, strict=True):
        await services.change_tokens.close()
        await database.close()
    if has_postgres:
        await _run(f"DROP DATABASE {database_name} WITH (FORCE)")


async def _run(statement: str) -> None:
    connection = await asyncpg.connect(POSTGRES, timeout=3)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, both_stores: dict[str, Services]) -> Services:
    """Services over a store of each kind, in which others have their collections too. Needs the session's loop."""
    if request.param not in both_stores:
        pytest.skip(f"no PostgreSQL answers at {POSTGRES}; set LIVESEARCH_TEST_POSTGRES_URL")
    return both_stores[request.param]


@pytest.fixture(scope="session")
def set_up_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store that is set up: to copy it takes a tenth of the time of setting one up."""
    settings = Settings(store_url=f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('set_up')}/store.db")

    async def set_up() -> None:
        database = Database(settings)
        await build_services(settings, database).transactions.upgrade()
        await database.close()

    asyncio.run(set_up())
    return Path(sqlite_path(settings.store_url))


@pytest.fixture
def copied_sqlite_url(tmp_path: Path, set_up_file: Path) -> str:
    """A SQLite store that is set up and empty."""
    return f"sqlite+aiosqlite:///{copyfile(set_up_file, tmp_path / 'store.db')}"


@pytest.fixture
def load_rows(tmp_path: Path) -> LoadRows:
    """Put rows into a new collection.

    Roles of fields that no row has are left out.
    """

    async def load(services: Services, rows: Sequence[Mapping[str, object]], roles: Mapping[str, Role]) -> str:
        name = f"rows_{next(_NUMBERS)}"
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        held = {field for row in rows for field in row}
        chosen = {field: role for field, role in roles.items() if field in held}
        await services.imports.run(str(path), ImportOptions(key="id", roles=chosen))
        return name

    return load
