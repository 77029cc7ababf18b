"""Signing in and out, and one's own account, as browsers do it: with htmx and without."""

import html
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from itsdangerous import TimestampSigner

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.domain import UserRole
from livesearch.services.accounts import AccountService
from livesearch.web.addresses import checked_next, client_address
from livesearch.web.presenters.accounts import describe_browser
from tests.web.conftest import GAMES, HTMX, make_store, serving

PASSWORD = "correct horse"

SignIn = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    store = make_store(tmp_path_factory.mktemp("accounts"), games=GAMES[:3])
    return store.model_copy(update={"registration": "open", "query_timeout_ms": 20_000})


@pytest.fixture(scope="module")
def app(settings: Settings) -> LivesearchApp:
    return create_app(settings)


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as client:
        # What a test tried too often must not hold up the next.
        accounts = app.services.accounts
        fresh = AccountService(app.services.transactions, app.services.sessions)
        for name in ("_of_all", "_of_address", "_of_name", "_new_accounts"):
            setattr(accounts, name, getattr(fresh, name))
        for user in await accounts.list_all():
            await accounts.delete(user.name)
        await accounts.add("Ann", PASSWORD, role=UserRole.EDITOR)
        yield client


def token_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


@pytest.fixture
def sign_in(client: httpx.AsyncClient) -> SignIn:
    async def sign_in(
        name: str = "ann", password: str = PASSWORD, then: str = "", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        token = token_of(await client.get("/login"))
        form = {"csrf_token": token, "name": name, "password": password, "next": then}
        return await client.post("/login", data=form, headers=headers)

    return sign_in


async def send(
    client: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None, **form: str
) -> httpx.Response:
    token = token_of(await client.get("/account"))
    return await client.post(path, data={"csrf_token": token, **form}, headers=headers)


async def test_visitors_get_no_cookie_and_pages_that_caches_may_keep(client: httpx.AsyncClient) -> None:
    page = await client.get("/c/games?q=zelda")

    assert '<a class="sign-in-link"' in page.text
    assert "Set-Cookie" not in page.headers
    assert "Cookie" not in page.headers["Vary"]


async def test_visitors_cost_no_look_at_sessions(
    app: LivesearchApp, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.services.sessions.__class__, "find", None)

    assert (await client.get("/c/games?q=zelda")).status_code == 200


async def test_sign_in_leads_back_to_where_one_was(client: httpx.AsyncClient, sign_in: SignIn) -> None:
    page = await client.get("/login", headers={"Referer": "http://localhost/c/games?q=zelda"})

    answer = await sign_in(then="/c/games?q=zelda")

    assert 'value="/c/games?q=zelda"' in page.text
    assert (answer.status_code, answer.headers["Location"]) == (303, "/c/games?q=zelda")
    there = await client.get("/c/games?q=zelda")
    assert "Account of Ann" in there.text
    assert there.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in there.headers["Vary"]


async def test_sign_in_by_htmx_leads_to_the_page(sign_in: SignIn) -> None:
    answer = await sign_in(then="/c/games", headers=HTMX)

    assert (answer.status_code, answer.headers["HX-Redirect"], answer.text) == (200, "/c/games", "")


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"name": "ann", "password": "wrong horse"}, "The name or the password is wrong."),
        ({"name": "nobody", "password": PASSWORD}, "The name or the password is wrong."),
        ({"name": "", "password": PASSWORD}, "Give your name."),
        ({"name": "ann", "password": ""}, "Give your password."),
        ({}, "Give your name."),
    ],
)
async def test_sign_in_that_fails_says_why_beside_the_field(
    client: httpx.AsyncClient, form: dict[str, str], fault: str
) -> None:
    data = {"csrf_token": token_of(await client.get("/login")), **form}

    page = await client.post("/login", data=data)
    fragment = await client.post("/login", data=data, headers=HTMX)

    assert (page.status_code, fragment.status_code) == (422, 422)
    assert page.text.startswith("<!DOCTYPE html>")
    assert fragment.text.lstrip().startswith("<form")
    assert fault in page.text
    assert fault in fragment.text
    assert 'aria-invalid="true"' in fragment.text
    assert PASSWORD not in page.text
    assert (await client.get("/account")).status_code == 303


async def test_too_many_attempts_say_when_to_come_back(sign_in: SignIn) -> None:
    for _ in range(10):
        await sign_in(password="wrong horse")

    page, fragment = await sign_in(), await sign_in(headers=HTMX)

    assert (page.status_code, fragment.status_code) == (429, 429)
    assert 290 <= int(page.headers["Retry-After"]) <= 300
    assert "Try again in 5 minutes." in page.text
    assert fragment.headers["HX-Retarget"] == "#error-container"


