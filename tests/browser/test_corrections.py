"""A misspelled search, undone and done again; why a row is there; and the tips: by keyboard, and without JavaScript."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.async_api import Page, expect

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 390, "height": 844}
CORRECTED = "Showing results for donkey kong country. Search instead for donkey knog country"
EXACTLY = "Searched exactly as typed. Include similar words"


async def _offences(page: Page) -> list[str]:
    await page.evaluate(AXE)
    found = await page.evaluate("(rules) => axe.run({ runOnly: rules, resultTypes: ['violations'] })", RULES)
    return [f"{v['id']}: {[node['html'][:120] for node in v['nodes'][:3]]}" for v in found["violations"]]


async def _misspell(page: Page) -> None:
    await page.locator("#q").press_sequentially("donkey knog country", delay=20)
    await expect(page.locator("#results")).to_have_attribute("data-query", "donkey knog country")


async def test_correction_is_undone_and_done_again_by_keyboard(open_page: OpenPage) -> None:
    page = await open_page()
    banner, link = page.locator(".correction"), page.locator("#other-search")
    await _misspell(page)
    await expect(banner).to_have_text(CORRECTED)
    await expect(page.locator("[data-result]").first).to_contain_text("Donkey Kong Country")

    await link.focus()
    await page.keyboard.press("Enter")
    await expect(banner).to_have_text(EXACTLY)
    await expect(link).to_be_focused()
    assert await page.evaluate("location.search") == "?q=donkey+knog+country&exact=1"
    await page.keyboard.press("Enter")

    await expect(banner).to_have_text(CORRECTED)
    await expect(link).to_be_focused()
    assert await page.evaluate("location.search") == "?q=donkey+knog+country"


async def test_correction_is_announced_once(open_page: OpenPage) -> None:
    page = await open_page()

    await _misspell(page)

    announcement = "8 results for “donkey kong country”. Searched instead of “donkey knog country”"
    await expect(page.locator("#announcer")).to_have_text(announcement, timeout=3000)
    assert await page.locator("#results [role=status], #results [aria-live]").count() == 0


async def test_typing_anew_leaves_the_exact_search(open_page: OpenPage) -> None:
    page = await open_page("?q=donkey+knog+country&exact=1")
    await expect(page.locator(".correction")).to_have_text(EXACTLY)

    await page.locator("#q").press("End")
    await page.keyboard.type("x")
    await page.keyboard.press("Backspace")

    await expect(page.locator(".correction")).to_have_text(CORRECTED)
    assert await page.evaluate("location.search") == "?q=donkey+knog+country"


async def test_letter_taken_back_after_an_exact_search_searches_again(open_page: OpenPage) -> None:
    page = await open_page()
    await _misspell(page)
    await page.locator("#other-search").click()
    await expect(page.locator(".correction")).to_have_text(EXACTLY)

    await page.locator("#q").press("End")
    await page.keyboard.type("x")
    await page.keyboard.press("Backspace")

    await expect(page.locator(".correction")).to_have_text(CORRECTED)


async def test_keystroke_supersedes_the_exact_search(open_page: OpenPage) -> None:
    page = await open_page("?q=donkey+knog+country")
    aborted: list[str] = []
    page.on("requestfailed", lambda request: aborted.append(request.url))
    await page.route("**/*exact=1*", lambda _route: None)  # an answer that never comes
    await page.locator("#other-search").click()

    await page.locator("#q").fill("tetris")

    await expect(page.locator("#results")).to_have_attribute("data-query", "tetris")
    assert [url.rpartition("&")[2] for url in aborted if "/htmx/" not in url] == ["exact=1"]
    await page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_corrections_and_explanations(open_page: OpenPage, scheme: str) -> None:
    page = await open_page("?q=donkey+knog+country", color_scheme=scheme)
    corrected = await _offences(page)
    await page.locator(".why-switch").first.click()
    await expect(page.locator(".score")).to_be_visible()
    explained = await _offences(page)
    await page.locator(".tips-switch").click()
    with_tips = await _offences(page)
    await page.goto(page.url.replace("?q=", "/explain?key=nes/zelda2&q="))

    assert (corrected, explained, with_tips, await _offences(page)) == ([], [], [], [])


async def test_explanation_opens_and_closes_by_keyboard(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda+link")
    asked = page.locator(".row").first.get_by_text("Why this result?")
    await page.locator("[data-result]").first.focus()

    # Past the bookmark.
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    score = page.locator(".row").first.locator(".score")
    await expect(score).to_contain_text("“zelda” in the title")
    await expect(page.locator("summary:focus")).to_contain_text("Why this result?")
    await page.keyboard.press("Enter")
    await expect(score).to_be_hidden()
    await page.keyboard.press("Enter")

    await expect(score).to_be_visible()
    await expect(asked).to_have_count(1)
    assert await page.evaluate("location.search") == "?q=zelda+link"


async def test_explanation_goes_with_its_search(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda+link")
    await page.locator(".why-switch").first.click()
    await expect(page.locator(".score")).to_be_visible()

    await page.locator("#q").fill("zelda")
    await expect(page.locator("#results")).to_have_attribute("data-query", "zelda")

    await expect(page.locator(".score")).to_have_count(0)
    await page.locator(".why-switch").first.click()
    await expect(page.locator(".score")).to_have_count(1)


async def test_explanation_can_be_touched_without_leaving(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda+link", viewport=PHONE, has_touch=True)
    await page.locator(".why-switch").first.tap()

    await page.locator(".score th").first.tap()

    await expect(page.locator(".score")).to_be_visible()
    assert (await page.evaluate("location.pathname")).endswith("/c/demo_console_games")


async def test_tips_open_and_close_by_keyboard(open_page: OpenPage) -> None:
    page = await open_page()
    switch, menu = page.locator(".tips-switch"), page.locator(".tips-menu")
    await switch.focus()

    await page.keyboard.press("Enter")
    await expect(menu).to_be_visible()
    await expect(menu).to_contain_text("platform:")
    await page.keyboard.press("Escape")

    await expect(menu).to_be_hidden()
    await expect(switch).to_be_focused()


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_tips_fit_the_screen(open_page: OpenPage, width: int) -> None:
    page = await open_page(viewport={"width": width, "height": 844})

    await page.locator(".tips-switch").click()
    box = await page.locator(".tips-menu").bounding_box()

    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= 844
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0


async def test_phone_targets_of_corrections_are_large_enough(open_page: OpenPage) -> None:
    page = await open_page("?q=donkey+knog+country", viewport=PHONE, has_touch=True)

    small = await page.evaluate("""() => [...document.querySelectorAll('#results a, .tips summary')]
      .map((element) => [element.className || element.id, Math.round(element.getBoundingClientRect().height)])
      .filter(([name, height]) => height < 44 && !name.startsWith('result-'))""")

    assert small == []


async def test_correction_works_without_javascript(open_page: OpenPage) -> None:
    page = await open_page(java_script_enabled=False)
    banner = page.locator(".correction")
    await page.locator("#q").fill("donkey knog country")
    await page.get_by_role("button", name="Search").click()
    await expect(banner).to_have_text(CORRECTED)

    await page.get_by_role("link", name="Search instead for donkey knog country").click()
    await expect(banner).to_have_text(EXACTLY)
    await page.get_by_role("link", name="Include similar words").click()

    await expect(banner).to_have_text(CORRECTED)


async def test_explanation_works_without_javascript(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda+link", java_script_enabled=False)

    await page.get_by_role("link", name="Why this result?").first.click()

    await expect(page.locator("h1")).to_contain_text("Zelda")
    await expect(page.locator(".score")).to_contain_text("“zelda” in the title")
    await page.get_by_role("link", name="Results for “zelda link”").click()
    await expect(page.locator("#status")).to_contain_text("8 results")


async def test_tips_work_without_javascript(open_page: OpenPage) -> None:
    page = await open_page(java_script_enabled=False)

    await page.locator(".tips-switch").click()

    await expect(page.locator(".tips-menu")).to_contain_text('"two words"')
