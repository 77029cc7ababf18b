"""Every address, for everybody, in each rendering: one table, written by hand, and held to the map of addresses.

A new route adds its row; without one, the first test here fails. What a row's addresses and bodies need beyond the
defaults stands below the table.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import httpx
import pytest
import pytest_asyncio
from flask import session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf

from livesearch.app import LivesearchApp, create_app
from livesearch.domain import Scope, User, UserRole
from livesearch.web.auth import begin_session
from tests.web.conftest import GAMES, HTMX, make_store, serving
from tests.web.test_accounts import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Statuses, each time for four: `page` and `htmx` for a visitor, a viewer, an editor and an administrator; `token` for a
# program without a token and with one of scope search, edit and admin. A dash: tokens open nothing, all four get what a
# visitor gets. Those who may get what an empty form or a number that nobody has deserves: 422, 404.
TABLE = """
route                                                     | page            | htmx            | token

GET    /                                                  | 200 200 200 200 | 200 200 200 200 | -
GET    /c/<name>                                          | 200 200 200 200 | 200 200 200 200 | -
GET    /c/<name>/doc                                      | 200 200 200 200 | 200 200 200 200 | -
GET    /c/<name>/doc/<path:key>                           | 200 200 200 200 | 200 200 200 200 | -
GET    /c/<name>/explain                                  | 200 200 200 200 | 200 200 200 200 | -
GET    /htmx/c/<name>/changes                             | 400 400 400 400 | 200 200 200 200 | -
GET    /htmx/c/<name>/explain/<path:key>                  | 400 400 400 400 | 200 200 200 200 | -
GET    /htmx/c/<name>/facet/<path:field>                  | 400 400 400 400 | 200 200 200 200 | -
GET    /htmx/c/<name>/suggest                             | 400 400 400 400 | 200 200 200 200 | -
GET    /static/<digest>/<path:path>                       | 200 200 200 200 | 200 200 200 200 | -

GET    /c/<name>/new                                      | 303 403 200 200 | 401 403 200 200 | -
GET    /c/<name>/edit                                     | 303 403 200 200 | 401 403 200 200 | -
POST   /c/<name>/doc                                      | 303 403 422 422 | 401 403 422 422 | -
PUT    /c/<name>/doc                                      | 303 403 303 303 | 401 403 200 200 | -
DELETE /c/<name>/doc                                      | 303 403 404 404 | 401 403 404 404 | -
PUT    /c/<name>/doc/<path:key>                           | 303 403 303 303 | 401 403 200 200 | -
POST   /c/<name>/doc/<path:key>                           | 303 403 405 405 | 401 403 405 405 | -
DELETE /c/<name>/doc/<path:key>                           | 303 403 404 404 | 401 403 404 404 | -
POST   /c/<name>/undo                                     | 303 403 404 404 | 401 403 404 404 | -
GET    /htmx/c/<name>/new                                 | 400 400 400 400 | 401 403 200 200 | -
GET    /htmx/c/<name>/edit/<path:key>                     | 400 400 400 400 | 401 403 200 200 | -
GET    /htmx/c/<name>/row/<path:key>                      | 400 400 400 400 | 401 403 200 200 | -

GET    /login                                             | 200 303 303 303 | 200 200 200 200 | -
POST   /login                                             | 422 422 422 422 | 422 422 422 422 | -
POST   /logout                                            | 303 303 303 303 | 200 200 200 200 | -
GET    /register                                          | 200 200 200 200 | 200 200 200 200 | -
POST   /register                                          | 422 422 422 422 | 422 422 422 422 | -
GET    /setup                                             | 403 403 403 403 | 403 403 403 403 | -
POST   /setup                                             | 422 422 422 422 | 422 422 422 422 | -
GET    /htmx/csrf                                         | 400 400 400 400 | 200 200 200 200 | -

