"""An open list: it is told what changes elsewhere, and changes only when somebody wants it to."""

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, BrowserContext, Locator, Page, Request, Route, ViewportSize, expect

from livesearch.app import create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import Role
from livesearch.errors import DocumentNotFoundError
from livesearch.services import Services, build_services
from livesearch.services.imports import ImportOptions
from tests.browser.conftest import PATIENCE_MS, WATCH
from tests.browser.test_accessibility import _offences

pytestmark = pytest.mark.asyncio(loop_scope="session")

POLLS = "**/htmx/c/games/changes?*"
# Short enough to wait for; what is told apart by time uses the browser's clock instead.
POLL_SECONDS = 0.3
# Low enough to scroll.
LOW: ViewportSize = {"width": 1280, "height": 500}
PHONE: ViewportSize = {"width": 390, "height": 844}


@dataclass
class Shop:
    """A site of a few games, and another process's way to write to it."""

    url: str
    services: Services

    async def put(self, key: str, title: str) -> None:
        """Create or change a game."""
        await self.services.documents.put("games", key, {"title": title, "year": 1990})


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("live")
    return Settings(
        store_url=f"sqlite+aiosqlite:///{folder}/live.db", query_timeout_ms=20_000, poll_seconds=POLL_SECONDS
    )


@pytest.fixture(scope="module")
def live_site(chromium: None, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001
    """The URL of a site whose lists ask often."""
    rows = tmp_path_factory.mktemp("rows") / "games.jsonl"
    rows.write_text(
        "".join(f'{{"id": "{n:02}", "title": "Zelda part {n:02}", "year": {1980 + n}}}\n' for n in range(40))
    )
    asyncio.run(_load(settings, rows))
    app = create_app(settings)
    bridge = LoopBridge(app, lifespan=app.lifespan, cache=app.response_cache, polls=app.unchanged_polls)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(bridge, log_level="warning", lifespan="on", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/c/games"
    server.should_exit = True
    thread.join()
    listener.close()


async def _load(settings: Settings, rows: Path) -> None:
    database = Database(settings)
    services = build_services(settings, database)
    await services.transactions.upgrade()
    await services.imports.run(str(rows), ImportOptions(key="id", roles={"title": Role.TITLE, "year": Role.SORT}))
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def shop(live_site: str, settings: Settings) -> AsyncIterator[Shop]:
    database = Database(settings)
    services = build_services(settings, database)
    yield Shop(live_site, services)
    with suppress(DocumentNotFoundError):
        await services.documents.delete("games", "new")
    for number in range(40):
        await services.documents.put(
            "games", f"{number:02}", {"title": f"Zelda part {number:02}", "year": 1980 + number}
        )
    await database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Watched like all pages: nothing is said against the security policy, and no script fails."""
    context = await browser.new_context(viewport=LOW)
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(WATCH)
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    for page in context.pages:
        assert await page.evaluate("window.violations") == []
    await context.close()
    assert errors == []


@asynccontextmanager
async def polls_of(page: Page) -> AsyncIterator[list[Request]]:
    """The polls that a page sends while the block runs."""
    sent: list[Request] = []

    def note(request: Request) -> None:
        if "/changes?" in request.url:
            sent.append(request)

    page.on("request", note)
    yield sent
    page.remove_listener("request", note)


async def open_list(context: BrowserContext, url: str) -> Page:
    page = await context.new_page()
    await page.goto(url)
    return page


async def press(page: Page, place: Locator) -> None:
    """Press the mouse where it is: Playwright's own click may scroll."""
    box = await place.bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


async def test_change_elsewhere_is_told_once_and_shown_on_demand(shop: Shop, context: BrowserContext) -> None:
    page = await open_list(context, f"{shop.url}?q=zelda")
    titles = await page.locator(".row-title").all_inner_texts()
    await page.locator("#q").focus()
    await page.evaluate("document.getElementById('q').setSelectionRange(1, 3)")
    await page.evaluate("scrollTo({ top: 120, behavior: 'instant' })")

    await shop.put("new", "Zelda")

    show = page.locator("#show-changes")
    await expect(show).to_have_text("1 new — show")
    await expect(page.locator("#announcer")).to_have_text("1 new. Show it at the beginning of the results.")
    assert await page.locator(".row-title").all_inner_texts() == titles
    await shop.put("01", "Zelda part one")
    await expect(show).to_have_text("1 new, 1 changed — show")
    await expect(page.locator("#announcer")).to_have_text("1 new. Show it at the beginning of the results.")
    await press(page, show)
    await expect(page.locator(".row-title").first).to_have_text("Zelda")
    await expect(show).to_have_count(0)
    assert await page.evaluate("document.activeElement.id") == "q"
    assert await page.evaluate("[q.selectionStart, q.selectionEnd, scrollY]") == [1, 3, 120]


async def test_what_is_open_and_focused_stays_with_its_row(shop: Shop, context: BrowserContext) -> None:
    page = await open_list(context, f"{shop.url}?q=zelda")
    third = page.locator(".row").nth(2)
    title = await third.locator(".row-title").inner_text()
    await third.locator(".why-switch").click()
    await expect(third.locator(".why-answer")).to_be_visible()
    await third.locator("[data-result]").focus()

    await shop.put("new", "Zelda")
    await page.locator("#show-changes").click()

    await expect(page.locator(".row-title").first).to_have_text("Zelda")
    await expect(page.locator(".row").nth(3).locator(".row-title")).to_have_text(title)
    await expect(page.locator(".row").nth(3).locator(".why-answer")).to_be_visible()
    assert await page.evaluate("document.activeElement.innerText") == title


async def test_row_deleted_elsewhere_keeps_its_place_until_the_list_is_shown(
    shop: Shop, context: BrowserContext
) -> None:
    page = await open_list(context, f"{shop.url}?q=zelda&sort=year")
    await expect(page.locator(".row-title").nth(4)).to_have_text("Zelda part 04")

    await shop.services.documents.delete("games", "04")

    await expect(page.locator("#show-changes")).to_have_text("1 gone — show")
    await expect(page.locator(".row").nth(4)).to_have_class("row is-gone")
    await expect(page.locator(".row-title").nth(4)).to_have_text("Zelda part 04")
    await page.locator("#show-changes").press("Enter")
    await expect(page.locator(".row-title").nth(4)).to_have_text("Zelda part 05")
    await expect(page.locator(".is-gone")).to_have_count(0)
    assert await page.evaluate("document.activeElement.id") == "results"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_a_list_that_has_changed(
    shop: Shop, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    context = await browser.new_context(viewport=PHONE, color_scheme=scheme, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    page = await open_list(context, f"{shop.url}?q=zelda&sort=year")
    rows = page.locator(".row")
    places = [await rows.nth(at).bounding_box() for at in range(8)]

    await shop.services.documents.delete("games", "02")

    await expect(rows.nth(2)).to_have_class("row is-gone")
    await page.locator("#live").get_by_role("link").wait_for()
    assert await _offences(page) == []
    assert [await rows.nth(at).bounding_box() for at in range(8)] == places  # nothing moves
    await context.close()


TYPE = """async (text) => {
  const seen = [];
  for (const letter of text) {
    document.execCommand('insertText', false, letter);
    await new Promise((resolve) => { setTimeout(resolve, 60); });
    seen.push([q.value, q.selectionStart, scrollY, document.querySelector('.rows').innerHTML]);
  }
  return seen;
}"""


async def test_typing_on_is_not_disturbed_by_twenty_changes(shop: Shop, context: BrowserContext) -> None:
    page = await open_list(context, f"{shop.url}?q=zelda")
    await page.locator("#q").focus()
    await page.evaluate("q.setSelectionRange(5, 5)")
    rows = await page.locator(".rows").inner_html()
    text = " part legend of the past"

    async def write() -> None:
        for number in range(20):
            await shop.put(f"{number:02}", f"Zelda changed {number}")

    async def type_on() -> list[object]:
        # By the page's own clock: however slow the machine is, there is no pause to search in.
        return list(await page.evaluate(TYPE, text))

    async with polls_of(page) as sent:
        _, seen = await asyncio.gather(write(), type_on())
        assert len(sent) <= 1  # one may have been due before the first letter
    assert seen == [["zelda" + text[:place], 5 + place, 0, rows] for place in range(1, len(text) + 1)]

    await expect(page.locator("#results")).to_have_attribute("data-query", "zelda" + text)
    assert await page.locator("#q").input_value() == "zelda" + text
    assert await page.evaluate("[document.activeElement.id, q.selectionStart]") == ["q", 5 + len(text)]


async def test_list_that_is_read_changes_only_on_demand(shop: Shop, context: BrowserContext) -> None:
    page = await open_list(context, f"{shop.url}?q=zelda&sort=year")
    await page.locator("#q").focus()
    await page.evaluate("scrollTo({ top: 300, behavior: 'instant' })")
    before = await page.locator(".rows").inner_html()

    for number in range(20):
        await shop.put(f"{number:02}", f"Zelda anew {number}")

    await expect(page.locator("#show-changes")).to_have_text("20 changed — show")
    assert await page.locator(".rows").inner_html() == before
    assert await page.evaluate("[document.activeElement.id, scrollY]") == ["q", 300]
    await press(page, page.locator("#show-changes"))
    await expect(page.locator(".row-title").first).to_have_text("Zelda anew 0")
    assert await page.evaluate("[document.activeElement.id, scrollY]") == ["q", 300]


HIDE = """(state) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => state === 'hidden' });
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


async def test_hidden_page_asks_nothing_and_one_that_comes_back_at_once(shop: Shop, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{shop.url}?q=zelda")
    async with polls_of(page) as before:
        await page.clock.run_for(2_000)
        assert before

    await page.evaluate(HIDE, "hidden")
    async with polls_of(page) as hidden:
        await page.clock.run_for(60_000)
        assert hidden == []
    async with polls_of(page) as back:
        async with page.expect_request(POLLS):
            await page.evaluate(HIDE, "visible")
        assert len(back) == 1


async def test_polls_come_apart_and_never_late(shop: Shop, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.clock.install()
    await page.route(POLLS, lambda route: route.fulfill(status=204))
    await page.goto(f"{shop.url}?q=zelda")
    await page.evaluate("""() => {
      window.delays = [];
      const { setTimeout } = window;
      window.setTimeout = (work, delay, ...values) => {
        if (values[0]?.id === 'live') delays.push(delay);
        return setTimeout(work, delay, ...values);
      };
    }""")

    while len(delays := await page.evaluate("delays")) < 20:
        await page.clock.run_for(round(1000 * POLL_SECONDS))

    assert min(delays) >= 0.85 * 1000 * POLL_SECONDS
    assert max(delays) <= 1000 * POLL_SECONDS
    assert len(set(delays)) > 10


async def test_server_that_is_down_is_asked_ever_more_rarely_and_found_again(
    shop: Shop, context: BrowserContext
) -> None:
    page = await open_list(context, f"{shop.url}?q=zelda")
    times: list[float] = []
    loop = asyncio.get_running_loop()

    async def refuse(route: Route) -> None:
        times.append(loop.time())
        await route.abort("connectionrefused")

    await page.route(POLLS, refuse)
    while len(times) < 4:
        await page.wait_for_timeout(50)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    await page.unroute(POLLS)
    await shop.put("new", "Zelda is back")

    assert gaps[1] > 1.2 * gaps[0]
    assert gaps[2] > 1.2 * gaps[1]
    await expect(page.locator("#show-changes")).to_have_text("1 new — show")
    await expect(page.locator("#error-container")).to_be_empty()


async def test_server_says_when_to_ask_again(shop: Shop, context: BrowserContext) -> None:
    page = await open_list(context, f"{shop.url}?q=zelda")
    times: list[float] = []
    loop = asyncio.get_running_loop()

    async def refuse(route: Route) -> None:
        times.append(loop.time())
        await route.fulfill(status=503, headers={"Retry-After": "2"}, body="<h1>Busy</h1>", content_type="text/html")

    await page.route(POLLS, refuse)
    while len(times) < 2:
        await page.wait_for_timeout(50)

    assert 1.9 < times[1] - times[0] < 4
    await expect(page.locator("#error-container")).to_be_empty()
    await expect(page.locator("#live")).to_be_empty()


async def test_expired_session_leaves_the_page_alone(shop: Shop, context: BrowserContext) -> None:
    page = await open_list(context, f"{shop.url}?q=zelda")
    address = page.url

    async def signed_out(route: Route) -> None:
        await route.fulfill(status=204)

    await page.route(POLLS, signed_out)
    async with page.expect_response(re.compile("/changes")):
        pass

    async with page.expect_response(re.compile("/changes")):  # it goes on
        pass
    assert page.url == address


async def test_list_without_javascript_asks_nothing(shop: Shop, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    async with polls_of(page) as sent:
        await page.goto(f"{shop.url}?q=zelda")
        await page.wait_for_timeout(4 * 1000 * POLL_SECONDS)

        assert sent == []
    await context.close()
