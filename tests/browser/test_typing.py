"""Typing: few requests, the last answer only, and nothing jumps."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Request, Route, expect

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Collects the queries that results were shown for.
RECORD = """() => {
  window.shown = [];
  const query = () => document.getElementById('results').dataset.query;
  let last = query();
  new MutationObserver(() => {
    if (query() === last) return;
    last = query();
    window.shown.push(last);
  }).observe(document.body, { subtree: true, attributes: true, childList: true });
  window.box = document.getElementById('q');
}"""


def _record_requests(page: Page) -> list[str]:
    sent: list[str] = []

    def note(request: Request) -> None:
        if request.resource_type in {"fetch", "xhr"}:
            sent.append(request.url)

    page.on("request", note)
    return sent


async def _shows(page: Page, query: str) -> None:
    await expect(page.locator("#results")).to_have_attribute("data-query", query)


async def test_word_is_at_most_two_requests_and_one_answer(open_page: OpenPage) -> None:
    page = await open_page()
    sent = _record_requests(page)
    await page.evaluate(RECORD)

    await page.locator("#q").press_sequentially("zelda", delay=60)
    await _shows(page, "zelda")
    await page.wait_for_timeout(400)

    assert len(sent) <= 2
    assert await page.evaluate("window.shown") == ["zelda"]
    await expect(page.locator("#status")).to_contain_text("21 results for “zelda”")
    await expect(page).to_have_title("zelda · Demo console games · livesearch")
    assert (await page.evaluate("location.search")) == "?q=zelda"


async def test_caret_stays_where_it_was(open_page: OpenPage) -> None:
    page = await open_page("?q=zlda")
    await page.evaluate(RECORD)

    await page.locator("#q").focus()
    await page.evaluate("document.getElementById('q').setSelectionRange(1, 1)")
    await page.keyboard.type("e")
    await _shows(page, "zelda")

    assert await page.evaluate("[box.selectionStart, box.selectionEnd, box === document.activeElement]") == [2, 2, True]


async def test_late_answer_never_paints_over_a_newer_one(open_page: OpenPage) -> None:
    page = await open_page()
    await page.evaluate(RECORD)

    async def delay(route: Route) -> None:
        if "q=z&" in route.request.url or route.request.url.endswith("q=z"):
            await asyncio.sleep(0.8)
        await route.continue_()

    await page.route("**/c/demo_console_games?*", delay)
    await page.locator("#q").press_sequentially("z", delay=0)
    await page.wait_for_timeout(350)
    await page.locator("#q").press_sequentially("elda", delay=30)
    await _shows(page, "zelda")
    await page.wait_for_timeout(700)

    assert await page.evaluate("window.shown") == ["zelda"]
    await page.unroute_all(behavior="ignoreErrors")


async def test_letter_taken_back_asks_nothing(open_page: OpenPage) -> None:
    page = await open_page()
    await page.locator("#q").press_sequentially("zelda", delay=20)
    await _shows(page, "zelda")
    sent = [url for url in _record_requests(page) if "/htmx/" not in url]

    await page.keyboard.type("x")
    await page.keyboard.press("Backspace")
    await page.wait_for_timeout(500)

    assert sent == []


async def test_back_shows_a_whole_page(open_page: OpenPage) -> None:
    page = await open_page()
    await page.locator("#q").press_sequentially("zelda ii", delay=20)
    await _shows(page, "zelda ii")
    await page.locator("[data-result]").first.click()
    await expect(page.locator("h1")).to_contain_text("Zelda II")

    await page.go_back()

    await expect(page.locator(".site-header")).to_be_visible()
    await _shows(page, "zelda ii")
    await expect(page.locator("#q")).to_have_value("zelda ii")


async def test_search_works_after_back(open_page: OpenPage) -> None:
    page = await open_page()
    await page.locator("#q").press_sequentially("zelda", delay=20)
    await _shows(page, "zelda")
    await page.locator("[data-result]").first.click()
    await page.go_back()

    await page.locator("#q").fill("tetris")

    await _shows(page, "tetris")


async def test_composition_is_one_request(open_page: OpenPage) -> None:
    page = await open_page()
    sent = _record_requests(page)
    await page.locator("#q").focus()
    session = await page.context.new_cdp_session(page)

    for text in ("k", "け", "けn", "けん", "けんs", "検索"):
        await session.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        )
        await page.wait_for_timeout(200)
    assert sent == []
    await session.send("Input.insertText", {"text": "検索"})
    await _shows(page, "検索")
    await page.wait_for_timeout(300)

    assert len([url for url in sent if "/htmx/" not in url]) == 1


async def test_count_is_announced_after_the_typing(open_page: OpenPage) -> None:
    page = await open_page()

    await page.locator("#q").press_sequentially("zelda", delay=20)
    await _shows(page, "zelda")

    announcer = page.locator("#announcer")
    await expect(announcer).to_have_attribute("role", "status")
    assert await announcer.text_content() == ""
    await expect(announcer).to_have_text("21 results for “zelda”", timeout=2000)


async def test_typing_while_scrolled_shows_the_first_results(open_page: OpenPage) -> None:
    page = await open_page("?q=a")
    await page.evaluate("scrollTo(0, 900)")
    await page.keyboard.press("/")

    await page.keyboard.type("zelda")
    await _shows(page, "zelda")

    assert await page.evaluate("scrollY") == 0


async def test_facet_keeps_scroll_focus_and_text(open_page: OpenPage) -> None:
    page = await open_page("?q=mario")
    box = page.get_by_role("checkbox", name="1990s")
    await box.scroll_into_view_if_needed()
    await page.evaluate("scrollTo(0, 300)")

    await box.click()
    await expect(page.locator(".chip")).to_contain_text("1990s")

    assert await page.evaluate("scrollY") == 300
    assert await page.evaluate("document.activeElement.value") == "1990s"
    await expect(box).to_be_checked()
    assert await page.evaluate("location.search") == "?q=mario&f.decade=1990s"


async def test_facet_groups_stay_as_they_were_opened(open_page: OpenPage) -> None:
    page = await open_page()
    await page.locator("summary", has_text="Region").click()
    await page.locator("summary", has_text="Platform").click()

    await page.locator("#q").fill("mario")
    await _shows(page, "mario")

    groups = page.locator("details.facet")
    assert await groups.filter(has_text="Region").get_attribute("open") == ""
    assert await groups.filter(has_text="Platform").get_attribute("open") is None


async def test_clearing_filters_unticks_them(open_page: OpenPage) -> None:
    page = await open_page("?q=mario")
    await page.get_by_role("checkbox", name="1990s").check()
    await page.get_by_role("link", name="Clear all").click()

    await expect(page.get_by_role("checkbox", name="1990s")).not_to_be_checked()
    assert await page.evaluate("location.search") == "?q=mario"


async def test_range_narrows(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda")

    await page.get_by_label("Year to").fill("1988")
    await page.keyboard.press("Tab")

    await expect(page.locator("#status")).to_contain_text("2 results for “zelda”")
    assert await page.evaluate("location.search") == "?q=zelda&max.year=1988"


async def test_sort_reorders(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda")

    await page.get_by_label("Sort").select_option("-year")

    await expect(page.locator(".row-meta").first).to_contain_text("2004")


async def test_facet_shows_all_and_finds_values(open_page: OpenPage) -> None:
    page = await open_page()

    await page.get_by_role("link", name="Show all 36 values of Platform").click()
    await page.get_by_label("Find in Platform").fill("wonder")

    options = page.locator("details.facet", has_text="Platform").first.get_by_role("checkbox")
    await expect(options).to_have_count(2)
    await options.first.check()
    await expect(page.locator(".chip")).to_contain_text("WonderSwan")
    await expect(page.get_by_label("Find in Platform")).to_have_value("wonder")


async def test_facets_stay_expanded_while_typing(open_page: OpenPage) -> None:
    page = await open_page()
    await page.get_by_role("link", name="Show all 36 values of Platform").click()
    await page.get_by_role("link", name="values of Maker").click()
    await page.get_by_label("Find in Platform").fill("wonder")
    platforms = page.locator("details.facet", has_text="Platform").first.get_by_role("checkbox")
    await expect(platforms).to_have_count(2)
    await page.get_by_label("Find in Maker").fill("ban")
    makers = page.locator("details.facet", has_text="Maker").first.get_by_role("checkbox")
    await expect(makers).to_have_count(1)

    await page.locator("#q").fill("a")
    await _shows(page, "a")

    await expect(page.get_by_label("Find in Platform")).to_have_value("wonder")
    await expect(page.get_by_label("Find in Maker")).to_have_value("ban")
    await expect(makers).to_have_count(1)


async def test_failure_is_told_and_leaves_results_and_address(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda", may_fail=True)
    await page.evaluate("""() => {
      const field = document.createElement('input');
      Object.assign(field, { type: 'hidden', name: 'f.nonsense', value: '1' });
      document.getElementById('search').append(field);
    }""")

    await page.locator("#q").fill("mario")

    await expect(page.locator("#error-container")).to_contain_text("nonsense")
    await _shows(page, "zelda")
    assert await page.evaluate("location.search") == "?q=zelda"


async def test_foreign_error_page_never_lands_among_results(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda", may_fail=True)
    await page.route("**/c/demo_console_games?*", lambda route: route.fulfill(status=502, body="<h1>Bad Gateway</h1>"))

    await page.locator("#q").fill("mario")

    await expect(page.locator("#error-container")).to_contain_text("The server could not answer (502)")
    await _shows(page, "zelda")
    await page.unroute_all(behavior="ignoreErrors")
    await page.locator("#q").fill("tetris")
    await _shows(page, "tetris")
    await expect(page.locator("#error-container")).to_be_empty()


async def test_message_goes_with_the_letter_that_caused_it(open_page: OpenPage) -> None:
    page = await open_page(may_fail=True)
    await page.locator("#q").press_sequentially("zel", delay=20)
    await _shows(page, "zel")
    await page.route("**/c/demo_console_games?*", lambda route: route.fulfill(status=503, body="busy"))
    await page.keyboard.type("x")
    await expect(page.locator("#error-container")).not_to_be_empty()

    await page.keyboard.press("Backspace")

    await expect(page.locator("#error-container")).to_be_empty()
    await _shows(page, "zel")


async def test_scripts_are_ready_on_every_load(open_page: OpenPage) -> None:
    page = await open_page()
    found = set()

    for _ in range(20):
        await page.reload()
        found.add(
            await page.evaluate("""async () => {
              let headers = {};
              document.addEventListener('htmx:before:request', (event) => {
                headers = event.detail.ctx.request.headers;
                event.preventDefault();
              });
              await htmx.ajax('POST', '/nowhere', { target: '#results' });
              const form = document.getElementById('search');
              return ['X-CSRFToken' in headers, form.hasAttribute('data-htmx-powered'),
                typeof window.livesearch.preference, document.documentElement.className].join(' ');
            }""")
        )

    assert found == {"true true function js"}