GET    /account                                           | 303 200 200 200 | 401 200 200 200 | -
POST   /account                                           | 303 422 422 422 | 401 422 422 422 | -
POST   /account/delete                                    | 303 422 422 422 | 401 422 422 422 | -
POST   /account/sessions/<int:session_id>/end             | 303 404 404 404 | 401 404 404 404 | -
POST   /account/tokens                                    | 303 422 422 422 | 401 422 422 422 | -
POST   /account/tokens/<int:token_id>/revoke              | 303 404 404 404 | 401 404 404 404 | -

GET    /shortlist                                         | 200 200 200 200 | 200 200 200 200 | -
POST   /shortlist                                         | 400 400 400 400 | 400 400 400 400 | -
DELETE /shortlist                                         | 303 303 303 303 | 200 200 200 200 | -
POST   /shortlist/<name>/<path:key>                       | 303 303 303 303 | 200 200 200 200 | -
DELETE /shortlist/<name>/<path:key>                       | 303 303 303 303 | 200 200 200 200 | -
POST   /shortlist/change                                  | 400 400 400 400 | 400 400 400 400 | -
POST   /shortlist/clear                                   | 303 303 303 303 | 200 200 200 200 | -
GET    /shortlist/count                                   | 303 303 303 303 | 200 200 200 200 | -
GET    /shortlist/export.<kind>                           | 200 200 200 200 | 200 200 200 200 | -
POST   /shortlist/share                                   | 303 303 303 303 | 401 200 200 200 | -
POST   /shortlist/unshare                                 | 303 303 303 303 | 401 200 200 200 | -
GET    /shortlist/shared/<token>                          | 404 404 404 404 | 404 404 404 404 | -

GET    /imports                                           | 303 403 200 200 | 401 403 200 200 | -
POST   /imports                                           | 303 403 422 422 | 401 403 422 422 | -
GET    /imports/<int:job_id>                              | 303 403 404 404 | 401 403 404 404 | -
POST   /imports/<int:job_id>                              | 303 403 404 404 | 401 403 404 404 | -
POST   /imports/<int:job_id>/start                        | 303 403 404 404 | 401 403 404 404 | -
POST   /imports/<int:job_id>/cancel                       | 303 403 404 404 | 401 403 404 404 | -
POST   /imports/<int:job_id>/remove                       | 303 403 404 404 | 401 403 404 404 | -
GET    /imports/<int:job_id>/rejects                      | 303 403 404 404 | 401 403 404 404 | -
GET    /htmx/imports/<int:job_id>                         | 400 400 400 400 | 401 403 404 404 | -

GET    /htmx/activity                                     | 400 400 400 400 | 401 200 200 200 | -
GET    /dashboard                                         | 303 200 200 200 | 401 200 200 200 | -
POST   /saved-searches                                    | 303 404 404 404 | 401 404 404 404 | -
POST   /saved-searches/seen                               | 303 303 303 303 | 401 200 200 200 | -
GET    /saved-searches/<int:search_id>                    | 303 404 404 404 | 401 404 404 404 | -
POST   /saved-searches/<int:search_id>                    | 303 404 404 404 | 401 404 404 404 | -
DELETE /saved-searches/<int:search_id>                    | 303 404 404 404 | 401 404 404 404 | -
GET    /unsubscribe/<token>                               | 400 400 400 400 | 400 400 400 400 | -
POST   /unsubscribe/<token>                               | 400 400 400 400 | 400 400 400 400 | -

GET    /c/<name>/settings                                 | 303 403 403 200 | 401 403 403 200 | -
POST   /c/<name>/settings/ranking                         | 303 403 403 303 | 401 403 403 200 | -
POST   /c/<name>/settings/fields                          | 303 403 403 303 | 401 403 403 200 | -
POST   /c/<name>/settings/visibility                      | 303 403 403 422 | 401 403 403 422 | -
POST   /c/<name>/settings/synonyms                        | 303 403 403 422 | 401 403 403 422 | -
POST   /c/<name>/settings/synonyms/<int:synonym_id>/remove | 303 403 403 404 | 401 403 403 404 | -
POST   /c/<name>/settings/pins                            | 303 403 403 422 | 401 403 403 422 | -
POST   /c/<name>/settings/pins/<int:curation_id>/remove   | 303 403 403 404 | 401 403 403 404 | -
POST   /c/<name>/settings/drop                            | 303 403 403 422 | 401 403 403 422 | -
GET    /htmx/c/<name>/settings/preview                    | 400 400 400 400 | 401 403 403 200 | -

