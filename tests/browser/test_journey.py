"""One visit from signing in to signing in again, in one browser, with JavaScript and without."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_shortlist import CLICK_FIVE, go, sign_in

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _search(page: Page, text: str, status: str, *, has_scripts: bool) -> None:
    await page.locator("#q").fill(text)
    if not has_scripts:
        await page.keyboard.press("Enter")
    await expect(page.locator("#status")).to_contain_text(status)


async def _edit_and_undo(page: Page, word: str, *, has_scripts: bool) -> None:
    """Give the first row another word, find it by that, and take it back."""
    title = await page.locator("[data-result]").first.inner_text()
    await page.locator("#results > .rows > li").first.get_by_role("link", name="Edit").click()
    await page.get_by_label("Title", exact=True).fill(f"{title} {word}")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#change-notice")).to_contain_text("is saved")
    if has_scripts:
        await _search(page, word, "1 result", has_scripts=True)
        await expect(page.locator("[data-result]")).to_have_text([f"{title} {word}"])
    await page.locator("#change-notice").get_by_role("button", name="Undo").click()
    await expect(page.locator("#change-notice")).to_contain_text("undone")
    await go(page, f"/c/demo_console_games?q={word}")
    await expect(page.locator("#status")).to_contain_text("No results")


async def _shortlist_five(page: Page, *, has_scripts: bool) -> None:
    if has_scripts:
        await page.evaluate(CLICK_FIVE)
    for at in () if has_scripts else range(5):
        await go(page, "/c/demo_console_games?q=sonic")
        await page.locator(".rows .shortlist-button").nth(at).click()
    await expect(page.locator("#shortlist-count")).to_have_text("5")


async def _save_search(page: Page, text: str, *, has_scripts: bool) -> None:
    await page.locator("#q").fill(text)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(text))
    await page.locator(".save-switch").click()
    await page.get_by_label("Name").fill(text)
    await page.get_by_role("button", name="Save", exact=True).click()
    if has_scripts:
        await page.get_by_role("link", name="dashboard", exact=True).click()
    await expect(page.get_by_role("link", name=text, exact=True)).to_be_visible()


async def _add_document(page: Page, key: str, title: str) -> None:
    await go(page, "/c/demo_console_games")
    await page.get_by_role("link", name="New", exact=True).click()
    form = page.locator("form.edit-form")
    await form.locator("input:not([type=hidden])").first.fill(key)
    await form.get_by_label("Title", exact=True).fill(title)
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.locator("#change-notice")).to_contain_text("is added")


async def _delete_document(page: Page, key: str) -> None:
    await go(page, f"/c/demo_console_games/doc/{key}")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.locator("#change-notice")).to_contain_text("is deleted")


async def _end_sessions_elsewhere(page: Page) -> None:
    await go(page, "/account")
    await page.get_by_role("button", name="Sign out Chrome on Linux").click()
    await expect(page.get_by_role("button", name="Sign out Chrome on Linux")).to_have_count(0)


@pytest.mark.parametrize(("name", "has_scripts"), [("Ida", True), ("Jon", False)])
async def test_a_whole_visit(open_page: OpenPage, name: str, *, has_scripts: bool) -> None:
    word = f"fnordword{name.lower()}"
    page = await open_page(java_script_enabled=has_scripts, may_fail=True)
    await sign_in(page, name)
    await go(page, "/c/demo_console_games")
    await _search(page, "sonic", "results", has_scripts=has_scripts)
    await _edit_and_undo(page, word, has_scripts=has_scripts)

    await go(page, "/c/demo_console_games?q=sonic")
    await _shortlist_five(page, has_scripts=has_scripts)

    await _save_search(page, word, has_scripts=has_scripts)
    elsewhere = await open_page()
    await sign_in(elsewhere, "Zoë")
    await _add_document(elsewhere, f"new/{word}", f"New {word}")
    await page.reload()
    await page.get_by_role("button", name="1 new").click()
    await expect(page.locator(".rows .row-title")).to_have_text([f"New {word}"])
    await _delete_document(elsewhere, f"new/{word}")

    third = await open_page()
    await sign_in(third, name)
    await go(page, "/c/demo_console_games?q=sonic")
    await _end_sessions_elsewhere(third)
    await page.locator("#results > .rows > li").first.get_by_role("link", name="Edit").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill("correct horse")
    await page.keyboard.press("Enter")
    back = page.locator("#q") if has_scripts else page.get_by_label("Title", exact=True)
    await expect(back).to_have_value(re.compile("sonic", re.IGNORECASE))
