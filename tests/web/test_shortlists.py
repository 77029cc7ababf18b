"""Shortlists as browsers use them: with htmx and without, signed in and not."""

import asyncio
import csv
import html
import io
import json
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings
from livesearch.domain import UserRole
from livesearch.services.shortlisting import clearing
from livesearch.web.presenters.shortlists import harmless_cell
from tests.web.conftest import GAMES, HTMX, make_store, serving
from tests.web.test_accounts import PASSWORD, token_of

FORMULA = "=HYPERLINK(1)"
ZELDA, ZELDA_2 = "games/nes/zelda", "games/nes/zelda2"
KEYS = [f"row-{number}" for number in range(6)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    rows = [*GAMES, {"id": "formula", "title": FORMULA, "platform": "-1", "publisher": "+49 30", "year": 2000}]
    rows += [{"id": f"{number:03}-" + f"{number * 7919:x}" * 4, "title": f"Long {number}"} for number in range(120)]
    store = make_store(tmp_path_factory.mktemp("shortlists"), games=rows)
    return store.model_copy(update={"query_timeout_ms": 20_000})


@pytest.fixture(scope="module")
def app(settings: Settings) -> LivesearchApp:
    return create_app(settings)


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(app) as client:
        yield client


@pytest.fixture
async def other(app: LivesearchApp, client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:  # noqa: ARG001  # it runs the application
    """Another browser."""
    transport = httpx.ASGITransport(LoopBridge(app))  # type: ignore[arg-type]  # asgiref types scopes more narrowly
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as other:
        yield other


async def csrf(client: httpx.AsyncClient) -> dict[str, str]:
    return {"X-CSRFToken": (await client.get("/htmx/csrf", headers=HTMX)).text}


async def sign_in(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    accounts = app.services.accounts
    known = {user.name: user for user in await accounts.list_all()}
    user = known.get("Ann") or await accounts.add("Ann", PASSWORD, role=UserRole.VIEWER)
    await app.services.shortlists.change(user, clearing())
    form = {"csrf_token": token_of(await client.get("/login")), "name": "ann", "password": PASSWORD}
    assert (await client.post("/login", data=form)).status_code == 303


def count_of(answer: httpx.Response) -> str:
    found = re.search(r'id="shortlist-count"[^>]*>([^<]*)</span>', answer.text)
    assert found, answer.text
    return found[1]


def kept(answer: httpx.Response) -> list[str]:
    found = re.search(r'data-shortlist="([^"]*)"', answer.text)
    assert found, answer.text
    values: list[str] = json.loads(html.unescape(found[1]))
    return values


async def test_pages_of_visitors_stay_the_same_for_all(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    page = await client.get("/c/games?q=zelda")
    bridge = LoopBridge(app, cache=app.response_cache, metrics=app.metrics)
    transport = httpx.ASGITransport(bridge)  # type: ignore[arg-type]  # asgiref types scopes more narrowly
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as cached:
        answers = [await cached.get("/c/games?q=zelda") for _ in range(2)]

    assert "Set-Cookie" not in page.headers
    assert "Cookie" not in page.headers["Vary"]
    assert 'name="csrf_token" value=""' in page.text
    assert re.search(rf'name="add"\s+value="{ZELDA}"', page.text)
    assert (count_of(page), kept(page)) == ("", [])
    assert ["hit" in answer.headers["Server-Timing"] for answer in answers] == [False, True]
    assert {answer.text.partition(" ms</span>")[2] for answer in answers} == {page.text.partition(" ms</span>")[2]}


@pytest.mark.parametrize("is_signed_in", [False, True])
async def test_change_answers_the_count_and_tells_the_page(
    app: LivesearchApp, client: httpx.AsyncClient, *, is_signed_in: bool
) -> None:
    if is_signed_in:
        await sign_in(app, client)
    headers = {**HTMX, **await csrf(client)}

    first = await client.post("/shortlist", data={"add": ZELDA}, headers=headers)
    twice = await client.post("/shortlist", data={"add": ZELDA}, headers=headers)
    second = await client.post("/shortlist", data={"collection": "games", "key": "x//y/<b>"}, headers=headers)
    by_address = await client.post("/shortlist/games/x//y/%3Cb%3E", headers=headers)
    fetched = await client.get("/shortlist/count", headers=HTMX)
    removed = await client.post("/shortlist", data={"remove": ZELDA}, headers=headers)
    deleted = await client.delete("/shortlist/games/x//y/%3Cb%3E", headers=headers)

    answers = [first, twice, second, by_address, removed, deleted]
    assert [count_of(answer) for answer in answers] == ["1", "1", "2", "2", "1", ""]
    assert {(answer.status_code, answer.headers["HX-Trigger"]) for answer in answers} == {(200, "shortlistUpdated")}
    assert {answer.text.lstrip()[:25] for answer in answers} == {'<span id="shortlist-count'}
    assert (count_of(fetched), kept(fetched)) == ("2", [ZELDA, "games/x//y/<b>"])
    assert "HX-Trigger" not in fetched.headers


async def test_form_without_scripts_leads_back(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await sign_in(app, client)
    token = token_of(await client.get("/c/games"))
    referrer = {"Referer": "http://localhost/c/games?q=zelda"}

    added = await client.post("/shortlist", data={"csrf_token": token, "add": ZELDA}, headers=referrer)
    page = await client.get("/c/games?q=zelda")

    assert (added.status_code, added.headers["Location"]) == (303, "/c/games?q=zelda")
    assert (count_of(page), kept(page)) == ("1", [ZELDA])


async def test_visitor_without_scripts_goes_by_the_page_that_has_expired(client: httpx.AsyncClient) -> None:
    form = {"csrf_token": "", "add": ZELDA}
    expired = await client.post("/shortlist", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    again = {"csrf_token": token_of(expired), "add": ZELDA}

    added = await client.post("/shortlist", data=again, headers={"Referer": "http://localhost/shortlist"})
    page = await client.get("/shortlist")

    assert (expired.status_code, f'name="add" value="{ZELDA}"' in expired.text) == (400, True)
    assert (added.status_code, added.headers["Location"]) == (303, "/shortlist")
    assert count_of(page) == "1"
    assert "The Legend of Zelda" in page.text


@pytest.mark.parametrize("is_signed_in", [False, True])
async def test_adds_at_once_are_all_counted(
    app: LivesearchApp, client: httpx.AsyncClient, other: httpx.AsyncClient, *, is_signed_in: bool
) -> None:
    if is_signed_in:
        await sign_in(app, client)
    headers = {**HTMX, **await csrf(client)}
    # As browsers do it: each with the cookie that was there when the first began, and the last answer's is kept.
    headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in client.cookies.items())

    async def add(key: str) -> None:
        answer = await other.post("/shortlist", data={"add": f"games/{key}"}, headers=headers)
        client.cookies.update(answer.cookies)

    await asyncio.gather(*map(add, KEYS[:5]))
    counted = await client.get("/shortlist/count", headers=HTMX)
    # From here on the cookie says it, too.
    app.extensions["livesearch.shortlists"].by_session.clear()
    later = await client.get("/shortlist")

    assert count_of(counted) == "5"
    assert count_of(later) == "5"


async def test_full_cookie_refuses_and_keeps_what_it_has(client: httpx.AsyncClient) -> None:
    headers = {**HTMX, **await csrf(client)}
    refused = None
    for number in range(120):
        key = f"{number:03}-" + f"{number * 7919:x}" * 4
        refused = await client.post("/shortlist", data={"add": f"games/{key}"}, headers=headers)
        if refused.status_code != 200:
            break
    assert refused is not None

    page = await client.get("/shortlist")

    assert refused.status_code == 409
    assert refused.headers["HX-Retarget"] == "#error-container"
    assert "Your shortlist is full: it holds 100 documents. Open it and remove some first." in refused.text
    assert count_of(page) == "100"
    assert max(map(len, client.cookies.values())) < 4_000


async def test_long_notes_do_not_outgrow_the_cookie(client: httpx.AsyncClient) -> None:
    headers = {**HTMX, **await csrf(client)}
    statuses = []
    for number, key in enumerate(KEYS):
        await client.post("/shortlist", data={"add": f"games/{key}"}, headers=headers)
        # Nothing that compresses.
        note = "".join(chr(0x4E00 + (number * 977 + at * 3571) % 20_000) for at in range(480))
        form = {"document": f"games/{key}", "action": "note", "note": note}
        statuses.append((await client.post("/shortlist/change", data=form, headers=headers)).status_code)

    assert statuses[0] == 200
    assert statuses[-1] == 409
    assert count_of(await client.get("/shortlist/count", headers=HTMX)) == "6"
    assert max(map(len, client.cookies.values())) < 4_000


async def test_visitors_list_is_the_users_after_sign_in(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await sign_in(app, client)
    await client.post("/shortlist", data={"add": ZELDA}, headers={**HTMX, **await csrf(client)})
    client.cookies.clear()
    headers = {**HTMX, **await csrf(client)}
    for place in (ZELDA, ZELDA_2):
        await client.post("/shortlist", data={"add": place}, headers=headers)
    form = {"csrf_token": token_of(await client.get("/login")), "name": "ann", "password": PASSWORD}

    await client.post("/login", data=form)
    there = await client.get("/shortlist")
    await client.post("/logout", headers=await csrf(client))
    gone = await client.get("/shortlist")

    assert kept(there) == [ZELDA, ZELDA_2]
    assert kept(gone) == []


async def test_list_is_ordered_noted_and_cleared(client: httpx.AsyncClient) -> None:
    headers = {**HTMX, **await csrf(client)}
    for place in (ZELDA, ZELDA_2, "games/formula"):
        await client.post("/shortlist", data={"add": place}, headers=headers)

    async def change(document: str, action: str, **more: str) -> httpx.Response:
        form = {"document": document, "action": action, **more}
        return await client.post("/shortlist/change", data=form, headers=headers)

    moved = kept(await change("games/formula", "up"))
    down = kept(await change(ZELDA, "down"))
    await change(ZELDA, "note", note='<b>"look"</b>')
    fragment = await client.get("/shortlist", headers=HTMX)
    removed = kept(await change(ZELDA_2, "remove"))
    nonsense = await change(ZELDA, "explode")
    cleared = await client.request("DELETE", "/shortlist", headers=headers)

    assert moved == [ZELDA, "games/formula", ZELDA_2]
    assert down == ["games/formula", ZELDA, ZELDA_2]
    assert fragment.text.lstrip().startswith('<section id="shortlist"')
    assert 'value="&lt;b&gt;&#34;look&#34;&lt;/b&gt;"' in fragment.text
    assert removed == ["games/formula", ZELDA]
    assert nonsense.status_code == 400
    assert kept(cleared) == []


@pytest.mark.parametrize("value", ["", "games", "games/", "/nes", "games/nonsense", "nonsense/nes/zelda", "games/\0"])
async def test_only_documents_can_be_kept(client: httpx.AsyncClient, value: str) -> None:
    headers = {**HTMX, **await csrf(client)}

    answer = await client.post("/shortlist", data={"add": value}, headers=headers)

    assert answer.status_code in {400, 404}
    assert count_of(await client.get("/shortlist/count", headers=HTMX)) == ""


async def test_files_hold_the_list_and_no_formula(client: httpx.AsyncClient) -> None:
    headers = {**HTMX, **await csrf(client)}
    for place in ("games/formula", "games/x//y/<b>"):
        await client.post("/shortlist", data={"add": place}, headers=headers)
    form = {"document": "games/formula", "action": "note", "note": "@sum"}
    await client.post("/shortlist/change", data=form, headers=headers)

    as_csv = await client.get("/shortlist/export.csv")
    as_json = await client.get("/shortlist/export.json")

    assert as_csv.headers["Content-Disposition"] == 'attachment; filename="shortlist.csv"'
    formula, evil = csv.DictReader(io.StringIO(as_csv.content.decode("utf-8-sig")))
    assert {name: formula[name] for name in ("title", "note", "platform", "publisher", "year", "url")} == {
        "title": f"'{FORMULA}",
        "note": "'@sum",
        "platform": "-1",
        "publisher": "'+49 30",
        "year": "2000",
        "url": "http://localhost/c/games/doc/formula",
    }
    assert evil["homepage"] == "https://example.com/?a=1&b=2"
    assert "hidden-from-everybody" not in as_csv.text + as_json.text
    documents = as_json.json()["documents"]
    assert (documents[0]["key"], documents[0]["note"], documents[0]["document"]["platform"]) == (
        "formula",
        "@sum",
        "-1",
    )
    assert (await client.get("/shortlist/export.xls")).status_code == 404


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("-2.5", "-2.5"),
        ("+1-1", "'+1-1"),
        ("\t=1", "'\t=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ("-", "'-"),
    ],
)
def test_cell_that_begins_like_a_formula_is_text(text: str, cell: str) -> None:
    assert harmless_cell(text) == cell


async def test_link_shows_the_list_to_others_until_it_ends(
    app: LivesearchApp, client: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    await sign_in(app, client)
    headers = await csrf(client)
    await client.post("/shortlist", data={"add": ZELDA}, headers=headers)
    form = {"document": ZELDA, "action": "note", "note": "for you"}
    await client.post("/shortlist/change", data=form, headers=headers)

    await client.post("/shortlist/share", headers=headers)
    found = re.search(r'value="http://localhost(/shortlist/shared/[^"]{32})"', (await client.get("/shortlist")).text)
    assert found
    shown = await other.get(found[1])
    await client.post("/shortlist/unshare", headers=headers)
    ended = await other.get(found[1])

    assert "Shortlist of Ann" in shown.text
    assert "The Legend of Zelda" in shown.text
    assert "for you" in shown.text
    assert "Set-Cookie" not in shown.headers
    assert shown.headers["X-Robots-Tag"] == "noindex"
    # No other site learns the address; and with no referrer at all, nobody could sign out from here over HTTPS.
    assert shown.headers["Referrer-Policy"] == "same-origin"
    assert ended.status_code == 404


async def test_visitors_cannot_share(client: httpx.AsyncClient) -> None:
    answer = await client.post("/shortlist/share", headers={**HTMX, **await csrf(client)})

    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login?next=/")