GET    /users                                             | 303 403 403 200 | 401 403 403 200 | -
POST   /users                                             | 303 403 403 422 | 401 403 403 422 | -
GET    /users/<int:user_id>                               | 303 403 403 200 | 401 403 403 200 | -
PUT    /users/<int:user_id>                               | 303 403 403 303 | 401 403 403 200 | -
POST   /users/<int:user_id>                               | 303 403 403 303 | 401 403 403 200 | -
DELETE /users/<int:user_id>                               | 303 403 403 404 | 401 403 403 404 | -
GET    /users/<int:user_id>/edit                          | 303 403 403 200 | 401 403 403 200 | -
POST   /users/<int:user_id>/password                      | 303 403 403 422 | 401 403 403 422 | -
POST   /users/<int:user_id>/delete                        | 303 403 403 404 | 401 403 403 404 | -
GET    /htmx/users/search                                 | 400 400 400 400 | 401 403 403 200 | -
GET    /htmx/users/<int:user_id>                          | 400 400 400 400 | 401 403 403 200 | -
GET    /htmx/users/<int:user_id>/edit                     | 400 400 400 400 | 401 403 403 200 | -
GET    /htmx/users/<int:user_id>/row                      | 400 400 400 400 | 401 403 403 200 | -

GET    /api/docs                                          | 200 200 200 200 | 200 200 200 200 | -
GET    /api/openapi.json                                  | 200 200 200 200 | 400 400 400 400 | 200 200 200 200

GET    /api/v1/collections                                | 200 200 200 200 | 400 400 400 400 | 200 200 200 200
GET    /api/v1/collections/<name>                         | 200 200 200 200 | 400 400 400 400 | 200 200 200 200
GET    /api/v1/collections/<name>/search                  | 200 200 200 200 | 400 400 400 400 | 200 200 200 200
GET    /api/v1/collections/<name>/explain/<path:key>      | 200 200 200 200 | 400 400 400 400 | 200 200 200 200
GET    /api/v1/collections/<name>/documents               | 200 200 200 200 | 400 400 400 400 | 200 200 200 200
POST   /api/v1/collections/<name>/documents               | 401 401 401 401 | 400 400 400 400 | 401 403 200 200
GET    /api/v1/collections/<name>/documents/<path:key>    | 200 200 200 200 | 400 400 400 400 | 200 200 200 200
PUT    /api/v1/collections/<name>/documents/<path:key>    | 401 401 401 401 | 400 400 400 400 | 401 403 200 200
DELETE /api/v1/collections/<name>/documents/<path:key>    | 401 401 401 401 | 400 400 400 400 | 401 403 404 404
GET    /api/v1/collections/<name>/synonyms                | 200 200 200 200 | 400 400 400 400 | 200 200 200 200
POST   /api/v1/collections/<name>/synonyms                | 401 401 401 401 | 400 400 400 400 | 401 403 403 201
DELETE /api/v1/collections/<name>/synonyms/<int:synonym_id>   | 401 401 401 401 | 400 400 400 400 | 401 403 403 404
GET    /api/v1/collections/<name>/curations               | 200 200 200 200 | 400 400 400 400 | 200 200 200 200
POST   /api/v1/collections/<name>/curations               | 401 401 401 401 | 400 400 400 400 | 401 403 403 201
DELETE /api/v1/collections/<name>/curations/<int:curation_id> | 401 401 401 401 | 400 400 400 400 | 401 403 403 404
GET    /api/v1/collections/<name>/ranking                 | 200 200 200 200 | 400 400 400 400 | 200 200 200 200
PUT    /api/v1/collections/<name>/ranking                 | 401 401 401 401 | 400 400 400 400 | 401 403 403 200
GET    /api/v1/collections/<name>/visibility              | 401 401 401 401 | 400 400 400 400 | 401 403 403 200
PUT    /api/v1/collections/<name>/visibility              | 401 401 401 401 | 400 400 400 400 | 401 403 403 200

