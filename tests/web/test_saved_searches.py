"""The dashboard and saved searches as browsers use them: with htmx and without."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.domain import UserRole
from livesearch.services.digests import DigestService
from livesearch.services.mail import Mailer
from tests.web.conftest import GAMES, HTMX, make_store, serving
from tests.web.test_accounts import PASSWORD, token_of


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    store = make_store(tmp_path_factory.mktemp("saved"), games=GAMES[:6])
    return store.model_copy(update={"query_timeout_ms": 20_000})


@pytest.fixture(scope="module")
def app(settings: Settings) -> LivesearchApp:
    return create_app(settings)


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of somebody who has signed in and saved nothing."""
    async with serving(app) as client:
        if "Ann" in {user.name for user in await app.services.accounts.list_all()}:
            await app.services.accounts.delete("Ann")
        await app.services.accounts.add("Ann", PASSWORD, role=UserRole.VIEWER)
        form = {"csrf_token": token_of(await client.get("/login")), "name": "ann", "password": PASSWORD}
        assert (await client.post("/login", data=form)).status_code == 303
        client.headers["X-CSRFToken"] = token_of(await client.get("/account"))
        yield client


def names(answer: httpx.Response) -> list[str]:
    """Name and news of the saved searches that are shown."""
    found = re.findall(r'<a href="(/c/[^"]*)">([^<]*)</a>|(\d+ new)<span', answer.text)
    return [part for url, name, news in found for part in ((name, url) if name else (news,))]


async def test_save_is_offered_to_users_alone(client: httpx.AsyncClient) -> None:
    mine = await client.get("/c/games?q=zelda&f.platform=NES&sort=-year&page=2")
    fragment = await client.get("/c/games?q=mario&page=2", headers=HTMX)
    client.cookies.clear()
    page = await client.get("/c/games?q=zelda")
    visitors = await client.get("/c/games?q=zelda", headers=HTMX)

    assert re.search(r'name="search"\s+value="\?q=zelda&amp;f.platform=NES&amp;sort=-year"', mine.text)
    assert re.search(r'name="search"\s+value="\?q=mario"\s+hx-swap-oob="outerHTML"', fragment.text)
    assert "save-query" not in page.text + visitors.text
    assert 'dashboard"' not in page.text


async def test_saved_search_tells_what_is_new(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    form = {"collection": "games", "search": "?q=zelda&f.platform=NES", "name": "Ours"}
    saved = await client.post("/saved-searches", data=form, headers=HTMX)
    before = await client.get("/dashboard")
    await app.services.documents.put("games", "new", {"title": "Zelda again", "platform": "NES"})

    page = await client.get("/dashboard")
    fragment = await client.get("/dashboard", headers=HTMX)

    assert saved.headers["HX-Trigger"] == "savedSearchesUpdated"
    assert " as <bdi>Ours</bdi>" in saved.text
    assert names(before) == ["Ours", "/c/games?q=zelda&amp;f.platform=NES"]
    assert names(page) == ["Ours", "/c/games?q=zelda&amp;f.platform=NES", "1 new"]
    assert fragment.text.lstrip().startswith('<section id="saved-searches"')
    assert "1 new in your saved searches" in fragment.text
    await app.services.documents.delete("games", "new")


async def test_opening_shows_the_new_and_marks_them(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await client.post("/saved-searches", data={"collection": "games", "q": "zelda"})
    address = re.search(r'action="(/saved-searches/\d+)"', (await client.get("/dashboard")).text)
    assert address
    await app.services.documents.put("games", "new", {"title": "Zelda <again>", "platform": "NES"})

    opened = await client.post(address[1], data={"action": "open"})
    by_htmx = await client.post(address[1], data={"action": "open"}, headers=HTMX)
    page = await client.get(address[1])
    dashboard = await client.get("/dashboard")

    assert (opened.status_code, opened.headers["Location"]) == (303, address[1])
    assert (by_htmx.status_code, by_htmx.headers["HX-Redirect"]) == (200, address[1])
    assert "1 document was new when you last looked" in page.text
    assert "<mark>Zelda</mark> &lt;again&gt;" in page.text
    assert "The Legend of" not in page.text
    assert names(dashboard) == ["zelda", "/c/games?q=zelda"]
    await app.services.documents.delete("games", "new")


async def test_searches_are_renamed_marked_and_deleted(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    for text in ("zelda", "adventure"):
        await client.post("/saved-searches", data={"collection": "games", "q": text})
    first, second = re.findall(r'action="(/saved-searches/\d+)"', (await client.get("/dashboard")).text)
    await app.services.documents.put("games", "new", {"title": "Zelda adventure", "platform": "NES"})

    renamed = await client.post(first, data={"action": "save", "name": "Mine"}, headers=HTMX)
    one_seen = await client.post(second, data={"action": "seen"}, headers=HTMX)
    all_seen = await client.post("/saved-searches/seen", headers=HTMX)
    plain = await client.post(first, data={"action": "delete"})
    deleted = await client.delete(second, headers=HTMX)
    nonsense = await client.post(first, data={"action": "explode"})

    assert names(renamed) == ["Mine", "/c/games?q=zelda", "1 new", "adventure", "/c/games?q=adventure", "1 new"]
    assert names(one_seen)[2] == "1 new"
    assert names(one_seen)[3:] == ["adventure", "/c/games?q=adventure"]
    assert "new<span" not in all_seen.text
    assert (plain.status_code, plain.headers["Location"]) == (303, "/dashboard")
    assert names(deleted) == []
    assert nonsense.status_code == 400
    await app.services.documents.delete("games", "new")


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"collection": "nonsense", "q": "zelda"}, 404),
        ({"collection": "games", "search": "?f.nonsense=1"}, 400),
        ({"collection": "games", "q": "zelda", "name": "x" * 101}, 400),
        ({"collection": "games", "q": "zelda", "page": "0"}, 400),
    ],
)
async def test_what_cannot_be_saved_is_refused(client: httpx.AsyncClient, form: dict[str, str], status: int) -> None:
    assert (await client.post("/saved-searches", data=form)).status_code == status
    assert names(await client.get("/dashboard")) == []


