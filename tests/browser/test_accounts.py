"""Signing in and out in a real browser, with JavaScript and without; what axe finds on the pages of accounts."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_accessibility import PHONE, _offences

OpenPage = Callable[..., Awaitable[Page]]

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "correct horse"


async def _go(page: Page, path: str) -> None:
    parts = urlsplit(page.url)
    await page.goto(f"{parts.scheme}://{parts.netloc}{path}")


async def _fill(page: Page, name: str = "ann", password: str = PASSWORD) -> None:
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.keyboard.press("Enter")


@pytest.mark.parametrize("has_scripts", [True, False])
async def test_sign_in_returns_and_sign_out_forgets(open_page: OpenPage, *, has_scripts: bool) -> None:
    page = await open_page("?q=zelda", java_script_enabled=has_scripts)
    await page.get_by_role("link", name="Sign in").click()
    await _fill(page)
    await expect(page.locator("#q")).to_have_value("zelda")

    await page.locator(".account-switch").click()
    await page.get_by_role("link", name="Account", exact=True).click()
    await expect(page.get_by_role("heading", name="Ann")).to_be_visible()
    await page.locator(".account-switch").click()
    await page.get_by_role("button", name="Sign out").first.click()

    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_sign_in_comes_back_to_what_was_typed_last(open_page: OpenPage) -> None:
    page = await open_page()
    await page.locator("#q").fill("zelda")
    await expect(page.locator("#status")).to_contain_text("21 results")

    await page.get_by_role("link", name="Sign in").click()
    await _fill(page)

    await expect(page.locator("#status")).to_contain_text("21 results")


@pytest.mark.parametrize("has_scripts", [True, False])
async def test_wrong_password_keeps_the_name(open_page: OpenPage, *, has_scripts: bool) -> None:
    page = await open_page(java_script_enabled=has_scripts, may_fail=True)
    await _go(page, "/login")

    await _fill(page, password="wrong horse")

    await expect(page.get_by_text("The name or the password is wrong.")).to_be_visible()
    await expect(page.get_by_label("Name")).to_have_value("ann")
    await expect(page.get_by_label("Password")).to_be_focused()


@pytest.mark.parametrize(("name", "has_scripts"), [("zoë", True), ("bob", False)])
async def test_session_that_ended_leads_through_sign_in_and_back(
    open_page: OpenPage, name: str, *, has_scripts: bool
) -> None:
    here = await open_page(java_script_enabled=has_scripts, may_fail=True)
    there = await open_page()
    for page in (here, there):
        await _go(page, "/login")
        await _fill(page, name)
        await expect(page.locator(".account-switch")).to_be_visible()
        await _go(page, "/account")
    await there.get_by_role("button", name="Sign out Chrome on Linux").click()
    await expect(there.get_by_role("button", name="Sign out Chrome on Linux")).to_have_count(0)

    await here.get_by_text("New token").click()
    await here.get_by_label("What it is for").fill("nightly")
    await here.get_by_role("button", name="Create token").click()
    await _fill(here, name)

    await expect(here.get_by_role("heading", name="API tokens")).to_be_visible()


async def test_page_whose_token_has_expired_sends_again_what_was_typed(open_page: OpenPage) -> None:
    page = await open_page(may_fail=True)
    await _go(page, "/login")
    await page.context.clear_cookies()
    await _fill(page)
    await expect(page.get_by_text("This page has expired")).to_be_visible()
    await expect(page.get_by_label("Name")).to_have_value("ann")

    await page.get_by_role("button", name="Sign in").click()

    await expect(page.locator(".account-switch")).to_be_visible()


async def test_page_without_scripts_offers_to_send_again(open_page: OpenPage) -> None:
    page = await open_page(java_script_enabled=False, may_fail=True)
    await _go(page, "/login")
    await page.context.clear_cookies()
    await _fill(page)

    await page.get_by_role("button", name="Send again").click()

    await expect(page.get_by_label("Name")).to_have_value("ann")
    await expect(page.get_by_text("Give your password.")).to_be_visible()


async def test_cached_page_fetches_a_token_for_its_first_change(open_page: OpenPage) -> None:
    page = await open_page(may_fail=True)
    assert await page.locator("meta[name=csrf-token]").get_attribute("content") == ""

    # /logout stands for whatever a visitor may change: it needs a token and nothing else.
    async with page.expect_navigation(), page.expect_response("**/logout") as sent:
        await page.evaluate("() => { htmx.ajax('POST', '/logout', { target: '#announcer' }); }")

    answer = await sent.value
    assert answer.status == 200
    assert "x-csrftoken" in answer.request.headers


async def test_token_is_made_and_revoked_by_keyboard(open_page: OpenPage) -> None:
    page = await open_page()
    await _go(page, "/login")
    await _fill(page)
    await expect(page.locator(".account-switch")).to_be_visible()
    await _go(page, "/account")

    await page.get_by_text("New token").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type("nightly")
    await page.keyboard.press("Enter")

    await expect(page.get_by_label("Your new token")).to_have_value("lst_" + await _rest(page))
    await expect(page.get_by_label("Your new token")).to_be_focused()
    await page.get_by_role("button", name="Revoke nightly").press("Enter")
    await expect(page.get_by_role("button", name="Revoke nightly")).to_have_count(0)


async def _rest(page: Page) -> str:
    field = page.get_by_label("Your new token")
    await field.wait_for()
    return (await field.input_value()).removeprefix("lst_")


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", {"width": 1280, "height": 900}), ("dark", PHONE)], ids=["desk", "phone"]
)
async def test_axe_finds_nothing_on_the_pages_of_accounts(
    open_page: OpenPage, scheme: str, viewport: dict[str, int]
) -> None:
    page = await open_page(color_scheme=scheme, viewport=viewport, may_fail=True)
    await _go(page, "/login")
    await _fill(page, password="wrong")
    await expect(page.get_by_text("is wrong")).to_be_visible()
    offences = {"refused": await _offences(page)}
    await _fill(page)
    await expect(page.locator(".account-switch")).to_be_visible()
    await _go(page, "/account")
    await page.get_by_text("New token").click()
    await page.get_by_text("Delete my account").click()
    # What has scrolled under the header is covered, not too small.
    await page.evaluate("scrollTo(0, 0)")
    await page.locator(".account-switch").click()
    await expect(page.get_by_role("button", name="Sign out", exact=True)).to_be_visible()
    offences["account"] = await _offences(page)

    assert offences == {"refused": [], "account": []}


async def test_account_fits_a_phone(open_page: OpenPage) -> None:
    page = await open_page(viewport=PHONE, has_touch=True)
    await _go(page, "/login")
    await _fill(page)
    await expect(page.locator(".account-switch")).to_be_visible()
    await _go(page, "/account")
    await page.get_by_text("New token").tap()
    small = await page.evaluate("""() => [...document.querySelectorAll('button, summary, header a, input, select')]
      .filter((element) => element.checkVisibility() && !element.matches('.brand, [type=hidden]'))
      .map((element) => [element.outerHTML, Math.round(element.getBoundingClientRect().height)])
      .filter(([, height]) => height < 44)""")
    await page.set_viewport_size({"width": 320, "height": 700})
    sideways = await page.evaluate("document.documentElement.scrollWidth - innerWidth")

    assert (sideways, small) == (0, [])
