"""The same search with JavaScript switched off."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, expect

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def open_plain(open_page: OpenPage) -> OpenPage:
    async def open_plain(address: str = "", **options: object) -> Page:
        return await open_page(address, java_script_enabled=False, **options)

    return open_plain


async def test_search_is_a_form(open_plain: OpenPage) -> None:
    page = await open_plain()

    await page.locator("#q").fill("zelda")
    await page.get_by_role("button", name="Search").click()

    await expect(page.locator("#status")).to_contain_text("21 results for “zelda”")


async def test_facets_and_ranges_apply(open_plain: OpenPage) -> None:
    page = await open_plain("?q=zelda")

    await page.locator('[name="f.maker"][value="Nintendo"]').check()
    await page.get_by_label("Year to").fill("1988")
    await page.get_by_role("button", name="Apply filters").click()

    await expect(page.locator("#status")).to_contain_text("2 results for “zelda”")
    await expect(page.locator(".chip")).to_have_count(2)


async def test_chip_is_removed(open_plain: OpenPage) -> None:
    page = await open_plain("?q=zelda&f.maker=Nintendo")

    await page.locator(".chip").click()

    await expect(page.locator("#status")).to_contain_text("21 results for “zelda”")


async def test_facet_shows_all_values(open_plain: OpenPage) -> None:
    page = await open_plain()

    await page.get_by_role("link", name="Show all 36 values of Platform").click()

    options = page.locator("details.facet", has_text="Platform").first.get_by_role("checkbox")
    await expect(options).to_have_count(36)


async def test_pages_and_documents_are_links(open_plain: OpenPage) -> None:
    page = await open_plain("?q=mario")

    await page.get_by_role("link", name="Next").click()
    await expect(page.locator("#status")).to_contain_text("page 2 of")
    await page.locator("[data-result]").first.click()
    await page.get_by_role("link", name="Results for “mario”").click()

    await expect(page.locator("#status")).to_contain_text("page 2 of")


async def test_sort_is_sent_with_the_form(open_plain: OpenPage) -> None:
    page = await open_plain("?q=zelda")

    await page.get_by_label("Sort").select_option("-year")
    await page.get_by_role("button", name="Search").click()

    await expect(page.locator(".row-meta").first).to_contain_text("2004")


async def test_phone_opens_filters(open_plain: OpenPage) -> None:
    page = await open_plain("?q=zelda", viewport={"width": 390, "height": 844})
    facets = page.locator("#facets")
    await expect(facets).to_be_hidden()

    await page.locator("#filters-switch summary").click()

    await expect(facets).to_be_visible()


async def test_nothing_is_shown_that_needs_scripts(open_plain: OpenPage) -> None:
    page = await open_plain()

    await expect(page.locator(".display-menu")).to_be_hidden()
    await expect(page.locator(".shortcut-hint")).to_be_hidden()