async def test_cookie_is_kept_from_scripts_and_other_sites(sign_in: SignIn) -> None:
    cookie = (await sign_in()).headers["Set-Cookie"]

    assert cookie.startswith("livesearch=")
    assert {"HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert "Domain" not in cookie


async def test_asvs_3_3_1_cookie_is_bound_to_the_host_over_https(client: httpx.AsyncClient) -> None:
    page = await client.get("https://localhost/login")

    cookie = page.headers["Set-Cookie"]
    assert cookie.startswith("__Host-livesearch=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
    form = {"csrf_token": token_of(page), "name": "ann", "password": PASSWORD}
    answer = await client.post("https://localhost/login", data=form, headers={"Referer": "https://localhost/login"})
    assert answer.status_code == 303
    assert (await client.get("https://localhost/account")).status_code == 200


async def test_asvs_7_2_4_session_is_another_after_sign_in(client: httpx.AsyncClient, sign_in: SignIn) -> None:
    await client.get("/login")
    before = client.cookies["livesearch"]
    await sign_in()
    first = client.cookies["livesearch"]
    await send(client, "/login", name="ann", password=PASSWORD)

    assert len({before, first, client.cookies["livesearch"]}) == 3
    client.cookies.clear()
    old = await client.get("/account", headers={"Cookie": f"livesearch={first}"})
    assert old.status_code == 303


async def test_sign_out_ends_the_session_on_the_server(client: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in()
    cookie = client.cookies["livesearch"]

    answer = await send(client, "/logout")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert "livesearch" not in client.cookies
    stolen = await client.get("/account", headers={"Cookie": f"livesearch={cookie}"})
    assert stolen.status_code == 303


async def test_session_that_ended_leads_through_sign_in_and_back(
    app: LivesearchApp, client: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in()
    await app.services.accounts.set_password("ann", PASSWORD)

    page = await client.get("/account?a=1")
    fragment = await client.get("/account", headers={**HTMX, "HX-Current-URL": "http://localhost/c/games?q=x"})
    poll = await client.get("/account", headers={**HTMX, "X-Poll": "1"})

    assert (page.status_code, page.headers["Location"]) == (303, "/login?next=/account?a%3D1")
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (401, "/login?next=/c/games?q%3Dx")
    assert (poll.status_code, poll.text, "HX-Redirect" in poll.headers) == (204, "", False)
    assert "no-store" in page.headers["Cache-Control"]


async def test_form_of_a_session_that_ended_is_not_taken(
    app: LivesearchApp, client: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in()
    token = token_of(await client.get("/account"))
    await app.services.accounts.set_password("ann", PASSWORD)

    answer = await client.post(
        "/account/tokens",
        data={"csrf_token": token, "token_name": "x"},
        headers={"Referer": "http://localhost/account"},
    )

    assert (answer.status_code, answer.headers["Location"]) == (303, "/login?next=/account")


@pytest.mark.parametrize("cookie", ["junk", "", "eyJfdXNlcl9pZCI6ImEifQ.aaaa.bbbb"])
async def test_cookie_that_is_no_session_makes_a_visitor(client: httpx.AsyncClient, cookie: str) -> None:
    page = await client.get("/c/games", headers={"Cookie": f"livesearch={cookie}"})

    assert page.status_code == 200
    assert "sign-in-link" in page.text


@pytest.mark.parametrize(("ahead", "is_known"), [(50, True), (3600, False)])
async def test_cookie_signed_by_a_clock_that_is_ahead_is_known(
    app: LivesearchApp,
    client: httpx.AsyncClient,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    *,
    ahead: int,
    is_known: bool,
) -> None:
    now = int(datetime.now(UTC).timestamp())
    with monkeypatch.context() as patched:
        patched.setattr(TimestampSigner, "get_timestamp", lambda _: now + ahead)
        await sign_in()

    page = await client.get("/account")

    assert (page.status_code == 200) is is_known
    assert app.config["PERMANENT_SESSION_LIFETIME"] == timedelta(days=14).total_seconds()


async def test_who_has_signed_in_need_not_again(client: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in()

    answer = await client.get("/login?next=/c/games")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/c/games")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/c/games?q=a&b=%2F", "/c/games?q=a&b=%2F"),
        ("/", "/"),
        ("/c/games#results", "/c/games"),
        (None, "/"),
        ("", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("http://evil.example/", "/"),
        ("https:evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("c/games", "/"),
        (" //evil.example", "/"),
        ("//[", "/"),
        ("/login?next=/login", "/"),
        ("/setup", "/"),
    ],
)
def test_asvs_3_7_2_only_paths_of_this_site_are_gone_to(app: LivesearchApp, text: str | None, path: str) -> None:
    with app.test_request_context():
        assert checked_next(text) == path


@pytest.mark.parametrize(
    ("address", "counted"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"), ("", ""), ("unix:", "unix:")],
)
def test_attempts_are_counted_by_network(app: LivesearchApp, address: str, counted: str) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert client_address() == counted


async def test_account_shows_what_is_ones_own(client: httpx.AsyncClient, sign_in: SignIn) -> None:
    await sign_in()

    page = await client.get("/account")

    assert page.headers["Cache-Control"] == "no-store"
    assert "Editor" in page.text
    assert page.text.count("This browser") == 1


@pytest.mark.parametrize("headers", [{}, HTMX])
async def test_password_is_changed_and_other_browsers_are_out(
    app: LivesearchApp, client: httpx.AsyncClient, sign_in: SignIn, headers: dict[str, str]
) -> None:
    elsewhere = await app.services.accounts.sign_in("ann", PASSWORD, address="")
    await sign_in()

    answer = await send(
        client, "/account", headers, current_password=PASSWORD, new_password="another horse", next="//evil"
    )

    assert "/account" in {answer.headers.get("Location"), answer.headers.get("HX-Redirect")}
    assert "The password is changed." in (await client.get("/account")).text
    assert "The password is changed." not in (await client.get("/account")).text
    assert await app.services.sessions.find(elsewhere) is None


@pytest.mark.parametrize(
    ("current", "new", "fault"),
    [
        ("wrong horse", "another horse", "This is not your password."),
        (PASSWORD, "short", "8 characters or more"),
        (PASSWORD, "password1", "first that are guessed"),
        (PASSWORD, "", "Choose a new password."),
    ],
)
async def test_password_that_cannot_be_changed_says_why(
    client: httpx.AsyncClient, sign_in: SignIn, current: str, new: str, fault: str
) -> None:
    await sign_in()

    page = await send(client, "/account", current_password=current, new_password=new)
    fragment = await send(client, "/account", HTMX, current_password=current, new_password=new)

    assert (page.status_code, fragment.status_code) == (422, 422)
    assert fault in page.text
    assert fault in fragment.text
    assert fragment.text.lstrip().startswith('<section id="password"')
    assert "another horse" not in page.text


@pytest.mark.parametrize("headers", [{}, HTMX])
async def test_token_is_shown_once_and_revoked(
    client: httpx.AsyncClient, sign_in: SignIn, headers: dict[str, str]
) -> None:
    await sign_in()

    made = await send(
        client, "/account/tokens", headers, token_name="nightly", scope="edit", collection="games", days="30"
    )
    secret = re.findall(r"lst_[\w-]{43}", made.text)
    page = await client.get("/account")
    found = await client.get("/api/v1/collections/games", headers={"Authorization": f"Bearer {secret[0]}"})
    (revoke,) = set(re.findall(r'action="(/account/tokens/\d+/revoke)"', page.text))
    gone = await send(client, revoke, headers)
    refused = await client.get("/api/v1/collections/games", headers={"Authorization": f"Bearer {secret[0]}"})
    again = await send(client, revoke, headers)

    assert (made.status_code, len(secret)) == (200, 1)
    assert "nightly" in page.text
    assert secret[0] not in page.text
    assert (found.status_code, refused.status_code) == (200, 401)
    assert gone.status_code == (200 if headers else 303)
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"token_name": "", "scope": "search"}, "Say what it is for."),
        ({"token_name": "x", "scope": "admin"}, "Not a valid choice"),
        ({"token_name": "x", "scope": "search", "collection": "nonsense"}, "Not a valid choice"),
        ({"token_name": "7", "scope": "search", "collection": "", "days": "30"}, "cannot be the name of a token"),
    ],
)
async def test_token_that_cannot_be_made_says_why(
    client: httpx.AsyncClient, sign_in: SignIn, form: dict[str, str], fault: str
) -> None:
    await sign_in()

    fragment = await send(client, "/account/tokens", HTMX, **form)

    assert fragment.status_code == 422
    assert fault in fragment.text
    assert "lst_" not in fragment.text


@pytest.mark.parametrize("headers", [{}, HTMX])
async def test_session_elsewhere_is_ended(
    app: LivesearchApp, client: httpx.AsyncClient, sign_in: SignIn, headers: dict[str, str]
) -> None:
    elsewhere = await app.services.accounts.sign_in("ann", PASSWORD, address="")
    await sign_in()
    (end,) = set(re.findall(r'action="(/account/sessions/\d+/end)"', (await client.get("/account")).text))

    answer = await send(client, end, headers)

    assert answer.status_code == (200 if headers else 303)
    assert await app.services.sessions.find(elsewhere) is None
    assert (await client.get("/account")).status_code == 200


async def test_bola_nobody_touches_what_is_anothers(
    app: LivesearchApp, client: httpx.AsyncClient, sign_in: SignIn
) -> None:
    bob = await app.services.accounts.add("bob", PASSWORD, role=UserRole.ADMIN)
    secret = await app.services.accounts.sign_in("bob", PASSWORD, address="")
    (of_bob,) = await app.services.sessions.list_of(bob)
    await sign_in()

    answer = await send(client, f"/account/sessions/{of_bob.id}/end")

    assert answer.status_code == 404
    assert await app.services.sessions.find(secret) is not None


async def test_account_is_deleted_by_who_knows_the_password(
    app: LivesearchApp, client: httpx.AsyncClient, sign_in: SignIn
) -> None:
    await sign_in()

    refused = await send(client, "/account/delete", HTMX, password_to_delete="wrong horse")
    done = await send(client, "/account/delete", password_to_delete=PASSWORD)

    assert (refused.status_code, "This is not your password." in refused.text) == (422, True)
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    assert await app.services.accounts.list_all() == []
    assert "sign-in-link" in (await client.get("/")).text


@pytest.mark.parametrize("address", ["/c/games/doc/x//y/%3Cb%3E%3F%25?q=a%26b", "/c/games?q=%E6%9D%B1", "/nonsense%20"])
async def test_any_address_is_come_back_to_as_it_was(settings: Settings, address: str) -> None:
    app = create_app(settings.model_copy(update={"public_search": False}))
    app.add_url_rule("/nonsense ", "nonsense", lambda: "")
    async with serving(app) as client:
        refused = await client.get(address)
        login = await client.get(refused.headers["Location"])

    then = re.findall(r'name="next"[^>]* value="([^"]*)"', login.text)
    assert [html.unescape(text) for text in then] == [address]


async def test_registration_makes_an_account_and_signs_in(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    page = await client.get("/register?next=/c/games")
    form = {"csrf_token": token_of(page), "password": "another horse", "email": "", "next": "/c/games"}

    taken = await client.post("/register", data={**form, "name": "ANN"})
    done = await client.post("/register", data={**form, "name": "bob", "role": "admin"})

    assert (taken.status_code, "Somebody is named" in taken.text) == (422, True)
    assert (done.status_code, done.headers["Location"]) == (303, "/c/games")
    assert "Account of bob" in (await client.get("/c/games")).text
    roles = {user.name: user.role for user in await app.services.accounts.list_all()}
    assert roles == {"Ann": UserRole.EDITOR, "bob": UserRole.VIEWER}


async def test_registration_is_closed_unless_it_is_opened(settings: Settings) -> None:
    async with serving(create_app(settings.model_copy(update={"registration": "closed"}))) as client:
        page, login = await client.get("/register"), await client.get("/login")
        sent = await client.post("/register", data={"csrf_token": token_of(login), "name": "x", "password": PASSWORD})

    assert (page.status_code, sent.status_code) == (403, 403)
    assert "Ask them for one." in page.text
    assert "Create one" not in login.text


def test_flask_login_is_given_no_more_than_it_needs(app: LivesearchApp) -> None:
    manager = app.login_manager  # type: ignore[attr-defined]  # as Flask-Login puts it there

    assert manager.session_protection is None
    assert "current_user" not in app.jinja_env.globals
    assert all("login" not in processor.__module__ for processor in app.template_context_processors[None])


async def test_setup_link_makes_the_first_administrator(tmp_path: Path) -> None:
    app = create_app(Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/store.db", query_timeout_ms=20_000))
    async with serving(app) as client:
        await app.services.transactions.upgrade()
        key = await app.services.accounts.open_setup()
        page = await client.get(f"/setup?key={key}")
        form = {"csrf_token": token_of(page), "key": key or "", "name": "root", "password": "short"}
        refused = await client.post("/setup", data=form)
        done = await client.post("/setup", data={**form, "password": PASSWORD})
        again = await client.get(f"/setup?key={key}")
        account = await client.get("/account")

    assert (page.status_code, refused.status_code, done.status_code, again.status_code) == (200, 422, 303, 403)
    assert "Admin" in account.text


async def test_closed_site_opens_to_who_signs_in(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"public_search": False}))
    async with serving(app) as client:
        await app.services.accounts.add("eve", PASSWORD, role=UserRole.VIEWER)
        before = await client.get("/c/games?q=zelda")
        login = await client.get(before.headers["Location"])
        form = {"csrf_token": token_of(login), "name": "eve", "password": PASSWORD, "next": "/c/games?q=zelda"}
        done = await client.post("/login", data=form)
        after = await client.get(done.headers["Location"])

    assert (before.status_code, login.status_code, after.status_code) == (303, 200, 200)
    assert 'value="/c/games?q=zelda"' in login.text


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
        ("curl/8.5", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_browsers_have_the_names_people_know(user_agent: str, words: str) -> None:
    assert describe_browser(user_agent) == words
