"""Stores to test against: a real SQLite file, and a real PostgreSQL where one runs."""

import asyncio
import gc
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import asyncpg
import hypothesis
import pytest

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.models import metadata
from livesearch.services import Services, build_services

# A shared machine is slow at times: examples are judged by what they find, not by how long they take.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

POSTGRES = os.environ.get("LIVESEARCH_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")

# Writes documents as JSON lines and gives the path.
WriteRows = Callable[..., str]


# Applications that tests make leave objects in circles, and a server makes the collector rare in its process. Of a
# million of them it took two seconds, in the midst of a test whose search has one.
_COLLECTED_EVERY = 20
_TESTS = count(1)


def pytest_runtest_setup() -> None:
    """Collect garbage between tests, so that there is little of it in any."""
    if next(_TESTS) % _COLLECTED_EVERY == 0:
        gc.collect()


async def _postgres(statement: str, url: str = POSTGRES) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=3)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def has_postgres() -> bool:
    """Whether a PostgreSQL answers; where continuous integration promises one, its absence is a failure."""
    try:
        asyncio.run(_postgres("SELECT 1"))
    except OSError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"PostgreSQL must answer at {POSTGRES}: {error}")
        return False
    return True


@pytest.fixture
def postgres_url(has_postgres: bool) -> Iterator[str]:  # a fixture
    """A new, empty database on the PostgreSQL server."""
    if not has_postgres:
        pytest.skip(f"no PostgreSQL answers at {POSTGRES}; set LIVESEARCH_TEST_POSTGRES_URL")
    name = f"livesearch_{uuid4().hex}"
    asyncio.run(_postgres(f"CREATE DATABASE {name}"))
    yield f"{POSTGRES.rpartition('/')[0]}/{name}".replace("postgresql://", "postgresql+asyncpg://")
    asyncio.run(_postgres(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def set_up_postgres(has_postgres: bool) -> Iterator[str]:
    """A database whose schema is set up, for all tests together: making one for each takes half of their time."""
    if not has_postgres:
        pytest.skip(f"no PostgreSQL answers at {POSTGRES}; set LIVESEARCH_TEST_POSTGRES_URL")
    name = f"livesearch_{uuid4().hex}"
    url = f"{POSTGRES.rpartition('/')[0]}/{name}".replace("postgresql://", "postgresql+asyncpg://")
    asyncio.run(_postgres(f"CREATE DATABASE {name}"))
    asyncio.run(_set_up(url))
    yield url
    asyncio.run(_postgres(f"DROP DATABASE {name} WITH (FORCE)"))


async def _set_up(url: str) -> None:
    database = Database(Settings(store_url=url))
    await build_services(database.settings, database).transactions.upgrade()
    await database.close()


_END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def emptied_postgres_url(set_up_postgres: str) -> str:
    """The database that is set up, with nothing in it."""
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    statements = (
        # A test may leave a connection to whom it belongs no more.
        _END_OTHERS,
        # As a replica: the triggers that refuse it for people do not fire.
        "SET session_replication_role = replica",
        f"TRUNCATE {tables} RESTART IDENTITY CASCADE",
    )
    asyncio.run(_postgres("; ".join(statements), set_up_postgres))
    return set_up_postgres


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file that is not there yet."""
    return f"sqlite+aiosqlite:///{tmp_path}/store.db"


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """An empty store, once of each kind: what holds on one must hold on the other. Set up where services use it."""
    is_set_up = request.param == "postgres" and "services" in request.fixturenames
    url: str = request.getfixturevalue("emptied_postgres_url" if is_set_up else f"{request.param}_url")
    return url


@pytest.fixture
async def services(store_url: str) -> AsyncIterator[Services]:
    """Services over a store that is set up and empty."""
    settings = Settings(store_url=store_url, query_timeout_ms=20_000)
    database = Database(settings)
    built = build_services(settings, database)
    await built.transactions.upgrade()
    yield built
    await database.close()


@pytest.fixture
def write_rows(tmp_path: Path) -> WriteRows:
    """Write documents as JSON lines: ``write_rows(name, rows)`` gives the path."""

    def write(name: str, rows: list[dict[str, object]]) -> str:
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return str(path)

    return write
