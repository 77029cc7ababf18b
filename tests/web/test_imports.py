"""Imports over HTTP: sent, looked at, started, watched; as pages and as fragments."""

import asyncio
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.bridge import LoopBridge, body_limit
from livesearch.config import Settings
from livesearch.domain import UserRole, VisibilityRule, VisibleTo
from tests.web.conftest import ATTACK, HTMX, make_store
from tests.web.test_accounts import PASSWORD, token_of

CSV = b"id,title,maker\n1,Zelda,Nintendo\n2,Sonic,Sega\n3,Mario,Nintendo\n"
PATIENCE = 60.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_store(tmp_path).model_copy(update={"query_timeout_ms": 20_000, "max_upload_mb": 2})


@pytest.fixture
def app(settings: Settings) -> LivesearchApp:
    return create_app(settings)


@pytest.fixture
async def client(app: LivesearchApp, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An editor's browser, through the bridge as it is served."""
    async with app.lifespan():
        await app.services.transactions.upgrade()
        for role in (UserRole.EDITOR, UserRole.VIEWER):
            await app.services.accounts.add(role.value, PASSWORD, role=role)
        bridge = LoopBridge(app, body_limit=body_limit(settings), uploads=app.uploads)
        transport = httpx.ASGITransport(bridge)  # type: ignore[arg-type]  # asgiref types scopes more narrowly
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            await sign_in(client, "editor")
            yield client


async def sign_in(client: httpx.AsyncClient, name: str) -> None:
    page = await client.get("/login")
    form = {"csrf_token": token_of(page), "name": name, "password": PASSWORD}
    assert (await client.post("/login", data=form)).status_code == 303


async def send(client: httpx.AsyncClient, content: bytes, filename: str = "games.csv", **fields: str) -> httpx.Response:
    token = token_of(await client.get("/imports"))
    files = {"file": (filename, io.BytesIO(content))}
    return await client.post("/imports", data={"csrf_token": token, **fields}, files=files)


async def act(client: httpx.AsyncClient, address: str, **fields: str) -> httpx.Response:
    token = token_of(await client.get(address.removesuffix("/remove").removesuffix("/cancel")))
    return await client.post(address, data={"csrf_token": token, **fields})


async def ended(client: httpx.AsyncClient, address: str) -> str:
    async with asyncio.timeout(PATIENCE):
        while True:
            text = (await client.get(f"/htmx{address}", headers=HTMX)).text
            if 'hx-trigger="ls:poll"' not in text:
                return text
            await asyncio.sleep(0.05)


def is_chosen(text: str, value: str) -> bool:
    return re.search(rf'<option value="{value}"\s+selected>', text) is not None


async def test_a_file_becomes_a_collection_without_javascript(client: httpx.AsyncClient) -> None:
    sent = await send(client, CSV)
    draft = await client.get(sent.headers["location"])
    started = await act(
        client, sent.headers["location"], name="consoles", key="id", do="import", **{"role:maker": "hidden"}
    )
    text = await ended(client, sent.headers["location"])
    page = await client.get(sent.headers["location"])
    found = await client.get("/c/consoles?q=zel")

    assert sent.status_code == 303
    assert sent.headers["location"] == "/imports/1"
    assert is_chosen(draft.text, "facet")
    assert "<td>Nintendo</td>" in draft.text
    assert (started.status_code, started.headers["location"]) == (303, "/imports/1")
    assert re.search(r"<dt>New</dt>\s*<dd>\s*3\s*</dd>", text)
    assert '<a class="button" href="/c/consoles">Search the rows</a>' in page.text
    assert "<mark>Zel</mark>da" in found.text
    assert "Nintendo" not in found.text


async def test_htmx_is_led_to_the_draft_and_looks_at_choices_in_place(client: httpx.AsyncClient) -> None:
    token = token_of(await client.get("/imports"))
    files = {"file": ("games.csv", io.BytesIO(CSV))}
    sent = await client.post("/imports", data={"csrf_token": token}, files=files, headers=HTMX)
    address = sent.headers["hx-redirect"]
    looked = await client.post(
        address, data={"csrf_token": token, "name": "games", "key": "title", "role:maker": "text"}, headers=HTMX
    )

    assert (sent.status_code, sent.text) == (200, "")
    assert looked.status_code == 200
    assert looked.text.lstrip().startswith('<section id="import"')
    assert is_chosen(looked.text, "title")
    assert is_chosen(looked.text, "text")


async def test_pasted_rows_are_imported_too(client: httpx.AsyncClient) -> None:
    token = token_of(await client.get("/imports"))
    form = {"csrf_token": token, "rows": '{"id": 1, "title": "Zelda"}\n{"id": 2, "title": "Sonic"}\n'}
    sent = await client.post("/imports", data=form)
    draft = await client.get(sent.headers["location"])

    assert sent.status_code == 303
    assert "JSONL" in draft.text
    assert "<td>Sonic</td>" in draft.text


@pytest.mark.parametrize(
    ("content", "filename", "complaint"),
    [
        (b"", "", "Choose a file, or paste some rows."),
        (b"", "empty.csv", "“empty.csv” is empty. Choose a file with rows."),
        (b"PK\x03\x04\x00\x00", "table.xlsx", "“table.xlsx” is no file of rows."),
        (b"SQLite format 3\x00", "shop.db", "“shop.db” is no file of rows."),
    ],
)
async def test_what_holds_no_rows_is_refused_where_it_was_chosen(
    client: httpx.AsyncClient, content: bytes, filename: str, complaint: str
) -> None:
    refused = await send(client, content, filename)

    assert refused.status_code == 422
    assert f'<p class="field-error">{complaint}' in refused.text
    assert "There was none yet." in refused.text


async def test_names_and_contents_of_files_are_shown_as_text(client: httpx.AsyncClient) -> None:
    sent = await send(client, f'id,title\n1,"{ATTACK.replace(chr(34), chr(34) * 2)}"\n'.encode(), f"{ATTACK}.csv")
    draft = await client.get(sent.headers["location"])
    listed = await client.get("/imports")

    assert "<img" not in draft.text
    assert "<img" not in listed.text
    assert "&lt;img src=x" in draft.text


async def test_the_largest_upload_is_taken_a_larger_one_not(client: httpx.AsyncClient, settings: Settings) -> None:
    row = b"1,Zelda,Nintendo and so on and on\n"
    fits = await send(client, b"id,title,maker\n" + row * (1_900_000 // len(row)))
    refused = await send(client, b"id,title,maker\n" + row * (2_000_000 // len(row)))
    folder = app_folder(settings)

    assert fits.status_code == 303
    assert refused.status_code == 413
    assert [path.stat().st_size for path in folder.iterdir() if path.suffix == ".csv"] == [1_900_000 // 34 * 34 + 15]
    # The parts of an upload are gone with its request.
    assert [path for path in folder.iterdir() if path.suffix == ".part"] == []


def app_folder(settings: Settings) -> Path:
    return Path(f"{settings.store_url.removeprefix('sqlite+aiosqlite:///')}.uploads")


async def test_who_may_not_import_sends_no_large_body(client: httpx.AsyncClient) -> None:
    token = token_of(await client.get("/imports"))
    large = {"file": ("games.csv", io.BytesIO(b"x" * 1_500_000))}
    as_editor = await client.post("/imports", data={"csrf_token": token}, files=large)
    client.cookies.clear()
    as_visitor = await client.post("/imports", data={"csrf_token": token}, files=large)
    await sign_in(client, "viewer")
    as_viewer = await client.post("/imports", data={"csrf_token": token}, files=large)
    client.cookies.clear()
    client.cookies.set("livesearch", "forged.forged.forged")
    as_forger = await client.post("/imports", data={"csrf_token": token}, files=large)

    assert as_editor.status_code == 303
    assert [answer.status_code for answer in (as_visitor, as_viewer, as_forger)] == [413, 413, 413]


async def test_a_taken_name_offers_to_merge_or_replace_and_says_what_would_change(client: httpx.AsyncClient) -> None:
    first = (await send(client, CSV)).headers["location"]
    await act(client, first, name="games", key="id", do="import")
    await ended(client, first)
    second = (await send(client, CSV.replace(b"Sonic", b"Sonic 2").replace(b"3,Mario,Nintendo\n", b""))).headers[
        "location"
    ]
    draft = await client.get(second)
    await act(client, second, name="games", key="id", mode="replace", do="compare")
    compared = await ended(client, second)

    assert "There is a collection of this name, with 3 rows." in draft.text
    assert "Rows are told apart by" in draft.text
    assert re.findall(r"<span>(\w+: \d+)</span>", compared) == [
        "new: 0",
        "changed: 1",
        "unchanged: 1",
        "removed: 1",
        "rejected: 0",
    ]
    assert "Sonic 2" not in (await client.get("/c/games?q=sonic")).text


async def test_rejected_rows_can_be_downloaded_and_the_import_removed(client: httpx.AsyncClient) -> None:
    address = (await send(client, CSV + b"4,too,many,cells\n")).headers["location"]
    await act(client, address, name="games", key="id", do="import")
    await ended(client, address)
    page = await client.get(address)
    rejects = await client.get(f"{address}/rejects")
    removed = await act(client, f"{address}/remove")
    index = await client.get("/imports")

    assert f'href="{address}/rejects"' in page.text
    assert rejects.headers["content-disposition"] == "attachment; filename=import-1-rejects.jsonl"
    assert rejects.json()["line"] == 5
    assert (removed.status_code, removed.headers["location"]) == (303, "/imports")
    assert "The import is removed from the list." in index.text
    assert (await client.get(address)).status_code == 404
    assert (await client.get(f"{address}/rejects")).status_code == 404


async def test_one_that_waits_refreshes_itself_and_is_cancelled(client: httpx.AsyncClient, app: LivesearchApp) -> None:
    # Another process leads: this one only looks.
    folder = app.services.import_jobs.folder
    folder.prepare()
    with folder.locked() as lock:
        assert lock is not None
        address = (await send(client, CSV)).headers["location"]
        await act(client, address, name="games", key="id", do="import")
        waiting = await client.get(address)
        poll = await client.get(f"/htmx{address}", headers=HTMX)
        cancelled = await act(client, f"{address}/cancel")
        page = await client.get(address)

    assert '<noscript>\n    <meta http-equiv="refresh" content="2">' in waiting.text
    assert "games.csv waits for its turn" in waiting.text
    assert f'hx-get="/htmx{address}"' in poll.text
    assert cancelled.status_code == 303
    assert "games.csv: cancelled" in page.text
    assert "Start again" in page.text


async def test_faulty_choices_are_said_and_not_started(client: httpx.AsyncClient) -> None:
    address = (await send(client, CSV)).headers["location"]
    bad_name = await act(client, address, name="No/Name", key="id", do="import")
    bad_role = await act(client, address, name="games", key="id", do="import", **{"role:title": "date"})
    page = await client.get(address)

    assert bad_name.status_code == 422
    assert "“No/Name” cannot be the name of a collection" in bad_name.text
    assert 'value="No/Name"' in bad_name.text
    assert bad_role.status_code == 422
    assert "“title” cannot have the role date" in bad_role.text
    assert "First rows" in page.text


async def test_who_may_import_finds_it_in_the_menu(client: httpx.AsyncClient) -> None:
    as_editor = await client.get("/account")
    client.cookies.clear()
    await sign_in(client, "viewer")
    as_viewer = await client.get("/account")

    assert 'href="/imports"' in as_editor.text
    assert 'href="/imports"' not in as_viewer.text
    assert (await client.get("/imports")).status_code == 403


async def test_nobody_imports_over_rows_that_they_may_not_see(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    first = await send(client, CSV)
    await act(client, first.headers["location"], name="games", mode="merge", do="import")
    await ended(client, first.headers["location"])
    await app.services.visibility.change("games", VisibilityRule(VisibleTo.OWNER, None, "maker"))
    second = await send(client, CSV)

    refused = [await act(client, second.headers["location"], name="games", do=task) for task in ("import", "compare")]
    allowed = await act(client, second.headers["location"], name="others", do="import")

    assert [answer.status_code for answer in refused] == [403, 403]
    assert "rows of “games” that you may not see" in refused[0].text
    assert allowed.status_code == 303
    await ended(client, second.headers["location"])


async def test_rows_that_a_rule_hides_are_hidden_in_imports_of_others_too(
    app: LivesearchApp, client: httpx.AsyncClient
) -> None:
    admin = httpx.AsyncClient(transport=client._transport, base_url="http://localhost")  # noqa: SLF001
    await app.services.accounts.add("boss", PASSWORD, role=UserRole.ADMIN)
    await sign_in(admin, "boss")
    first = (await send(admin, CSV)).headers["location"]
    await act(admin, first, name="games", key="id", do="import")
    await ended(admin, first)
    await app.services.visibility.change("games", VisibilityRule(VisibleTo.ROLE, UserRole.ADMIN))
    draft = (await send(admin, CSV + b",Nameless,Nobody\n")).headers["location"]
    own = (await send(client, CSV)).headers["location"]

    hidden = [await client.get(address) for address in (first, draft, f"{draft}/rejects")]
    hidden += [await client.get(f"/htmx{draft}", headers=HTMX)]
    token = token_of(await client.get("/imports"))
    for action in ("", "/start", "/cancel", "/remove"):
        hidden.append(await client.post(draft + action, data={"csrf_token": token, "name": "mine"}))
    listed = await client.get("/imports")

    assert {answer.status_code for answer in hidden} == {404}
    # Nor how many there are.
    assert "with 0 rows" in (await client.get(own)).text
    assert "with 3 rows" in (await admin.get(draft)).text
    assert (await admin.get(draft)).status_code == 200
    assert (draft in listed.text, own in listed.text) == (False, True)
    assert [job.id for job in await app.services.import_jobs.list_all()] == []
