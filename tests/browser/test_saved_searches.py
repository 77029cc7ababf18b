"""Coming back to a search: save it, have a row added elsewhere, and see what is new, with JavaScript and without."""

import re
from collections.abc import Awaitable, Callable, Iterator
from itertools import count

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import PutDocument
from tests.browser.test_accessibility import PHONE, _offences
from tests.browser.test_shortlist import go, sign_in

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")

# One title for each test: they share a store.
_TITLES: Iterator[str] = (f"Quuxian Quest {number}" for number in count(1))


@pytest.mark.parametrize("has_scripts", [True, False])
async def test_saved_search_tells_of_a_row_from_elsewhere(
    open_page: OpenPage, put_document: PutDocument, *, has_scripts: bool
) -> None:
    title = next(_TITLES)
    page = await open_page(java_script_enabled=has_scripts, may_fail=True)
    await sign_in(page)
    await go(page, "/c/demo_console_games")
    await page.locator("#q").fill("quuxian quest")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("quuxian"))

    await page.locator(".save-switch").click()
    await page.get_by_label("Name").fill(title)
    await page.get_by_role("button", name="Save", exact=True).click()
    if has_scripts:
        await page.get_by_role("link", name="dashboard", exact=True).click()
    row = page.locator("#saved-searches li").filter(has=page.get_by_role("link", name=title, exact=True))
    await expect(row).to_be_visible()
    await expect(row.locator(".news")).to_have_count(0)
    await put_document(f"new/{title}", {"title": title})
    await page.reload()

    # Enter in the name saves the name, and takes no news as seen.
    await row.get_by_text("Change").click()
    await row.get_by_label("Name").press("Enter")
    await row.get_by_role("button", name="1 new").click()
    await expect(page.locator(".rows .row-title")).to_have_text([title])
    await page.get_by_role("link", name="Dashboard").first.click()
    await expect(row.locator(".news")).to_have_count(0)
    await row.get_by_text("Change").click()
    await row.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("link", name=title, exact=True)).to_have_count(0)


async def test_what_is_saved_is_what_was_typed_last(open_page: OpenPage) -> None:
    page = await open_page("?q=zelda")
    await sign_in(page, "Bob")
    await go(page, "/c/demo_console_games?q=zelda")
    await page.locator("#q").fill("mario kart")
    await expect(page.locator("#status")).to_contain_text("mario kart")

    await page.locator(".save-switch").click()
    await page.get_by_role("button", name="Save", exact=True).click()

    await expect(page.get_by_text("Saved as mario kart")).to_be_visible()
    assert await _offences(page) == []


@pytest.mark.parametrize(("viewport", "scheme"), [({"width": 1280, "height": 900}, "light"), (PHONE, "dark")])
async def test_dashboard_has_no_barrier(
    open_page: OpenPage, put_document: PutDocument, viewport: dict[str, int], scheme: str
) -> None:
    page = await open_page(viewport=viewport, color_scheme=scheme)
    await sign_in(page, "Zoë")
    await go(page, "/dashboard")
    assert await _offences(page) == []
    await go(page, "/c/demo_console_games?q=quuxian")
    await page.locator(".save-switch").click()
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_role("link", name="dashboard", exact=True)).to_be_visible()
    title = next(_TITLES)
    await put_document(f"new/{title}", {"title": title})

    await go(page, "/dashboard")
    await page.get_by_text("Change").first.click()

    assert await _offences(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="1 new").first.click()
    await expect(page.get_by_text("when you last looked")).to_be_visible()
    assert await _offences(page) == []
