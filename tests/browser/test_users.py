"""Users administration in a real browser, with JavaScript and without, and what axe finds there."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.test_accessibility import PHONE, _offences
from tests.browser.test_accounts import _fill, _go

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _open_users(open_page: OpenPage, **options: object) -> Page:
    """The list of users, as the administrator has it."""
    page = await open_page(**options)
    await _go(page, "/login")
    await _fill(page, "eve")
    await page.locator(".account-switch").click()
    await page.get_by_role("link", name="Users", exact=True).click()
    await expect(page.get_by_role("heading", name="Users")).to_be_visible()
    return page


@pytest.mark.parametrize(("name", "has_scripts"), [("Mia Scripted", True), ("Mia Plain", False)])
async def test_user_is_made_found_changed_disabled_and_deleted(
    open_page: OpenPage, name: str, *, has_scripts: bool
) -> None:
    page = await _open_users(open_page, java_script_enabled=has_scripts)
    await page.get_by_text("New user").click()
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("E-mail (optional)").fill("mia@example.com")
    await page.get_by_label("Initial password").fill("correct horse")
    await page.get_by_role("button", name="Add user").click()
    await expect(page.get_by_text(f"{name} is added.")).to_be_visible()

    await _go(page, "/users")
    await page.get_by_role("searchbox").fill(name.lower())
    if not has_scripts:
        await page.get_by_role("button", name="Search").click()
    await expect(page.locator("#status")).to_contain_text(f"1 user for “{name.lower()}”")
    await page.get_by_role("link", name=name).click()

    await page.get_by_role("link", name="Edit", exact=True).click()
    await page.locator(".user.is-open").get_by_label("Role").select_option("editor")
    await page.get_by_label("Groups (optional)").fill("Sales")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("The changes are saved.")).to_be_visible()
    await expect(page.locator(".user.is-open .facts")).to_contain_text("Editor")
    await expect(page.locator(".user.is-open .facts")).to_contain_text("Sales")

    await page.get_by_role("button", name="Disable").click()
    await expect(page.get_by_text("Disabled", exact=True)).to_be_visible()
    await page.locator("summary", has_text="Delete").click()
    await page.get_by_role("button", name=f"Delete {name} for good").click()
    await expect(page.get_by_text(f"{name} is deleted.")).to_be_visible()
    await expect(page.get_by_role("link", name=name)).to_have_count(0)


async def test_list_follows_letters_and_new_users_and_focus_is_never_lost(open_page: OpenPage) -> None:
    page = await _open_users(open_page, may_fail=True)
    status = page.locator("#status")
    await page.locator("#q").press_sequentially("zoe", delay=20)
    await expect(status).to_have_text("1 user for “zoe”")
    await expect(page).to_have_url(re.compile(r"/users\?q=zoe$"))

    await page.keyboard.press("ArrowDown")
    await expect(page.get_by_role("link", name="Zoë")).to_be_focused()

    await page.get_by_text("New user").click()
    await page.get_by_label("Name", exact=True).fill("Zoe the Second")
    await page.get_by_label("Initial password").fill("short")
    # Past the browser's own look at it.
    await page.locator("#new-user form").evaluate("(form) => { form.noValidate = true; }")
    await page.keyboard.press("Enter")
    await expect(page.locator("#new-user [aria-invalid]")).to_be_focused()
    await expect(page.get_by_label("Name", exact=True)).to_have_value("Zoe the Second")
    await page.get_by_label("Initial password").fill("correct horse")
    await page.keyboard.press("Enter")

    await expect(status).to_have_text("2 users for “zoe”")
    await expect(page.get_by_text("Zoe the Second is added.")).to_be_focused()
    await page.get_by_role("link", name="Zoe the Second").press("Enter")
    await page.get_by_role("link", name="Edit", exact=True).press("Enter")
    await expect(page.get_by_label("Name", exact=True).last).to_be_focused()
    await page.get_by_role("link", name="Cancel").press("Enter")
    await expect(page.get_by_role("link", name="Edit", exact=True)).to_be_focused()
    await page.get_by_role("link", name="Close Zoe the Second").press("Enter")
    await expect(page.get_by_role("link", name="Zoe the Second")).to_be_focused()


async def test_a_form_sent_again_before_its_first_answer_shows_the_second(open_page: OpenPage) -> None:
    page = await _open_users(open_page, may_fail=True)

    async def delay(route: Route) -> None:
        await asyncio.sleep(0.5)
        await route.continue_()

    await page.route("**/users", delay)
    await page.get_by_text("New user").click()
    await page.get_by_label("Name", exact=True).fill("Hasty")
    await page.get_by_label("Initial password").fill("short")
    await page.locator("#new-user form").evaluate("(form) => { form.noValidate = true; }")
    await page.keyboard.press("Enter")
    await page.get_by_label("Initial password").fill("correct horse")
    await page.keyboard.press("Enter")

    await expect(page.get_by_text("Hasty is added.")).to_be_focused()


async def test_last_administrator_is_told_why_they_stay(open_page: OpenPage) -> None:
    page = await _open_users(open_page, may_fail=True)
    await page.get_by_role("link", name="Eve").click()
    await page.get_by_role("link", name="Edit", exact=True).click()
    await page.locator(".user.is-open").get_by_label("Role").select_option("viewer")

    await page.get_by_role("button", name="Save").click()

    await expect(page.locator("#error-container")).to_contain_text("“Eve” is the only administrator who can sign in")
    await expect(page.locator(".user.is-open").get_by_label("Role")).to_have_value("viewer")


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", {"width": 1280, "height": 900}), ("dark", PHONE)], ids=["desk", "phone"]
)
async def test_axe_finds_nothing_where_users_are_administered(
    open_page: OpenPage, scheme: str, viewport: dict[str, int]
) -> None:
    page = await _open_users(open_page, color_scheme=scheme, viewport=viewport)
    await page.get_by_text("New user").click()
    await page.get_by_role("link", name="Zoë").click()
    await page.get_by_text("Reset password").click()
    await page.get_by_role("link", name="Bob").click()
    await page.get_by_role("link", name="Edit", exact=True).last.click()
    await expect(page.get_by_role("heading", name="Edit")).to_have_count(1)
    offences = {"list": await _offences(page)}
    await page.set_viewport_size({"width": 320, "height": 700})
    sideways = [await page.evaluate("document.documentElement.scrollWidth - innerWidth")]
    await page.set_viewport_size(viewport)  # type: ignore[arg-type]  # a dictionary like any
    await _go(page, "/api/docs")
    await page.locator("#api-search summary").click()
    offences["api"] = await _offences(page)
    await page.set_viewport_size({"width": 320, "height": 700})
    sideways.append(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))

    assert offences == {"list": [], "api": []}
    assert sideways == [0, 0]


async def test_what_is_typed_of_a_user_is_not_lost_to_a_search_or_a_new_user(open_page: OpenPage) -> None:
    page = await _open_users(open_page, may_fail=True)
    await page.get_by_role("link", name="Jon").click()
    await page.get_by_role("link", name="Edit", exact=True).click()
    email = page.locator(".user.is-open").get_by_label("E-mail")
    await email.fill("kept@example.com")

    await page.locator("#q").fill("bob")
    await expect(page.locator("#error-container")).to_contain_text("not saved")
    await page.locator("#new-user-switch").click()
    new = page.locator("#new-user")
    await new.get_by_label("Name").fill("Quuxuser")
    await new.get_by_label("Initial password").fill("correct horse")
    await new.get_by_role("button", name="Add user").click()
    await expect(page.get_by_text("Quuxuser is added.")).to_be_visible()

    await expect(email).to_have_value("kept@example.com")
    await page.locator(".user.is-open").get_by_role("link", name="Cancel").click()
