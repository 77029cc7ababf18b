"""Imports and settings in a real browser, with JavaScript and without."""

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.browser.test_accessibility import PHONE, _offences
from tests.browser.test_accounts import _fill, _go

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Enough for an import to be seen at work; below the 1 MiB that this server takes.
ROW_COUNT = 12_000


def _file(name: str, row_count: int = ROW_COUNT) -> FilePayload:
    rows = "".join(f"r{number},Racing quest {number},Maker {number % 7}\n" for number in range(row_count))
    return {"name": name, "mimeType": "text/csv", "buffer": f"id,title,maker\n{rows}".encode()}


async def _sign_in(open_page: OpenPage, name: str, **options: object) -> Page:
    page = await open_page(**options)
    await _go(page, "/login")
    await _fill(page, name)
    await expect(page.locator(".account-switch")).to_be_visible()
    return page


async def _send(page: Page, file: FilePayload) -> None:
    await page.locator(".account-switch").click()
    await page.get_by_role("link", name="Imports", exact=True).click()
    await page.get_by_label("File", exact=True).set_input_files(file)
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name=file["name"])).to_be_visible()


async def _drop(page: Page, name: str) -> None:
    """Remove a collection, as other tests expect the demo alone."""
    await _go(page, f"/c/{name}/settings")
    await page.locator("#drop summary").click()
    await page.get_by_label("to confirm").fill(name)
    await page.get_by_role("button", name="Remove it for good").click()
    await expect(page.locator("#drop")).to_have_count(0)


@pytest.mark.parametrize(("name", "has_scripts"), [("scripted", True), ("plain", False)])
async def test_file_is_sent_changed_watched_and_searched(open_page: OpenPage, name: str, *, has_scripts: bool) -> None:
    page = await _sign_in(open_page, "eve", java_script_enabled=has_scripts)
    await _send(page, _file(f"{name}.csv"))
    await expect(page.get_by_label("Collection")).to_have_value(name)
    await expect(page.get_by_label("Role of maker")).to_have_value("facet")
    await page.get_by_label("Role of maker").focus()
    await page.get_by_label("Role of maker").select_option("hidden")
    if has_scripts:
        await expect(page.locator("tr", has_text="maker").get_by_text("chosen by you")).to_be_visible()
        # What was chosen has kept the focus, though the form was made anew.
        await expect(page.get_by_label("Role of maker")).to_be_focused()

    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.get_by_role("progressbar")).to_be_visible()
    await expect(page.get_by_role("heading", name=f"{name}.csv: done")).to_be_visible(timeout=60_000)
    await expect(page.locator(".counts")).to_contain_text("12,000")
    await page.get_by_role("link", name="Search the rows").click()
    await page.locator("#q").fill("777")
    if not has_scripts:
        await page.keyboard.press("Enter")
    await expect(page.locator("#results mark").first).to_have_text("777")
    await expect(page.locator("#facets")).not_to_contain_text("Maker")

    await _drop(page, name)


async def test_what_would_change_is_told_before_anything_does(open_page: OpenPage) -> None:
    page = await _sign_in(open_page, "eve", may_fail=True)  # the 404 at the end
    await _send(page, _file("small.csv", 20))
    await page.get_by_label("Collection").press("Enter")  # what would be started could not be compared
    await page.get_by_role("button", name="See what would change").click()
    await expect(page.get_by_text("new: 20")).to_be_visible(timeout=60_000)
    await _go(page, "/c/small")

    await expect(page.get_by_role("heading", name="Not found")).to_be_visible()


async def test_settings_are_tried_while_they_are_typed_and_saved_at_last(open_page: OpenPage) -> None:
    page = await _sign_in(open_page, "eve")
    await _go(page, "/c/demo_console_games")
    await page.get_by_role("link", name="Settings of Demo console games").click()
    await page.get_by_label("Try it on a query").fill("mario")
    await expect(page.get_by_role("heading", name="Before")).to_be_visible()
    await expect(page.get_by_text("The first results are the same.")).to_be_visible()
    weight = page.get_by_label("What ten times as popular adds")
    await weight.fill("100")
    await expect(page.get_by_text("places would change")).to_be_visible()

    # The caret stays where one types, and nothing is saved, by Enter neither.
    await expect(weight).to_be_focused()
    await page.get_by_label("Try it on a query").press("Enter")
    await expect(page).to_have_url(re.compile(r"\?.*try=mario"))
    await expect(weight).to_have_value("100")
    await _go(page, "/c/demo_console_games/settings")
    await expect(weight).to_have_value("1")


async def test_settings_are_compared_without_javascript(open_page: OpenPage) -> None:
    page = await _sign_in(open_page, "eve", java_script_enabled=False)
    await _go(page, "/c/demo_console_games")
    await page.get_by_role("link", name="Settings of Demo console games").click()
    await page.get_by_label("Try it on a query").fill("mario")
    await page.get_by_label("What ten times as popular adds").fill("100")
    await page.get_by_role("button", name="Compare").click()

    await expect(page.get_by_text("places would change")).to_be_visible()
    assert "csrf_token" not in page.url


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}, {"viewport": PHONE}])
async def test_axe_finds_nothing_on_imports_and_settings(open_page: OpenPage, options: dict[str, object]) -> None:
    page = await _sign_in(open_page, "eve", **options)
    found = {}
    await _go(page, "/imports")
    found["imports"] = await _offences(page)
    await page.get_by_label("File", exact=True).set_input_files(_file("looked-at.csv", 20))
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_role("heading", name="looked-at.csv")).to_be_visible()
    found["draft"] = await _offences(page)
    widths = [await page.evaluate("document.documentElement.scrollWidth - innerWidth")]
    await _go(page, "/c/demo_console_games/settings?try=mario")
    found["settings"] = await _offences(page)
    widths.append(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    assert found == {"imports": [], "draft": [], "settings": []}
    # Only tables scroll sideways.
    assert max(widths) <= 0
