"""A real browser on a real server over the built-in demo.

Everything here runs on one event loop for the session: a browser is slow to start. Any violation of the content
security policy, any script error and any failed request that a test does not expect fails the test.
"""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

import livesearch
from livesearch.app import create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import UserRole
from livesearch.services import build_services

CHROMIUM = Path(os.environ.get("LIVESEARCH_TEST_CHROMIUM", "/usr/bin/chromium"))
DEMO = Path(livesearch.__file__).parent / "demo" / "demo_console_games.jsonl.gz"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)
DESKTOP = {"width": 1280, "height": 900}

OpenPage = Callable[..., Awaitable[Page]]
# Writes a document of the demo, as another program would.
PutDocument = Callable[[str, dict[str, object]], Awaitable[None]]

WATCH = """
window.violations = [];
document.addEventListener('securitypolicyviolation', (event) => {
  window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""


@pytest.fixture(scope="session", autouse=True)
def chromium() -> None:
    if CHROMIUM.exists():
        return
    reason = f"{CHROMIUM} is not installed: apt-get install chromium, or set LIVESEARCH_TEST_CHROMIUM"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def site_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Where the demo's store is."""
    # Tests look at pages, not at clocks: a machine that measures coverage and runs others meanwhile is slow.
    return Settings(store_url=f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('site')}/demo.db", query_timeout_ms=20_000)


@pytest.fixture(scope="session")
def site(chromium: None, site_settings: Settings) -> Iterator[str]:  # noqa: ARG001  # skipped without it
    """The URL of the demo's page."""
    asyncio.run(_load(site_settings))
    app = create_app(site_settings)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(LoopBridge(app, lifespan=app.lifespan), log_level="warning", lifespan="on", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/c/demo_console_games"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(site: str) -> AsyncIterator[Browser]:  # noqa: ARG001  # nothing to look at without it
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def put_document(site: str, site_settings: Settings) -> AsyncIterator[PutDocument]:  # noqa: ARG001  # it makes the store
    """Write documents of the demo; they are gone afterwards."""
    database = Database(site_settings)
    services = build_services(site_settings, database)
    written: list[str] = []

    async def put(key: str, document: dict[str, object]) -> None:
        written.append(key)
        await services.documents.put("demo_console_games", key, document)

    yield put
    for key in written:
        await services.documents.delete("demo_console_games", key)
    await services.search.close()
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, site: str) -> AsyncIterator[OpenPage]:
    """Open an address below the demo's; keyword arguments are those of a browser context, and ``may_fail``."""
    watched: list[tuple[BrowserContext, Page, list[str]]] = []

    async def open_page(address: str = "", *, may_fail: bool = False, **options: object) -> Page:
        context = await browser.new_context(**{"viewport": DESKTOP, **options})  # type: ignore[arg-type]
        await context.add_init_script(WATCH)
        # Nothing here takes a second on a machine of its own; a wait that long is a failure.
        context.set_default_timeout(PATIENCE_MS)
        page = await context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        watched.append((context, page, [] if may_fail else complaints))
        await page.goto(site + address)
        return page

    yield open_page
    for context, page, complaints in watched:
        violations = await page.evaluate("window.violations") if not page.is_closed() else []
        await context.close()
        assert violations == []
        assert complaints == []


async def _load(settings: Settings) -> None:
    database = Database(settings)
    services = build_services(settings, database)
    await services.transactions.upgrade()
    await services.imports.run(str(DEMO))
    for name in ("Ann", "Zoë", "Bob", "Ida", "Jon"):
        await services.accounts.add(name, "correct horse", role=UserRole.EDITOR)
    await services.accounts.add("Eve", "correct horse", role=UserRole.ADMIN)
    await database.close()
