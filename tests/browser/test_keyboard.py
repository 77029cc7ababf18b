"""Without a mouse."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _type(page: Page, text: str) -> None:
    await page.locator("#q").press_sequentially(text, delay=20)
    await expect(page.locator("#results")).to_have_attribute("data-query", text)


async def test_whole_search_needs_only_keys(open_page: OpenPage) -> None:
    page = await open_page()

    await page.keyboard.press("/")
    await page.keyboard.type("tetris", delay=20)
    await expect(page.locator("#results")).to_have_attribute("data-query", "tetris")
    await page.keyboard.press("Escape")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[data-result]").nth(1)).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.locator("article h1")).to_contain_text("Tetris")


async def test_shortcut_selects_what_is_there(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda")

    await page.keyboard.press("/")

    await expect(page.locator("#q")).to_be_focused()
    assert await page.evaluate("getSelection().toString()") == "zelda"


async def test_shortcut_leaves_fields_alone(open_page: OpenPage) -> None:
    page = await open_page()
    await page.locator("#q").focus()

    await page.keyboard.type("a/b")

    await expect(page.locator("#q")).to_have_value("a/b")


async def test_shortcut_can_be_switched_off_for_good(open_page: OpenPage) -> None:
    page = await open_page()
    await page.get_by_label("Display settings").click()
    await page.get_by_role("checkbox", name="goes to the search box").uncheck()
    await page.keyboard.press("Escape")
    await page.reload()

    await page.keyboard.press("/")

    await expect(page.locator("#q")).not_to_be_focused()
    await expect(page.locator(".shortcut-hint")).to_be_hidden()


async def test_arrows_go_through_the_results(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda")
    results = page.locator("[data-result]")
    await page.locator("#q").focus()

    await page.keyboard.press("ArrowDown")
    await expect(results.first).to_be_focused()
    await page.keyboard.press("End")
    await expect(results.last).to_be_focused()
    await page.keyboard.press("Home")
    await expect(results.first).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#q")).to_be_focused()


async def test_escape_returns_from_the_results(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda")
    await page.locator("[data-result]").nth(3).focus()

    await page.keyboard.press("Escape")

    await expect(page.locator("#q")).to_be_focused()
    await expect(page.locator("#q")).to_have_value("zelda")


async def test_suggestions_open_without_taking_the_caret(open_page: OpenPage) -> None:
    page = await open_page()
    box = page.get_by_role("combobox", name="Search Demo console games")

    await box.press_sequentially("zel", delay=20)

    await expect(box).to_have_attribute("aria-expanded", "true")
    await expect(page.locator("#suggestion-0")).to_have_text("zelda")
    await expect(box).to_be_focused()


async def test_suggestion_is_chosen_with_arrows(open_page: OpenPage) -> None:
    page = await open_page()
    box = page.locator("#q")
    await box.press_sequentially("zel", delay=20)
    await expect(box).to_have_attribute("aria-expanded", "true")

    await page.keyboard.press("ArrowDown")
    await expect(box).to_have_attribute("aria-activedescendant", "suggestion-0")
    await expect(page.locator("#suggestion-0")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")

    await expect(box).to_have_value("zelda")
    await expect(page.locator("#results")).to_have_attribute("data-query", "zelda")
    await expect(box).to_have_attribute("aria-expanded", "false")


async def test_suggestion_arrows_come_round_to_the_typed_text(open_page: OpenPage) -> None:
    page = await open_page()
    box = page.locator("#q")
    await box.press_sequentially("zel", delay=20)
    await expect(box).to_have_attribute("aria-expanded", "true")
    count = await page.locator("#suggestions").get_by_role("option").count()

    await page.keyboard.press("ArrowUp")
    await expect(box).to_have_attribute("aria-activedescendant", f"suggestion-{count - 1}")
    await page.keyboard.press("ArrowDown")

    assert await box.get_attribute("aria-activedescendant") is None


async def test_suggested_document_is_opened(open_page: OpenPage) -> None:
    page = await open_page()
    await page.locator("#q").press_sequentially("zel", delay=20)
    document = page.locator("[role=option][data-url]").first

    await document.click()

    await expect(page.locator("article h1")).to_contain_text("Zelda")


async def test_escape_puts_suggestions_away_and_keeps_the_text(open_page: OpenPage) -> None:
    page = await open_page()
    box = page.locator("#q")
    await box.press_sequentially("zel", delay=20)
    await expect(box).to_have_attribute("aria-expanded", "true")

    await page.keyboard.press("Escape")

    await expect(page.locator("#suggestions")).to_be_hidden()
    await expect(box).to_have_value("zel")


async def test_enter_shows_results_and_no_suggestions(open_page: OpenPage) -> None:
    page = await open_page()

    await page.locator("#q").press_sequentially("zel", delay=20)
    await page.keyboard.press("Enter")
    await expect(page.locator("#results")).to_have_attribute("data-query", "zel")
    await page.wait_for_timeout(400)

    await expect(page.locator("#suggestions")).to_be_hidden()


async def test_suggestions_can_be_switched_off(open_page: OpenPage) -> None:
    page = await open_page()
    await page.get_by_label("Display settings").click()
    await page.get_by_role("checkbox", name="Suggestions while typing").uncheck()
    await page.keyboard.press("Escape")

    await _type(page, "zel")
    await page.wait_for_timeout(300)

    await expect(page.locator("#suggestions")).to_be_hidden()


async def test_skip_link_is_first(open_page: OpenPage) -> None:
    page = await open_page()

    await page.keyboard.press("Tab")

    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


async def test_theme_is_kept_and_never_flashes(open_page: OpenPage) -> None:
    page = await open_page(color_scheme="light")
    await page.get_by_label("Display settings").click()
    await page.get_by_role("radio", name="Dark").check()
    await page.context.add_init_script(
        "document.addEventListener('DOMContentLoaded',"
        " () => { window.themeAtStart = document.documentElement.dataset.theme; })"
    )

    await page.reload()

    assert await page.evaluate("window.themeAtStart") == "dark"
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(17, 18, 21)"
