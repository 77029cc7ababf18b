"""Documents over HTTP: created, changed and deleted by programs."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.domain import Scope, UserRole, VisibilityRule, VisibleTo
from livesearch.services import Services
from tests.web.conftest import GAMES, make_store, serving

BASE = "/api/v1/collections/games/documents"
ZELDA3 = {"title": "A Link to the Past", "platform": "SNES", "year": 1991, "publisher": "Nintendo"}


@pytest.fixture
def app(tmp_path: Path) -> LivesearchApp:
    """An application over a store of its own, which a test may change."""
    return create_app(make_store(tmp_path, games=GAMES[:6]))


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    """A client that shows a token of scope edit."""
    services: Services = app.extensions["livesearch.services"]
    async with serving(app) as client:
        _, secret = await services.tokens.create("editor", Scope.EDIT)
        client.headers["Authorization"] = f"Bearer {secret}"
        yield client


@pytest.mark.parametrize("key", ["snes/zelda3", "a//b", "/a", "ключ 1?#%"])
async def test_a_document_is_created_changed_and_deleted(client: httpx.AsyncClient, key: str) -> None:
    address = f"{BASE}/{quote(key)}"
    created = await client.put(address, json=ZELDA3)
    unchanged = await client.put(address, json={"id": key, **ZELDA3})
    changed = await client.put(address, json={**ZELDA3, "title": "Zelda III"})
    read = await client.get(address)
    deleted = await client.delete(address)
    gone = await client.delete(address)

    outcomes = [(answer.status_code, answer.json()["outcome"]) for answer in (created, unchanged, changed)]
    assert outcomes == [(201, "created"), (200, "unchanged"), (200, "updated")]
    assert changed.json() == {"id": key, "outcome": "updated", "version": created.json()["version"] + 1}
    assert read.json()["document"]["title"] == "Zelda III"
    assert (deleted.status_code, deleted.content, gone.status_code) == (204, b"", 404)


@pytest.mark.parametrize("year", [2e19, 1e300, -(10**30), 2**53])
async def test_huge_numbers_are_kept_and_found(client: httpx.AsyncClient, year: float) -> None:
    written = await client.put(f"{BASE}/huge", json={**ZELDA3, "year": year})
    found = await client.get("/api/v1/collections/games/search", params={"q": "link to the past"})
    await client.delete(f"{BASE}/huge")
    after = await client.get("/api/v1/collections/games/search")

    assert (written.status_code, found.status_code, after.status_code) == (201, 200, 200)
    assert float(year) in (found.json()["ranges"]["year"]["minimum"], found.json()["ranges"]["year"]["maximum"])
    # What is gone leaves no trace.
    assert len(after.json()["ranges"]["year"]["histogram"]) > 2
    assert after.json()["ranges"]["year"]["histogram"][0]["minimum"] > 1900


async def test_documents_tell_their_own_keys(client: httpx.AsyncClient) -> None:
    one = await client.post(BASE, json={"id": "new", **ZELDA3})
    many = await client.post(BASE, json=[{"id": "new", **ZELDA3, "year": 1992}, {"id": "newer", **ZELDA3}])

    assert (one.status_code, one.json()["id"], many.status_code) == (201, "new", 200)
    assert [(written["id"], written["outcome"]) for written in many.json()["documents"]] == [
        ("new", "updated"),
        ("newer", "created"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("PUT", "/new", [ZELDA3], "One key has one document"),
        ("PUT", "/new", {"id": "other", **ZELDA3}, "The key is “new”, but “id” says “other”."),
        ("PUT", "/new", {"nonsense": 1}, "“games” has no field “nonsense”."),
        ("POST", "", ZELDA3, "“id” has no value"),
        ("POST", "", [ZELDA3, 1], "not a list with other values"),
        ("POST", "", "x", "must be a document, as {…}, or a list of documents, not a text"),
    ],
)
async def test_documents_that_cannot_be_taken_are_refused(
    client: httpx.AsyncClient, method: str, path: str, body: object, message: str
) -> None:
    answer = await client.request(method, BASE + path, json=body)

    assert answer.status_code == 400
    assert message in answer.json()["detail"]


async def test_a_body_of_a_megabyte_is_too_large(client: httpx.AsyncClient) -> None:
    answer = await client.put(f"{BASE}/new", json={**ZELDA3, "title": "x" * 1_000_000})

    assert answer.status_code == 413


@pytest.mark.parametrize(("scope", "status"), [(None, 401), (Scope.SEARCH, 403), (Scope.EDIT, 201), (Scope.ADMIN, 201)])
async def test_changes_need_a_token_of_scope_edit(app: LivesearchApp, scope: Scope | None, status: int) -> None:
    services: Services = app.extensions["livesearch.services"]
    async with serving(app) as client:
        if scope:
            _, secret = await services.tokens.create("one", scope)
            client.headers["Authorization"] = f"Bearer {secret}"
        answer = await client.put(f"{BASE}/new", json=ZELDA3)

    assert answer.status_code == status


async def test_what_programs_change_is_in_the_audit_trail(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await client.put(f"{BASE}/new", json=ZELDA3)
    await client.put(f"{BASE}/new", json=ZELDA3)
    await client.post(BASE, json=[{"id": "new", **ZELDA3, "year": 1992}])
    await client.delete(f"{BASE}/new")

    trail = await app.services.editing.history("games", "new")

    assert {change.who for change in trail} == {"token “editor”"}
    assert [(c.before and c.before["year"], c.after and c.after["year"]) for c in reversed(trail)] == [
        (None, 1991),
        (1991, 1992),
        (1992, None),
    ]


async def test_programs_see_and_change_what_their_owners_see(app: LivesearchApp) -> None:
    services = app.services
    async with serving(app) as client:
        nintendo = await services.accounts.add("Nintendo", "correct horse", role=UserRole.EDITOR)
        _, secret = await services.tokens.create("hers", Scope.EDIT, owner=nintendo)
        _, nobodys = await services.tokens.create("nobodys", Scope.EDIT)
        await services.visibility.change("games", VisibilityRule(VisibleTo.OWNER, None, "publisher"))

        async def ask(method: str, path: str, token: str = secret, **options: object) -> httpx.Response:
            headers = {"Authorization": f"Bearer {token}"}
            return await client.request(method, path, headers=headers, **options)  # type: ignore[arg-type]  # httpx's own

        search = "/api/v1/collections/games/search?q="
        assert (await ask("GET", search)).json()["total"] == 2
        assert (await ask("GET", search, nobodys)).json()["total"] == 0
        assert (await client.get(search)).json()["total"] == 0
        assert (await ask("GET", f"{BASE}/cdi/zelda")).status_code == 404
        assert (await ask("DELETE", f"{BASE}/cdi/zelda")).status_code == 404
        assert (await ask("PUT", f"{BASE}/cdi/zelda", json=ZELDA3)).status_code == 409
        assert (await ask("PUT", f"{BASE}/new", json=ZELDA3)).status_code == 201
        assert (await ask("PUT", f"{BASE}/other", json={**ZELDA3, "publisher": "Sega"})).status_code == 400
        assert (await ask("GET", search)).json()["total"] == 3
