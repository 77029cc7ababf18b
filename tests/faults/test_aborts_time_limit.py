"""The time limit stops a query by the road that a client's leaving does, and says so in three forms."""

from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.db import READER_COUNT
from livesearch.services import Services
from livesearch.web.audience import Audience, open_to
from tests.faults.aborting import SLOW, stray_count, taken_connections
from tests.web.conftest import HTMX, serving


@pytest.fixture
async def app(services: Services, store_url: str) -> LivesearchApp:  # noqa: ARG001  # they set the store up
    """An application that gives a query 50 ms, and views with one of two seconds."""
    settings = Settings(store_url=store_url, query_timeout_ms=50, secret_key="signs nothing that lasts")
    app = create_app(settings)

    @open_to(Audience.EVERYONE)
    async def slow() -> str:
        async with app.services.transactions.read() as connection:
            return str((await connection.execute(text(SLOW[app.database.is_sqlite]))).scalar())

    @open_to(Audience.EVERYONE)
    async def quick() -> str:
        async with app.services.transactions.read(is_limited=False) as connection:
            return str((await connection.execute(text("SELECT 40 + 2"))).scalar_one())

    app.add_url_rule("/slow", view_func=slow)
    app.add_url_rule("/api/v1/slow", endpoint="api.slow", view_func=slow)
    app.add_url_rule("/quick", view_func=quick)
    return app


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "headers", "content_type"),
    [
        ("/slow", {}, "text/html; charset=utf-8"),
        ("/slow", HTMX, "text/html; charset=utf-8"),
        ("/api/v1/slow", {}, "application/problem+json"),
    ],
)
async def test_query_over_the_limit_is_stopped_and_told(
    app: LivesearchApp, client: httpx.AsyncClient, store_url: str, path: str, headers: dict[str, str], content_type: str
) -> None:
    answer = await client.get(path, headers=headers)
    strays, taken = await stray_count(store_url), taken_connections(app.database)
    after = [(await client.get("/quick")).text for _ in range(READER_COUNT + 1)]

    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["Retry-After"] == "1"
    assert "longer than 50 ms and was stopped. Ask for less." in answer.text
    assert ("<html" in answer.text) == (path == "/slow" and not headers)
    assert (strays, taken) == (0, 0)
    assert after == ["42"] * (READER_COUNT + 1)
