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
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

import livesearch
from livesearch.app import create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings
from livesearch.db import Database
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
DESKTOP = {"width": 1280, "height": 900}

OpenPage = Callable[..., Awaitable[Page]]

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
def site(chromium: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001  # skipped without it
    """The URL of the demo's page."""
    settings = Settings(store_url=f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('site')}/demo.db")
    asyncio.run(_load(settings))
    app = create_app(settings)
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
async def open_page(browser: Browser, site: str) -> AsyncIterator[OpenPage]:
    """Open an address below the demo's; keyword arguments are those of a browser context, and ``may_fail``."""
    watched: list[tuple[BrowserContext, Page, list[str]]] = []

    async def open_page(address: str = "", *, may_fail: bool = False, **options: object) -> Page:
        context = await browser.new_context(**{"viewport": DESKTOP, **options})  # type: ignore[arg-type]
        await context.add_init_script(WATCH)
        # Nothing here takes a second; a wait that long is a failure, and there are many tests.
        context.set_default_timeout(5000)
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
    await database.close()