async def test_searches_of_others_are_not_there(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await client.post("/saved-searches", data={"collection": "games", "q": "zelda"})
    address = re.search(r'action="(/saved-searches/\d+)"', (await client.get("/dashboard")).text)
    assert address
    if "Bob" not in {user.name for user in await app.services.accounts.list_all()}:
        await app.services.accounts.add("Bob", PASSWORD, role=UserRole.ADMIN)
    form = {"name": "bob", "password": PASSWORD, "csrf_token": token_of(await client.get("/account"))}
    await client.post("/logout", data=form)
    client.headers["X-CSRFToken"] = form["csrf_token"] = token_of(await client.get("/login"))
    await client.post("/login", data=form)
    client.headers["X-CSRFToken"] = token_of(await client.get("/account"))

    statuses = [
        (await client.get(address[1])).status_code,
        (await client.post(address[1], data={"action": "open"})).status_code,
        (await client.delete(address[1])).status_code,
    ]

    assert statuses == [404, 404, 404]
    assert names(await client.get("/dashboard")) == []


async def test_mails_are_offered_where_they_can_be_sent_and_ended_by_their_link(
    app: LivesearchApp, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = app.services
    await client.post("/saved-searches", data={"collection": "games", "q": "zelda"})
    await client.post("/saved-searches", data={"collection": "games", "q": "mario"})
    first, second = re.findall(r'action="(/saved-searches/\d+)"', (await client.get("/dashboard")).text)
    not_possible = await client.get("/dashboard")
    mailer = Mailer("127.0.0.1", 1, "none", "search@example.com")
    possible = DigestService(services.transactions, services.saved_searches, mailer, public_url="http://localhost")
    monkeypatch.setattr(app, "services", replace(services, digests=possible))
    monkeypatch.setitem(app.extensions, "livesearch.services", app.services)
    async with services.transactions.write() as conn:
        await conn.exec_driver_sql("UPDATE users SET email = 'ann@example.com'")

    offered = await client.get("/dashboard")
    for address in (first, second):
        await client.post(address, data={"action": "save", "digest": "daily"})
    nonsense = await client.post(first, data={"action": "save", "digest": "hourly"})
    async with services.transactions.read() as conn:
        rows = await conn.exec_driver_sql("SELECT stop_token FROM saved_searches WHERE digest = 'daily' ORDER BY id")
        one, other = rows.scalars().all()
    # Programs have no cookie and no CSRF token.
    client.cookies.clear()
    del client.headers["X-CSRFToken"]
    asked = await client.get(f"/unsubscribe/{one}")
    stopped = await client.post(f"/unsubscribe/{one}", data={"only": "this"})
    async with services.transactions.read() as conn:
        left = (await conn.exec_driver_sql("SELECT digest FROM saved_searches ORDER BY id")).scalars().all()
    by_program = await client.post(f"/unsubscribe/{other}", data={"List-Unsubscribe": "One-Click"})
    async with services.transactions.read() as conn:
        none_left = (await conn.exec_driver_sql("SELECT digest FROM saved_searches ORDER BY id")).scalars().all()

    assert 'name="digest"' not in not_possible.text
    assert 'value="daily"' in offered.text
    assert nonsense.status_code == 400
    assert "the saved search <bdi>zelda</bdi>" in asked.text
    assert (stopped.status_code, list(left)) == (200, ["off", "daily"])
    assert (by_program.status_code, list(none_left)) == (200, ["off", "off"])
    assert (await client.get("/unsubscribe/nonsense")).status_code == 400