GET    /healthz                                           | 200 200 200 200 | 200 200 200 200 | -
GET    /readyz                                            | 200 200 200 200 | 200 200 200 200 | -
GET    /metrics                                           | 200 200 200 200 | 200 200 200 200 | -
"""

# What stands in an address for each of its parts. A number stands for what nobody has, but where it is named here.
PARTS = {"name": "games", "key": "nes/zelda", "field": "platform", "path": "", "digest": "", "user_id": 1}
NOBODYS_NUMBER = 2_000_000_000
# Whole addresses, where the parts are not enough.
ADDRESSES = {
    "GET /htmx/c/<name>/changes": "/htmx/c/games/changes?v=0",
    "GET /c/<name>/doc": "/c/games/doc?key=nes/zelda",
    "GET /c/<name>/explain": "/c/games/explain?key=nes/zelda&q=zelda",
    "GET /shortlist/export.<kind>": "/shortlist/export.csv",
    "GET /c/<name>/edit": "/c/games/edit?key=nes/zelda",
    "PUT /c/<name>/doc": "/c/games/doc?key=nes/zelda",
    "DELETE /c/<name>/doc": "/c/games/doc?key=nonsense",
    "DELETE /c/<name>/doc/<path:key>": "/c/games/doc/nonsense",
    "DELETE /users/<int:user_id>": f"/users/{NOBODYS_NUMBER}",
    "POST /users/<int:user_id>/delete": f"/users/{NOBODYS_NUMBER}/delete",
    "DELETE /api/v1/collections/<name>/documents/<path:key>": "/api/v1/collections/games/documents/nonsense",
}
# Bodies of programs; a form holds its CSRF token and nothing else.
BODIES: dict[str, object] = {
    "POST /api/v1/collections/<name>/documents": [GAMES[0]],
    "PUT /api/v1/collections/<name>/documents/<path:key>": GAMES[0],
    "POST /api/v1/collections/<name>/synonyms": {"words": "nes {}", "alternatives": ["famicom"]},
    "POST /api/v1/collections/<name>/curations": {"query": "zelda {}", "document": "nes/zelda"},
    "PUT /api/v1/collections/<name>/ranking": {"popularity_weight": 0.5},
    "PUT /api/v1/collections/<name>/visibility": {"to": "public"},
}

WHO = ("visitor", UserRole.VIEWER, UserRole.EDITOR, UserRole.ADMIN)
SCOPES = (None, Scope.SEARCH, Scope.EDIT, Scope.ADMIN)
_NUMBERS = count(1)


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    page: list[int]
    htmx: list[int]
    token: list[int]


def _read_table() -> dict[str, Row]:
    rows = {}
    for line in filter(None, TABLE.splitlines()[2:]):
        route, page, htmx, token = (cell.strip() for cell in line.split("|"))
        by_page = list(map(int, page.split()))
        by_token = by_page[:1] * 4 if token == "-" else list(map(int, token.split()))
        rows[" ".join(route.split())] = Row(by_page, list(map(int, htmx.split())), by_token)
    return rows


ROWS = _read_table()


def _routes(app: LivesearchApp) -> dict[str, str]:
    """Each method and address, without what its numbers may be; with an address that is there."""
    routes = {}
    with app.test_request_context():
        asset = str(app.jinja_env.from_string("{{ asset('css/base.css') }}").render())
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            route = f"{method} {rule.rule.replace('(min=1, max=2147483647)', '')}"
            parts = {part: PARTS.get(part, NOBODYS_NUMBER) for part in rule.arguments}
            built = rule.build(parts)
            assert built is not None
            routes[route] = asset if rule.endpoint == "static" else ADDRESSES.get(route, built[1])
    return routes


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> LivesearchApp:
    store = make_store(tmp_path_factory.mktemp("routes"), games=GAMES[:6])
    return create_app(store.model_copy(update={"registration": "open", "query_timeout_ms": 20_000}))


@dataclass
class Site:
    """The running application, with a user of each role and a token of each scope."""

    app: LivesearchApp
    client: httpx.AsyncClient
    routes: dict[str, str]
    users: dict[str, User]
    secrets: dict[Scope | None, str]

    async def cookies(self, who: str) -> dict[str, str]:
        """The headers of a browser that has just signed in, or of a visitor's that has a page with a form."""
        services = self.app.services
        secret = None
        if user := self.users.get(who):
            async with services.transactions.write() as conn:
                secret = await services.sessions.begin(conn, user, user_agent="", replaces=None)
        with self.app.test_request_context():
            if secret:
                begin_session(secret)
            token = str(generate_csrf())
            interface = self.app.session_interface
            assert isinstance(interface, SecureCookieSessionInterface)
            signer = interface.get_signing_serializer(self.app)
            assert signer is not None
            cookie = signer.dumps(dict(session))
        return {"Cookie": f"livesearch={cookie}", "X-CSRFToken": token}

    async def ask(self, route: str, headers: dict[str, str]) -> int:
        """The status that a route answers."""
        return (await self.send(route, headers)).status_code

    async def send(self, route: str, headers: dict[str, str]) -> httpx.Response:
        """What a route answers."""
        # No cookie of an answer comes with the next request: each says itself who sends it.
        self.client.cookies.clear()
        sent = BODIES.get(route)
        if isinstance(sent, dict):
            number = next(_NUMBERS)
            sent = {name: value.format(number) if isinstance(value, str) else value for name, value in sent.items()}
        return await self.client.request(route.partition(" ")[0], self.routes[route], headers=headers, json=sent)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(app: LivesearchApp) -> AsyncIterator[Site]:
    async with serving(app) as client:
        accounts, tokens = app.services.accounts, app.services.tokens
        users = {str(role): await accounts.add(f"the {role}", PASSWORD, role=role) for role in UserRole}
        secrets: dict[Scope | None, str] = {scope: (await tokens.create(f"to {scope}", scope))[1] for scope in Scope}
        yield Site(app, client, _routes(app), users, secrets)


