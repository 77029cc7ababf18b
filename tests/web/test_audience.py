"""For whom each address is: every one says it, and holds to it in each rendering."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx
import pytest
from werkzeug.routing import Rule

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.domain import UserRole
from livesearch.web.audience import SAFE_METHODS, Audience, declared_audience, open_to
from tests.web.conftest import GAMES, HTMX, make_store, serving
from tests.web.test_accounts import PASSWORD, token_of

# What changes something, written by hand: nobody comes to change anything because a line was forgotten.
CHANGING = {
    "accounts.send_sign_in": Audience.EVERYONE,
    "accounts.sign_out": Audience.EVERYONE,
    "accounts.send_registration": Audience.EVERYONE,
    "accounts.send_setup": Audience.EVERYONE,
    "account.change_password": Audience.SIGNED_IN,
    "account.create_token": Audience.SIGNED_IN,
    "account.revoke_token": Audience.SIGNED_IN,
    "account.end_one_session": Audience.SIGNED_IN,
    "account.delete_account": Audience.SIGNED_IN,
    "shortlist.add": Audience.SEARCHERS,
    "shortlist.put": Audience.SEARCHERS,
    "shortlist.change": Audience.SEARCHERS,
    "shortlist.remove": Audience.SEARCHERS,
    "shortlist.clear": Audience.SEARCHERS,
    "shortlist.share": Audience.SIGNED_IN,
    "shortlist.unshare": Audience.SIGNED_IN,
    "users.create_user": Audience.ADMINS,
    "users.change_user": Audience.ADMINS,
    "users.reset_password": Audience.ADMINS,
    "users.delete_user": Audience.ADMINS,
    "users.delete_user_by_form": Audience.ADMINS,
    "unsubscribing.stop": Audience.EVERYONE,
    "saved.save": Audience.SIGNED_IN,
    "saved.change": Audience.SIGNED_IN,
    "saved.delete": Audience.SIGNED_IN,
    "saved.mark_all": Audience.SIGNED_IN,
    "editing.create": Audience.EDITORS,
    "editing.change": Audience.EDITORS,
    "editing.change_by_key": Audience.EDITORS,
    "editing.undo": Audience.EDITORS,
    "api_documents.add_documents": Audience.EDITORS,
    "api_documents.put_document": Audience.EDITORS,
    "api_documents.delete_document": Audience.EDITORS,
    "api_tuning.add_synonym": Audience.ADMINS,
    "api_tuning.remove_synonym": Audience.ADMINS,
    "api_tuning.add_curation": Audience.ADMINS,
    "api_tuning.remove_curation": Audience.ADMINS,
    "api_tuning.change_ranking": Audience.ADMINS,
    "api_tuning.change_visibility": Audience.ADMINS,
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    store = make_store(tmp_path_factory.mktemp("audience"), games=GAMES[:3])
    return store.model_copy(update={"query_timeout_ms": 20_000})


@pytest.fixture(scope="module")
def app(settings: Settings) -> LivesearchApp:
    """The application, and an address for each audience."""
    app = create_app(settings)

    for audience in Audience:
        name = audience.name.lower()
        view = open_to(audience)(_view())
        app.add_url_rule(f"/for/{name}", f"for_{name}", view, methods=["GET", "POST"])
        app.add_url_rule(f"/api/for/{name}", f"api_for_{name}", view, methods=["GET"])
    app.add_url_rule("/forgotten", "forgotten", _view(), methods=["GET", "POST"])
    return app


def _view() -> Callable[[], Awaitable[str]]:
    async def answer() -> str:
        return "answered"

    return answer


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as client:
        yield client


def _rules(app: LivesearchApp) -> Iterator[tuple[Rule, set[str]]]:
    for rule in app.url_map.iter_rules():
        yield rule, {method for method in rule.methods or set() if method not in {"HEAD", "OPTIONS"}}


def test_every_route_says_for_whom_it_is(settings: Settings) -> None:
    app = create_app(settings)

    silent = [
        f"{method} {rule.rule}"
        for rule, methods in _rules(app)
        for method in methods
        if declared_audience(app, rule.endpoint, method) is None
    ]

    assert silent == []


def test_every_route_that_changes_something_is_for_whom_it_should_be(settings: Settings) -> None:
    app = create_app(settings)

    changing = {
        rule.endpoint: declared_audience(app, rule.endpoint, method)
        for rule, methods in _rules(app)
        for method in methods - SAFE_METHODS
    }

    assert {endpoint: changing.get(endpoint) for endpoint in CHANGING} == CHANGING
    # New ones may be for editors and administrators; anything less is written down above.
    assert {audience for endpoint, audience in changing.items() if endpoint not in CHANGING} <= {
        Audience.EDITORS,
        Audience.ADMINS,
        Audience.SIGNED_IN,
    }


def test_every_route_that_takes_a_cookie_asks_for_a_csrf_token(settings: Settings) -> None:
    app = create_app(settings)
    unsafe = {
        (method, rule.build(dict.fromkeys(rule.arguments, 1))[1])  # type: ignore[index]  # all is given that it wants
        for rule, methods in _rules(app)
        for method in methods - SAFE_METHODS
        if not rule.rule.startswith("/api/")
    }

    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://localhost") as client:
        statuses = {
            (method, path, is_htmx): client.request(method, path, headers=HTMX if is_htmx else {}).status_code
            for method, path in unsafe
            for is_htmx in (False, True)
        }
    app.async_to_sync(app.database.close)()

    assert len(statuses) >= 18
    assert set(statuses.values()) == {400}


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (None, {"everyone", "searchers"}),
        (UserRole.VIEWER, {"everyone", "searchers", "signed_in"}),
        (UserRole.EDITOR, {"everyone", "searchers", "signed_in", "editors"}),
        (UserRole.ADMIN, {"everyone", "searchers", "signed_in", "editors", "admins"}),
    ],
)
async def test_addresses_open_to_their_audience(
    app: LivesearchApp, client: httpx.AsyncClient, role: UserRole | None, allowed: set[str]
) -> None:
    if role is not None:
        await _sign_in(app, client, role)
    names = [audience.name.lower() for audience in Audience]

    pages = {name: (await client.get(f"/for/{name}")).status_code for name in names}
    fragments = {name: (await client.get(f"/for/{name}", headers=HTMX)).status_code for name in names}

    refused = (303, 401) if role is None else (403, 403)
    assert pages == {name: 200 if name in allowed else refused[0] for name in names}
    assert fragments == {name: 200 if name in allowed else refused[1] for name in names}


async def test_refusals_of_the_api_are_problems(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/for/editors")

    assert (answer.status_code, answer.headers["Content-Type"]) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "API token" in answer.json()["detail"]


async def test_cookies_open_nothing_of_the_api(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await _sign_in(app, client, UserRole.ADMIN)

    assert (await client.get("/api/for/admins")).status_code == 401
    assert (await client.post("/api/v1/collections/games/documents", json={"id": "x"})).status_code == 401


async def test_refusal_of_a_role_says_which_would_do(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await _sign_in(app, client, UserRole.VIEWER)

    page = await client.get("/for/editors")
    fragment = await client.get("/for/editors", headers=HTMX)

    assert "users with the role “editor”" in page.text
    assert "users with the role “editor”" in fragment.text
    assert fragment.headers["HX-Retarget"] == "#error-container"
    assert "Account of" in page.text


async def test_forgotten_address_is_closed_to_changes(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await _sign_in(app, client, UserRole.EDITOR)
    token = token_of(await client.get("/account"))

    read = await client.get("/forgotten")
    changed = await client.post("/forgotten", data={"csrf_token": token})

    assert (read.status_code, changed.status_code) == (200, 403)


async def _sign_in(app: LivesearchApp, client: httpx.AsyncClient, role: UserRole) -> None:
    """Sign in without the form, which other tests try."""
    accounts = app.services.accounts
    if role not in {user.role for user in await accounts.list_all()}:
        await accounts.add(f"the {role}", PASSWORD, role=role)
    form = {"csrf_token": token_of(await client.get("/login")), "name": f"the {role}", "password": PASSWORD}
    assert (await client.post("/login", data=form)).status_code == 303
