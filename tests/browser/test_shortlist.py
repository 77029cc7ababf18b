"""Keeping documents in mind: five buttons at once, with JavaScript and without; the list by keyboard."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_accessibility import PHONE, _offences

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLICK_FIVE = """
() => [...document.querySelectorAll('.rows .shortlist-button')].slice(0, 5).forEach((button) => button.click())
"""


async def go(page: Page, path: str) -> None:
    parts = urlsplit(page.url)
    await page.goto(f"{parts.scheme}://{parts.netloc}{path}")


async def sign_in(page: Page, name: str = "Ann") -> None:
    await go(page, "/login")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill("correct horse")
    await page.keyboard.press("Enter")
    await expect(page.locator(".account-switch")).to_be_visible()


async def test_five_documents_added_at_once_are_five(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda")
    assert await page.context.cookies() == []

    await page.evaluate(CLICK_FIVE)

    await expect(page.locator("#shortlist-count")).to_have_text("5")
    await expect(page.locator("#announcer")).to_have_text("Shortlist: 5 documents")
    await expect(page.locator(".shortlist-button[name=remove]")).to_have_count(5)
    # Other rows, the same document: it is still known to be kept.
    await page.locator("#q").fill("legend of zelda")
    await expect(page.locator("#status")).to_contain_text("legend of zelda")
    assert await page.locator(".shortlist-button[name=remove]").count() > 0
    await page.get_by_role("link", name="Shortlist").click()
    await expect(page.locator(".kept > li")).to_have_count(5)


async def test_button_takes_a_document_back_and_the_session_is_a_users(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda")
    buttons = page.locator(".shortlist-button")
    await buttons.nth(0).click()
    await expect(page.locator("#shortlist-count")).to_have_text("1")
    await buttons.nth(1).click()
    await expect(page.locator("#shortlist-count")).to_have_text("2")

    await page.get_by_role("button", name="Remove from shortlist").first.click()
    await expect(page.locator("#shortlist-count")).to_have_text("1")
    await sign_in(page, "Bob")

    await expect(page.locator("#shortlist-count")).to_have_text("1")


async def test_list_is_put_in_order_and_noted_by_keyboard(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda")
    await page.evaluate(CLICK_FIVE)
    await expect(page.locator("#shortlist-count")).to_have_text("5")
    await go(page, "/shortlist")
    titles = page.locator(".kept-title")
    before = [text.strip() for text in await titles.all_inner_texts()]

    down = page.locator(".kept > li").first.get_by_role("button", name="down")
    await down.focus()
    await page.keyboard.press("Enter")
    await expect(titles.nth(1)).to_have_text(before[0])
    # The focus went with the row.
    await page.keyboard.press("Enter")
    await expect(titles.nth(2)).to_have_text(before[0])
    await page.get_by_label(f"Note on {before[0]}", exact=True).fill("the best")
    await page.keyboard.press("Enter")
    await expect(page.locator(".kept > li").nth(2).locator(".note")).to_have_attribute("value", "the best")
    await page.get_by_role("button", name=f"Remove {before[1]}", exact=True).click()

    await expect(titles).to_have_count(4)
    await page.reload()
    assert [text.strip() for text in await titles.all_inner_texts()] == [before[2], before[0], *before[3:]]
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Clear").click()
    await expect(page.locator("#shortlist")).to_contain_text("No documents")
    await expect(page.locator("#shortlist-count")).to_have_text("")


async def test_five_documents_without_scripts(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda", java_script_enabled=False, may_fail=True)
    await page.locator(".rows .shortlist-button").first.click()
    await page.get_by_role("button", name="Send again").click()
    await expect(page.locator("#shortlist-count")).to_have_text("1")

    for at in range(1, 5):
        await page.goto(page.url.partition("/shortlist")[0] + "/c/demo_console_games?q=zelda")
        await page.locator(".rows .shortlist-button").nth(at).click()
        await expect(page.locator("#shortlist-count")).to_have_text(str(at + 1))
    await page.get_by_role("link", name="Shortlist").click()
    await page.locator(".kept > li").nth(4).get_by_role("button", name="up").click()
    await page.locator(".kept > li").nth(3).locator(".note").fill("the best")
    await page.keyboard.press("Enter")

    await expect(page.locator(".kept > li")).to_have_count(5)
    await expect(page.locator(".kept > li").nth(3).locator(".note")).to_have_value("the best")
    await page.get_by_role("button", name="Clear").click()
    await expect(page.locator("#shortlist")).to_contain_text("No documents")


@pytest.mark.parametrize(("viewport", "scheme"), [({"width": 1280, "height": 900}, "light"), (PHONE, "dark")])
async def test_list_has_no_barrier(open_page: OpenPage, viewport: dict[str, int], scheme: str) -> None:
    page = await open_page("?q=zelda", viewport=viewport, color_scheme=scheme)
    await page.evaluate(CLICK_FIVE)
    await expect(page.locator("#shortlist-count")).to_have_text("5")
    assert await _offences(page) == []

    await go(page, "/shortlist")

    assert await _offences(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
