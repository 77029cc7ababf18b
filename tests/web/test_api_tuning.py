"""What an owner tunes, over HTTP, and the tokens that protect it."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.domain import Scope
from livesearch.services import Services
from livesearch.web.csrf import protection
from tests.web.conftest import GAMES, make_store, serving

BASE = "/api/v1/collections/games"

# Makes a token and gives the headers that show it.
MakeToken = Callable[..., Awaitable[dict[str, str]]]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store of its own, which a test may change."""
    rows: list[dict[str, object]] = [{"id": str(number), "title": f"Book {number}"} for number in range(3)]
    return make_store(tmp_path, games=GAMES[:6], books=rows)


@pytest.fixture
def app(settings: Settings) -> LivesearchApp:
    return create_app(settings)


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as client:
        yield client


@pytest.fixture
def services(app: LivesearchApp) -> Services:
    found: Services = app.extensions["livesearch.services"]
    return found


@pytest.fixture
def make_token(services: Services) -> MakeToken:
    async def make(scope: Scope = Scope.ADMIN, collection: str | None = None) -> dict[str, str]:
        _, secret = await services.tokens.create(f"{scope} {collection}", scope, collection=collection)
        return {"Authorization": f"Bearer {secret}"}

    return make


@pytest.fixture
async def admin(make_token: MakeToken) -> dict[str, str]:
    return await make_token()