async def test_every_route_has_a_row_and_every_row_a_route(app: LivesearchApp) -> None:
    assert sorted(ROWS) == sorted(_routes(app))


@pytest.mark.parametrize("route", ROWS)
async def test_page_is_for_whom_the_table_says(site: Site, route: str) -> None:
    statuses = [await site.ask(route, await site.cookies(who)) for who in WHO]

    assert statuses == ROWS[route].page


@pytest.mark.parametrize("route", ROWS)
async def test_fragment_is_for_whom_the_table_says(site: Site, route: str) -> None:
    statuses = [await site.ask(route, {**await site.cookies(who), **HTMX}) for who in WHO]

    assert statuses == ROWS[route].htmx


@pytest.mark.parametrize("route", ROWS)
async def test_token_opens_what_the_table_says(site: Site, route: str) -> None:
    # With a visitor's form at the addresses of people, so that a token that opened one would be seen.
    form = {} if "/api/" in route else await site.cookies("visitor")
    shown = [{"Authorization": f"Bearer {site.secrets[scope]}"} if scope else {} for scope in SCOPES]

    statuses = [await site.ask(route, {**form, **headers}) for headers in shown]

    assert statuses == ROWS[route].token


@pytest.mark.parametrize("route", [route for route, row in ROWS.items() if row.htmx[0] == 401])
async def test_visitor_is_led_to_sign_in_and_a_poll_is_left_alone(site: Site, route: str) -> None:
    visitor = {**await site.cookies("visitor"), **HTMX}
    here, elsewhere = "http://localhost/c/games?q=zelda", "https://evil.example/c/games"

    led = [await site.send(route, {**visitor, "HX-Current-URL": url}) for url in (here, elsewhere)]
    poll = await site.send(route, {**visitor, "HX-Current-URL": here, "X-Poll": "1"})

    assert [answer.headers["HX-Redirect"] for answer in led] == ["/login?next=/c/games?q%3Dzelda", "/login?next=/"]
    assert (poll.status_code, poll.content, "HX-Redirect" in poll.headers) == (204, b"", False)
