import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from flask import request

from livesearch.app import create_app, find_templates, load_secret_key
from livesearch.config import Settings
from livesearch.errors import ConfigError, SchemaOutdatedError
from tests.web.conftest import serving


def test_secret_key_is_the_one_set(tmp_path: Path) -> None:
    settings = Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/a.db", secret_key="sixteen characters or more")

    assert load_secret_key(settings) == "sixteen characters or more"
    assert list(tmp_path.iterdir()) == []


def test_secret_key_is_made_once_beside_the_store(tmp_path: Path) -> None:
    settings = Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/a.db")

    keys = {load_secret_key(settings), load_secret_key(settings)}

    path = tmp_path / "a.db.secret-key"
    assert keys == {path.read_text()}
    assert len(path.read_text()) == 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_secret_key_is_one_for_processes_that_start_together(tmp_path: Path) -> None:
    settings = Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/a.db")

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(load_secret_key, [settings] * 32))

    assert len(keys) == 1


def test_secret_key_is_required_for_postgresql() -> None:
    settings = Settings(store_url="postgresql+asyncpg://localhost/x")

    with pytest.raises(ConfigError, match="LIVESEARCH_SECRET_KEY is not set"):
        load_secret_key(settings)


def test_secret_key_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    settings = Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/missing/a.db")

    with pytest.raises(ConfigError, match="cannot be used"):
        load_secret_key(settings)


def test_templates_are_found_in_the_checkout() -> None:
    assert (find_templates() / "base.html").is_file()


async def test_application_answers_before_its_store_is_made(tmp_path: Path) -> None:
    app = create_app(Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/new.db"))
    async with app.lifespan():
        response = await _get(app, "/c/games")

    assert response.status_code == 503
    assert SchemaOutdatedError.__name__ not in response.text
    assert "This site is being updated" in response.text


async def _get(app: object, path: str) -> httpx.Response:
    from livesearch.bridge import LoopBridge

    transport = httpx.ASGITransport(LoopBridge(app))  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(path)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 303), ("/c/games", 303), ("/api/v1/collections", 401), ("/healthz", 200), ("/readyz", 503)],
)
async def test_search_that_is_not_public_is_closed_to_visitors(tmp_path: Path, path: str, status: int) -> None:
    app = create_app(Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/a.db", public_search=False))

    async with serving(app) as client:
        answer = await client.get(path)
    assert answer.status_code == status
    assert status != 303 or answer.headers["Location"].startswith("/login?next=")
    assert status != 401 or "This needs an API token" in answer.text


@pytest.mark.parametrize(("proxy_count", "scheme"), [(0, "http"), (1, "https")])
async def test_proxy_headers_are_believed_only_where_a_proxy_is_set(
    tmp_path: Path, proxy_count: int, scheme: str
) -> None:
    app = create_app(Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/a.db", proxy_count=proxy_count))
    app.add_url_rule("/scheme", view_func=lambda: request.scheme)

    async with serving(app) as client:
        answer = await client.get("/scheme", headers={"X-Forwarded-Proto": "https"})

    assert answer.text == scheme


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/healthz", "127.0.0.1:8000", 200),
        ("/readyz", "10.0.0.7", 503),
        ("/healthz", "example.org", 200),
        ("/login", "EXAMPLE.org", 200),
        ("/login", "example.org", 200),
        ("/static/", "127.0.0.1", 400),
        ("/", "127.0.0.1", 400),
        ("/healthz/x", "127.0.0.1", 400),
    ],
)
async def test_only_probes_answer_on_hosts_that_are_not_trusted(
    tmp_path: Path, path: str, host: str, status: int
) -> None:
    app = create_app(Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/a.db", trusted_hosts=("Example.org",)))

    async with serving(app) as client:
        answer = await client.get(path, headers={"Host": host})

    assert answer.status_code == status