async def test_synonyms_are_added_listed_and_removed(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    body = {"words": "TV", "alternatives": ["Television", "tele"], "is_two_way": False}
    added = await client.post(f"{BASE}/synonyms", json=body, headers=admin)
    listed = await client.get(f"{BASE}/synonyms")
    number = added.json()["id"]
    removed = await client.delete(f"{BASE}/synonyms/{number}", headers=admin)
    again = await client.delete(f"{BASE}/synonyms/{number}", headers=admin)

    assert added.status_code == 201
    assert added.json() == {"id": number, "words": "tv", "alternatives": ["television", "tele"], "is_two_way": False}
    assert listed.json() == {"synonyms": [added.json()]}
    assert (removed.status_code, removed.content) == (204, b"")
    assert again.status_code == 404
    assert (await client.get(f"{BASE}/synonyms")).json() == {"synonyms": []}


async def test_synonyms_are_two_way_unless_told(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    body = {"words": "ps5", "alternatives": ["playstation 5"]}

    added = await client.post(f"{BASE}/synonyms", json=body, headers=admin)

    assert added.json()["is_two_way"] is True


async def test_documents_are_pinned_hidden_and_released(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    pin = {"query": "Zelda!", "document": "x//y/<b>", "position": 2}
    pinned = await client.post(f"{BASE}/curations", json=pin, headers=admin)
    hide = {"query": "zelda", "document": "nes/zelda", "is_hidden": True}
    hidden = await client.post(f"{BASE}/curations", json=hide, headers=admin)
    listed = await client.get(f"{BASE}/curations")
    released = await client.delete(f"{BASE}/curations/{hidden.json()['id']}", headers=admin)

    assert (pinned.status_code, hidden.status_code, released.status_code) == (201, 201, 204)
    assert pinned.json() == {
        "id": pinned.json()["id"],
        "query": "zelda",
        "document": "x//y/<b>",
        "position": 2,
        "is_hidden": False,
    }
    assert [(c["document"], c["position"], c["is_hidden"]) for c in listed.json()["curations"]] == [
        ("x//y/<b>", 2, False),
        ("nes/zelda", None, True),
    ]
    assert (await client.get(f"{BASE}/curations")).json() == {"curations": [pinned.json()]}


async def test_ranking_is_read_changed_and_read_again(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    before = (await client.get(f"{BASE}/ranking")).json()
    change = {"popularity_field": "year", "popularity_weight": 0.5, "language": None, "weights": {"title": 12}}
    changed = await client.put(f"{BASE}/ranking", json=change, headers=admin)
    whole = await client.put(f"{BASE}/ranking", json=changed.json(), headers=admin)
    undone = await client.put(f"{BASE}/ranking", json={"popularity_field": None}, headers=admin)

    assert changed.status_code == 200
    assert changed.json() == {
        **before,
        **change,
        "language": "none",
        "weights": {**before["weights"], "title": 12.0},
    }
    assert whole.json() == changed.json()
    assert undone.json()["popularity_field"] is None
    assert "secret" not in before["weights"]


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "synonyms", {}, "“words” must be a text, not null or absent."),
        ("POST", "synonyms", {"words": 1, "alternatives": ["a"]}, "“words” must be a text, not a number."),
        (
            "POST",
            "synonyms",
            {"words": "a", "alternatives": "b"},
            "“alternatives” must be a list of texts, not a text.",
        ),
        ("POST", "synonyms", {"words": "a", "alternatives": []}, "“alternatives” must be a list of texts"),
        ("POST", "synonyms", {"words": "a", "alternatives": ["b", 1]}, "“alternatives” must be a list of texts"),
        (
            "POST",
            "synonyms",
            {"words": "a", "alternatives": ["b"], "is_two_way": 1},
            "“is_two_way” must be true or false, not a number.",
        ),
        ("POST", "synonyms", {"word": "a"}, "“word” is no field of this request. Those that are: words, alternatives"),
        ("POST", "synonyms", {"words": "?", "alternatives": ["b"]}, "“?” has no word in it"),
        ("POST", "synonyms", ["a"], "The body must be a JSON object, as {…}, not a list."),
        ("POST", "curations", {"query": "a", "document": None}, "“document” must be a text, not null or absent."),
        (
            "POST",
            "curations",
            {"query": "a", "document": "nes/zelda", "position": 1.5},
            "“position” must be a whole number, not a number.",
        ),
        (
            "POST",
            "curations",
            {"query": "a", "document": "nes/zelda", "position": True},
            "“position” must be a whole number, not true or false.",
        ),
        ("POST", "curations", {"query": "a", "document": "nes/zelda", "position": 0}, "0 is no place"),
        ("POST", "curations", {"query": "", "document": "nes/zelda"}, "1 to 12 words"),
        (
            "POST",
            "curations",
            {"query": "a", "document": "nes/zelda", "position": 1, "is_hidden": True},
            "“position” and “is_hidden” exclude each other",
        ),
        ("PUT", "ranking", {"popularity_weight": "1"}, "“popularity_weight” must be a number, not a text."),
        ("PUT", "ranking", {"popularity_weight": True}, "“popularity_weight” must be a number, not true or false."),
        ("PUT", "ranking", {"popularity_weight": None}, "“popularity_weight” must be a number, not null or absent."),
        ("PUT", "ranking", {"weights": {"title": "x"}}, "“weights.title” must be a number, not a text."),
        ("PUT", "ranking", {"weights": {"secret": 1}}, "“secret” is not a searched field"),
        ("PUT", "ranking", {"typos": {"title": 1}}, "“typos.title” must be true or false, not a number."),
        ("PUT", "ranking", {"typos": []}, "“typos” must be an object, not a list."),
        ("PUT", "ranking", {"recency_field": "nonsense"}, "“nonsense” is not a date of “games”"),
        ("PUT", "ranking", {"language": "klingon"}, "There are no word forms of “klingon”."),
    ],
)
async def test_faults_of_a_body_are_named(
    client: httpx.AsyncClient, admin: dict[str, str], method: str, path: str, body: object, message: str
) -> None:
    response = await client.request(method, f"{BASE}/{path}", json=body, headers=admin)

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert message in response.json()["detail"]


@pytest.mark.parametrize(
    ("content_type", "content", "status", "message"),
    [
        ("text/plain", b"{}", 415, "Content-Type: application/json"),
        ("application/x-www-form-urlencoded", b"words=a", 415, "Content-Type: application/json"),
        ("application/json; charset=latin-1", b"{}", 415, "Content-Type: application/json"),
        ("", b"{}", 415, "Content-Type: application/json"),
        ("application/json", b"", 400, "The body cannot be read: not JSON"),
        ("application/json", b"{", 400, "The body cannot be read: not JSON"),
        ("application/json", b"\xff", 400, "The body cannot be read: not JSON"),
        ("application/json", b"[" * 60_000, 400, "The body cannot be read"),
        ("application/json; charset=UTF-8", b"{}", 400, "“words” must be a text"),
        ("application/json", b" " * 65_537, 413, "65,536 bytes at most"),
    ],
)
async def test_only_small_json_is_read(
    client: httpx.AsyncClient, admin: dict[str, str], content_type: str, content: bytes, status: int, message: str
) -> None:
    headers = {**admin, "Content-Type": content_type}

    response = await client.post(f"{BASE}/synonyms", content=content, headers=headers)

    assert (response.status_code, response.json()["status"]) == (status, status)
    assert message in response.json()["detail"]


async def test_a_body_of_unsaid_length_is_bounded_too(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b" " * 1000
        yield b'{"words": "tv", "alternatives": ["television"]}'

    headers = {**admin, "Content-Type": "application/json"}
    small = await client.post(f"{BASE}/synonyms", content=pieces(3), headers=headers)
    large = await client.post(f"{BASE}/synonyms", content=pieces(70), headers=headers)

    assert (small.status_code, large.status_code) == (201, 413)


@pytest.mark.parametrize("number", ["0", "-1", "x", "2147483648", "99999999999999999999"])
async def test_what_is_no_number_is_not_found(client: httpx.AsyncClient, admin: dict[str, str], number: str) -> None:
    for path in ("synonyms", "curations"):
        assert (await client.delete(f"{BASE}/{path}/{number}", headers=admin)).status_code == 404


async def test_what_is_not_there_is_a_problem(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    absent = await client.post(f"{BASE}/curations", json={"query": "a", "document": "absent"}, headers=admin)
    unknown = await client.put("/api/v1/collections/nonsense/ranking", json={}, headers=admin)

    assert (absent.status_code, absent.json()["detail"]) == (404, "There is no document “absent” in “games”.")
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "There is no collection named “nonsense”.")


def _changing_addresses(app: LivesearchApp) -> list[tuple[str, str]]:
    """Method and path of everything that changes something through the API."""
    sample = {"name": "games", "synonym_id": "1", "curation_id": "1", "key": "nes/zelda"}
    return [
        (method, re.sub(r"<(?:[^:<>]*:)?(\w+)>", lambda found: sample[found[1]], rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in sorted(rule.methods or ())
        if method not in {"GET", "HEAD", "OPTIONS"}
    ]


async def test_every_change_needs_a_token(app: LivesearchApp, client: httpx.AsyncClient, make_token: MakeToken) -> None:
    addresses = _changing_addresses(app)
    search, ended = await make_token(Scope.SEARCH), {"Authorization": "Bearer lst_" + "A" * 43}

    assert len(addresses) >= 5
    for method, path in addresses:
        for headers, status, challenge in (
            ({}, 401, "Bearer"),
            (ended, 401, 'Bearer error="invalid_token"'),
            (search, 403, 'Bearer error="insufficient_scope"'),
        ):
            answer = await client.request(method, path, headers=headers)
            told = (answer.status_code, answer.headers.get("WWW-Authenticate"), answer.json()["status"])

            assert told == (status, challenge, status), (method, path)


async def test_no_change_is_let_through_for_a_cookie(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    blueprints = {
        rule.endpoint.partition(".")[0] for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1/")
    }
    client.cookies.set("livesearch", "x")
    answers = [await client.request(method, path) for method, path in _changing_addresses(app)]

    # Programs need no CSRF token, because nothing but the bearer token lets them in.
    assert {app.blueprints[name] for name in blueprints} <= protection._exempt_blueprints  # noqa: SLF001  # there is no other way to ask
    assert {(answer.status_code, answer.headers.get("Set-Cookie")) for answer in answers} == {(401, None)}


@pytest.mark.parametrize("scope", [Scope.SEARCH, Scope.EDIT])
async def test_tuning_needs_scope_admin(client: httpx.AsyncClient, make_token: MakeToken, scope: Scope) -> None:
    headers = await make_token(scope)
    body = {"words": "tv", "alternatives": ["television"]}

    refused = await client.post(f"{BASE}/synonyms", json=body, headers=headers)
    read = await client.get(f"{BASE}/synonyms", headers=headers)

    assert refused.status_code == 403
    assert "needs an API token of scope “admin”" in refused.json()["detail"]
    assert read.json() == {"synonyms": []}


async def test_a_token_of_one_collection_is_refused_on_others(client: httpx.AsyncClient, make_token: MakeToken) -> None:
    books = await make_token(Scope.ADMIN, "books")
    body = {"words": "tv", "alternatives": ["television"]}

    statuses = {
        name: [
            (await client.post(f"/api/v1/collections/{name}/synonyms", json=body, headers=books)).status_code,
            (await client.get(f"/api/v1/collections/{name}/synonyms", headers=books)).status_code,
            (await client.get(f"/api/v1/collections/{name}/search", headers=books)).status_code,
        ]
        for name in ("books", "games", "nonsense")
    }
    listed = await client.get("/api/v1/collections", headers=books)

    assert statuses == {"books": [201, 200, 200], "games": [403, 403, 403], "nonsense": [403, 403, 403]}
    assert [collection["name"] for collection in listed.json()["collections"]] == ["books"]


async def test_a_token_that_has_ended_is_refused_where_none_is_needed(client: httpx.AsyncClient) -> None:
    refused = await client.get(f"{BASE}/search?q=zelda", headers={"Authorization": "Bearer lst_old"})

    assert refused.status_code == 401


async def test_a_closed_site_answers_programs_with_a_token(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"public_search": False}))
    services: Services = app.extensions["livesearch.services"]

    async with serving(app) as client:
        _, secret = await services.tokens.create("reader", Scope.SEARCH)
        headers = {"Authorization": f"Bearer {secret}"}
        paths = ("/api/v1/collections", f"{BASE}/search?q=zelda", f"{BASE}/synonyms", "/c/games")
        without = [(await client.get(path)).status_code for path in paths]
        shown = [(await client.get(path, headers=headers)).status_code for path in paths]

    assert without == [401, 401, 401, 303]
    assert shown == [200, 200, 200, 303]


async def test_visibility_is_read_and_changed(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    before = await client.get(f"{BASE}/visibility", headers=admin)
    changed = await client.put(f"{BASE}/visibility", json={"to": "owner", "field": "publisher"}, headers=admin)
    hidden = await client.get(f"{BASE}/search?q=")
    role = await client.put(f"{BASE}/visibility", json={"to": "role", "role": "viewer"}, headers=admin)
    wrong = [
        await client.put(f"{BASE}/visibility", json=body, headers=admin)
        for body in ({"to": "friends"}, {"to": "role"}, {"to": "role", "role": "king"}, {"to": "groups"}, {}, {"to": 1})
    ]

    assert before.json() == {"to": "public"}
    assert (changed.status_code, changed.json()) == (200, {"to": "owner", "field": "publisher"})
    assert hidden.json()["total"] == 0
    assert role.json() == {"to": "role", "role": "viewer"}
    assert {answer.status_code for answer in wrong} == {400}
    assert (await client.get(f"{BASE}/search?q=", headers=admin)).json()["total"] == 6
