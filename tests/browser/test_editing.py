"""Editing documents in a real browser: in place with JavaScript, on pages without; what axe finds on the forms."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Dialog, Page, expect

from tests.browser.test_accessibility import PHONE, _offences
from tests.browser.test_accounts import _fill, _go

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _sign_in(page: Page) -> None:
    await _go(page, "/login")
    await _fill(page)
    await expect(page.locator(".account-switch")).to_be_visible()


async def _search(page: Page, text: str, status: str) -> None:
    await page.locator("#q").fill(text)
    await expect(page.locator("#status")).to_contain_text(status)


async def test_row_is_edited_in_place_found_by_its_new_word_and_undone(open_page: OpenPage) -> None:
    page = await open_page()
    await _sign_in(page)
    await _go(page, "/c/demo_console_games?q=wario+land+3")
    row = page.locator("#results > .rows > li").first
    title = await row.locator("[data-result]").inner_text()
    await row.get_by_role("link", name="Edit").click()
    await expect(page.locator("form.edit-form")).to_be_visible()

    await page.locator("form.edit-form").get_by_label("Title", exact=True).fill(f"{title} Xyzzyword")
    await page.get_by_role("button", name="Save").click()

    await expect(page.locator("#change-notice")).to_contain_text("is saved")
    await expect(page.locator("form.edit-form")).to_have_count(0)
    await expect(page.locator(".edit-link").first).to_be_focused()
    await _search(page, "xyzzyword", "1 result")
    await expect(page.locator("[data-result]").first).to_have_text(f"{title} Xyzzyword")

    await page.locator("#change-notice").get_by_role("button", name="Undo").click()

    # The list follows by itself.
    await expect(page.locator("#status")).to_contain_text("No results")
    await expect(page.locator("#change-notice")).to_contain_text("undone")
    await _search(page, "wario land 3", "result")
    await expect(page.locator("[data-result]").first).to_have_text(title)


async def test_document_is_added_deleted_and_brought_back(open_page: OpenPage) -> None:
    page = await open_page()
    await _sign_in(page)
    await _go(page, "/c/demo_console_games?q=plughgame")
    await expect(page.locator("#status")).to_contain_text("No results")
    await page.get_by_role("link", name="New", exact=True).click()
    form = page.locator("form.edit-form")
    await form.locator("input:not([type=hidden])").first.fill("plugh/1")
    await form.get_by_label("Title", exact=True).fill("Plughgame")
    await page.get_by_role("button", name="Add").click()

    await expect(page.locator("#status")).to_contain_text("1 result")
    await page.locator("#results > .rows > li").get_by_role("link", name="Edit").click()
    await page.locator("form.edit-form").get_by_role("button", name="Delete").click()
    await expect(page.locator("#status")).to_contain_text("No results")
    await page.locator("#change-notice").get_by_role("button", name="Undo").click()
    await expect(page.locator("#status")).to_contain_text("1 result")

    await page.locator("[data-result]").first.click()
    await expect(page.get_by_role("heading", name="Plughgame")).to_be_visible()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.locator("#change-notice")).to_contain_text("is deleted")
    await expect(page).to_have_url(page.url.partition("/c/")[0] + "/c/demo_console_games")


async def test_what_is_typed_into_a_form_is_not_lost_to_a_search(open_page: OpenPage) -> None:
    page = await open_page()
    await _sign_in(page)
    await _go(page, "/c/demo_console_games?q=zelda")
    await page.locator("#results > .rows > li").first.get_by_role("link", name="Edit").click()
    title = page.locator("form.edit-form").get_by_label("Title", exact=True)
    await title.fill("Kept")

    await page.locator("#q").fill("mario")

    await expect(page.locator("#error-container")).to_contain_text("not saved")
    await expect(title).to_have_value("Kept")
    await page.locator("form.edit-form").get_by_role("link", name="Cancel").click()
    await expect(page.locator("form.edit-form")).to_have_count(0)
    await _search(page, "mario kart", "result")


async def test_what_was_refused_is_not_lost_to_a_search(open_page: OpenPage) -> None:
    page, other = await open_page(may_fail=True), await open_page()
    titles = []
    for one, name in ((page, "ann"), (other, "bob")):
        await _go(one, "/login")
        await _fill(one, name)
        await expect(one.locator(".account-switch")).to_be_visible()
        await _go(one, "/c/demo_console_games?q=wario+land+4")
        await one.locator("#results > .rows > li").first.get_by_role("link", name="Edit").click()
        titles.append(one.locator("form.edit-form").get_by_label("Title", exact=True))
    await titles[1].fill("Wario Land 4 of Bob")
    await other.get_by_role("button", name="Save").click()
    await expect(other.locator("#change-notice")).to_contain_text("is saved")
    await titles[0].fill("Wario Land 4 of Ann")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".conflict")).to_be_visible()

    await page.locator("#q").fill("mario")

    await expect(page.locator("#error-container")).to_contain_text("not saved")
    await expect(titles[0]).to_have_value("Wario Land 4 of Ann")
    await other.locator("#change-notice").get_by_role("button", name="Undo").click()
    await expect(other.locator("#change-notice")).to_contain_text("undone")


async def test_what_was_typed_when_the_session_ended_can_be_kept(open_page: OpenPage) -> None:
    page, other = await open_page(may_fail=True), await open_page()
    for one in (page, other):
        await _go(one, "/login")
        await _fill(one, "ida")
        await expect(one.locator(".account-switch")).to_be_visible()
    await _go(page, "/c/demo_console_games?q=zelda")
    await page.locator("#results > .rows > li").first.get_by_role("link", name="Edit").click()
    title = page.locator("form.edit-form").get_by_label("Title", exact=True)
    await title.fill("Kept")
    await _go(other, "/account")
    elsewhere = other.get_by_role("button", name="Sign out Chrome on Linux")
    # Other tests may have left some.
    for left in reversed(range(await elsewhere.count())):
        await elsewhere.first.click()
        await expect(elsewhere).to_have_count(left)
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    await page.get_by_role("button", name="Save").click()

    async with asyncio.timeout(15):
        while not asked:
            await page.wait_for_timeout(50)
    assert asked == ["beforeunload"]
    await expect(title).to_have_value("Kept")
    await other.locator(".account-switch").click()
    await other.get_by_role("button", name="Sign out", exact=True).click()
    await expect(other.locator(".account-switch")).to_have_count(0)


async def test_document_page_is_edited_and_undone_from_its_history(open_page: OpenPage) -> None:
    page = await open_page()
    await _sign_in(page)
    await _go(page, "/c/demo_console_games?q=metroid")
    await page.locator("[data-result]").first.click()
    title = await page.locator("#document h1").inner_text()
    await page.locator("#document").get_by_role("link", name="Edit").click()
    await page.locator("form.edit-form").get_by_label("Title", exact=True).fill("Frobozz")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#document h1")).to_have_text("Frobozz")

    await page.locator(".history summary").click()
    await expect(page.locator(".change").first).to_contain_text("Ann changed it")
    await page.locator(".change").get_by_role("button", name="Undo").click()

    await expect(page.locator("#document h1")).to_have_text(title)


async def test_editing_works_without_scripts(open_page: OpenPage) -> None:
    page = await open_page(java_script_enabled=False)
    await _sign_in(page)
    await _go(page, "/c/demo_console_games?q=castlevania")
    title = await page.locator("[data-result]").first.inner_text()
    await page.locator("#results > .rows > li").first.get_by_role("link", name="Edit").click()
    await page.get_by_label("Title", exact=True).fill("Nosferatuvania")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", name="Nosferatuvania")).to_be_visible()
    await expect(page.get_by_text("“Nosferatuvania” is saved.")).to_be_visible()

    await page.locator("#change-notice").get_by_role("button", name="Undo").click()

    await expect(page.get_by_role("heading", name=title)).to_be_visible()


@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}])
async def test_forms_have_no_accessibility_faults(open_page: OpenPage, options: dict[str, object]) -> None:
    page = await open_page(**options)
    await _sign_in(page)
    await _go(page, "/c/demo_console_games?q=zelda")
    await page.locator("#results > .rows > li").first.get_by_role("link", name="Edit").click()
    await expect(page.locator("form.edit-form")).to_be_visible()

    assert await _offences(page) == []
