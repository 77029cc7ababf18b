"""A site over a few rows, asked as a browser or a program would ask, through the bridge and without a network."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import Role
from livesearch.services import build_services
from livesearch.services.imports import ImportOptions

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}

ATTACK = '<img src=x onerror="alert(1)">'

GAMES: list[dict[str, object]] = [
    {"id": "nes/zelda", "title": "The Legend of Zelda", "platform": "NES", "year": 1987, "publisher": "Nintendo"},
    {"id": "nes/zelda2", "title": "Zelda II", "platform": "NES", "year": 1988, "publisher": "Nintendo"},
    {"id": "cdi/zelda", "title": "Zelda's Adventure", "platform": "CD-i", "year": 1995, "publisher": "Philips"},
    {
        "id": "x//y/<b>",
        "title": f"{ATTACK} evil",
        "platform": ATTACK,
        "year": 1999,
        "publisher": "Attackers",
        "homepage": "https://example.com/?a=1&b=2",
        "mirror": "javascript:alert(1)",
        "notes": f"an evil note {ATTACK}",
        "secret": "hidden-from-everybody",
    },
    {"id": "東京 1", "title": "東京ゲーム", "platform": "Mega Drive", "year": 1990, "publisher": "Ünïcode & Söhne"},
    {"id": "/untitled", "platform": "NES", "year": 1983, "publisher": "Nobody"},
    *(
        {
            "id": f"row-{number}",
            "title": f"Racing number {number}",
            "platform": f"Platform {number % 14:02}",
            "year": 1980 + number % 20,
            "publisher": "Serial",
        }
        for number in range(60)
    ),
]
BOOKS = [{"id": str(number), "title": f"A book on Zelda, part {number}"} for number in range(5)]

# Every sign that means something in a URL.
ODD_FACET = "a/b & c+d=1#2%3F"

ROLES = {
    "title": Role.TITLE,
    ODD_FACET: Role.FACET,
    "platform": Role.FACET,
    "publisher": Role.FACET,
    "year": Role.SORT,
    "homepage": Role.URL,
    "mirror": Role.URL,
    "notes": Role.TEXT,
    "secret": Role.HIDDEN,
}


def make_store(folder: Path, **collections: list[dict[str, object]]) -> Settings:
    """Import rows into a new store."""
    settings = Settings(store_url=f"sqlite+aiosqlite:///{folder}/store.db")

    async def load() -> None:
        database = Database(settings)
        services = build_services(settings, database)
        await services.transactions.upgrade()
        for name, rows in collections.items():
            source = folder / f"{name}.jsonl"
            source.write_text("\n".join(json.dumps(row) for row in rows))
            known = {field for row in rows for field in row}
            roles = {field: role for field, role in ROLES.items() if field in known}
            await services.imports.run(str(source), ImportOptions(key="id", roles=roles))
        await database.close()

    asyncio.run(load())
    return settings


@asynccontextmanager
async def serving(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a running application."""
    async with app.lifespan():
        transport = httpx.ASGITransport(LoopBridge(app))  # type: ignore[arg-type]  # asgiref types scopes more narrowly
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client


@asynccontextmanager
async def as_served(settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, LivesearchApp]]:
    """A client of an application as it is served: polls and kept answers before Flask."""
    app = create_app(settings)
    bridge = LoopBridge(
        app,
        cache=app.response_cache,
        polls=app.unchanged_polls,
        metrics=app.metrics,
        trusted_hosts=settings.trusted_hosts,
    )
    async with app.lifespan():
        transport = httpx.ASGITransport(bridge)  # type: ignore[arg-type]  # asgiref types scopes more narrowly
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client, app


@pytest.fixture(scope="session")
def games(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return make_store(tmp_path_factory.mktemp("games"), games=GAMES)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A store with two collections."""
    rows: list[dict[str, object]] = [dict(row) for row in BOOKS]
    return make_store(tmp_path_factory.mktemp("library"), games=GAMES[:6], books=rows)


@pytest.fixture(scope="session")
def app(games: Settings) -> LivesearchApp:
    """One for all tests, so that templates are compiled once; its store is opened for each."""
    return create_app(games)


@pytest.fixture(scope="session")
def library_app(library: Settings) -> LivesearchApp:
    return create_app(library)


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as client:
        yield client


@pytest.fixture
async def library_client(library_app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(library_app) as client:
        yield client


@pytest.fixture
def request_context(app: LivesearchApp) -> Iterator[None]:
    with app.test_request_context():
        yield
