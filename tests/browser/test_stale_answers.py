"""An answer to what is no longer asked: stopped on the server, and never shown, however late it comes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from livesearch.domain import ResultPage, SearchQuery
from livesearch.services.search import SearchService

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")

# As if the abort came too late: the browser takes the answer in all the same.
IGNORE_ABORTS = "AbortController.prototype.abort = () => {}"


# Nothing another test asks: what visitors have asked before may be answered without a search.
SLOW = "wario t"


async def _shown(page: Page) -> list[str]:
    """Everything on the page that an answer to a search changes."""
    return list(
        await page.evaluate("""() => [
          document.getElementById('results').dataset.query, document.getElementById('results').innerText,
          document.getElementById('status').innerText, document.getElementById('facets')?.innerText ?? '',
          document.title, location.search, document.getElementById('q').value,
        ]""")
    )


@pytest.mark.parametrize("is_failure", [False, True])
async def test_late_answer_that_was_not_aborted_changes_nothing(open_page: OpenPage, is_failure: bool) -> None:
    page = await open_page(may_fail=is_failure)
    await page.evaluate(IGNORE_ABORTS)
    is_newer_shown, is_late_sent = asyncio.Event(), asyncio.Event()

    async def hold_back(route: Route) -> None:
        if "q=zelda" in route.request.url:
            await route.continue_()
            return
        answer = await route.fetch()
        await is_newer_shown.wait()
        await route.fulfill(response=answer, status=503 if is_failure else 200)
        is_late_sent.set()

    await page.route("**/c/demo_console_games?*", hold_back)
    async with page.expect_request(lambda request: "q=m" in request.url):
        await page.locator("#q").fill("m")
    async with page.expect_response(lambda response: "q=zelda" in response.url):
        await page.locator("#q").fill("zelda")
    await expect(page.locator("#results")).to_have_attribute("data-query", "zelda")
    before = await _shown(page)
    is_newer_shown.set()
    async with asyncio.timeout(5):
        await is_late_sent.wait()
    await page.wait_for_timeout(300)

    assert before[0] == "zelda"
    assert await _shown(page) == before
    await expect(page.locator("#error-container")).to_be_empty()
    await page.unroute_all(behavior="ignoreErrors")


async def test_typing_on_cancels_the_search_on_the_server(open_page: OpenPage, monkeypatch: pytest.MonkeyPatch) -> None:
    search, ends = SearchService.search, dict[str, str]()

    async def slow_for_one(self: SearchService, name: str, query: SearchQuery, **options: Any) -> ResultPage:
        try:
            if query.text == SLOW:
                ends[query.text] = "begun"
                await asyncio.sleep(5)
            page = await search(self, name, query, **options)
        except asyncio.CancelledError:
            ends[query.text] = "cancelled"
            raise
        ends[query.text] = "answered"
        return page

    monkeypatch.setattr(SearchService, "search", slow_for_one)
    page = await open_page()
    async with page.expect_request(lambda request: "q=wario+t" in request.url):
        await page.locator("#q").fill(SLOW)
    async with asyncio.timeout(5):
        while SLOW not in ends:
            await page.wait_for_timeout(5)
    await page.locator("#q").fill(f"{SLOW}o")
    await expect(page.locator("#results")).to_have_attribute("data-query", f"{SLOW}o")

    assert (ends[SLOW], ends[f"{SLOW}o"]) == ("cancelled", "answered")
