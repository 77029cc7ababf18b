"""axe on every page, in both themes, on a desk and on a phone; and what axe cannot see."""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.async_api import Page, expect

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
PHONE = {"width": 390, "height": 844}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

STATES = {
    "browse": "",
    "results": "?q=zelda&f.maker=Nintendo&min.year=1990",
    "nothing": "?q=xyzzy&f.maker=Nintendo",
    "all values": "?facet=platform",
    "pages": "?q=mario&page=2",
    "corrected": "?q=donkey+knog+country",
    "exact": "?q=donkey+knog+country&exact=1",
    "explanation": "/explain?key=nes/zelda2&q=zelda",
    "document": "/doc/nes/zelda2?q=zelda",
    "document not found": "/doc/nes/zelda2?q=mario&f.maker=Sega",
    "error": "?page=abc",
}
DARK_STATES = ["results", "nothing", "corrected", "pages", "explanation", "document", "document not found"]


async def _offences(page: Page, rules: list[str] = RULES) -> list[str]:
    # The content policy refuses a script element; evaluate() comes from outside the page.
    await page.evaluate(AXE)
    found = await page.evaluate("(rules) => axe.run({ runOnly: rules, resultTypes: ['violations'] })", rules)
    return [f"{v['id']}: {[node['html'][:120] for node in v['nodes'][:3]]}" for v in found["violations"]]


async def _offences_by_state(page: Page, states: Iterable[str], rules: list[str]) -> dict[str, list[str]]:
    start, offences = page.url, {}
    for state in states:
        await page.goto(start + STATES[state])
        if found := await _offences(page, rules):
            offences[state] = found
    return offences


async def test_axe_finds_nothing(open_page: OpenPage) -> None:
    page = await open_page(color_scheme="light", may_fail=True)

    assert await _offences_by_state(page, STATES, RULES) == {}


async def test_axe_finds_nothing_in_dark_colours(open_page: OpenPage) -> None:
    page = await open_page(color_scheme="dark", may_fail=True)

    assert await _offences_by_state(page, DARK_STATES, ["color-contrast"]) == {}


async def test_axe_finds_nothing_on_a_phone(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda&f.maker=Nintendo", viewport=PHONE)
    with_results = await _offences(page)
    await page.locator("#filters-switch summary").click()

    assert (with_results, await _offences(page)) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_what_opens(open_page: OpenPage, scheme: str) -> None:
    page = await open_page(color_scheme=scheme)
    await page.locator("#q").press_sequentially("zel", delay=20)
    await expect(page.locator("#q")).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("ArrowDown")
    with_suggestions = await _offences(page)
    await page.keyboard.press("Escape")
    await page.get_by_label("Display settings").click()
    with_menu = await _offences(page)

    assert (with_suggestions, with_menu) == ([], [])


async def test_page_never_scrolls_sideways(open_page: OpenPage) -> None:
    page = await open_page(may_fail=True)
    start, widest = page.url, {}

    for state, address in STATES.items():
        await page.goto(start + address)
        for width in (320, 390, 768, 1024):
            await page.set_viewport_size({"width": width, "height": 700})
            widest[state, width] = await page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert {place: overflow for place, overflow in widest.items() if overflow} == {}


async def test_phone_targets_are_large_enough(open_page: OpenPage) -> None:
    page = await open_page("?q=mario&page=2", viewport=PHONE, has_touch=True)
    await page.locator("#filters-switch summary").tap()

    small = await page.evaluate("""() => [...document.querySelectorAll('a, button, summary, select, label')]
      .filter((element) => element.checkVisibility() && !element.matches('.skip-link, .visually-hidden, .brand'))
      .map((element) => [element.className || element.tagName, Math.round(element.getBoundingClientRect().height)])
      .filter(([, height]) => height < 44)""")

    assert small == []


async def test_phone_shows_filters_in_place_of_results(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda", viewport=PHONE, has_touch=True)
    await page.locator("#filters-switch summary").tap()
    await expect(page.locator("#results")).to_be_hidden()

    await page.get_by_role("checkbox", name="1990s").tap()
    await page.get_by_role("button", name="Show 6 results").tap()

    await expect(page.locator("#facets")).to_be_hidden()
    await expect(page.locator("[data-result]")).to_have_count(6)


async def test_phone_counts_filters_on_their_switch(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda", viewport=PHONE, has_touch=True)
    switch, count = page.locator("#filters-switch summary"), page.locator("#filter-count")
    await expect(count).to_be_hidden()

    await switch.tap()
    await page.get_by_role("checkbox", name="1990s").tap()

    await expect(switch).to_have_text("Filters 1 chosen")


async def test_motion_stops_for_those_who_ask(open_page: OpenPage) -> None:
    page = await open_page(reduced_motion="reduce")

    assert await page.evaluate("getComputedStyle(document.querySelector('.spinner')).animationName") == "none"


async def test_page_works_in_forced_colours(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda", forced_colors="active")

    await expect(page.locator("mark").first).to_be_visible()
    assert await page.evaluate("getComputedStyle(document.querySelector('mark')).backgroundColor") == "rgb(255, 255, 0)"
