"""Documents made, changed and deleted by editors: with htmx in place, and on pages without it."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from livesearch.app import LivesearchApp, create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings
from livesearch.domain import Role, UserRole, VisibilityRule, VisibleTo
from livesearch.models import collections
from livesearch.web.presenters.live import row_id
from tests.web.conftest import GAMES, HTMX, make_store, serving
from tests.web.test_accounts import PASSWORD, token_of

ROW = f"{row_id(1, 'nes/zelda')}-row"
IN_ROW = {**HTMX, "HX-Target": f"li#{ROW}"}
IN_PAGE = {**HTMX, "HX-Target": "article#document"}
ZELDA = "/c/games/doc/nes/zelda"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store of its own, which a test may change."""
    return make_store(tmp_path, games=GAMES[:6]).model_copy(update={"query_timeout_ms": 20_000})


@pytest.fixture
def app(settings: Settings) -> LivesearchApp:
    return create_app(settings)


def transport_of(app: LivesearchApp) -> httpx.AsyncBaseTransport:
    """How another browser reaches a running application."""
    return httpx.ASGITransport(LoopBridge(app))  # type: ignore[arg-type]  # asgiref types scopes more narrowly


class Editor:
    """Somebody signed in, who sends forms as their pages have them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.token = ""

    async def sign_in(self, app: LivesearchApp, name: str, role: UserRole = UserRole.EDITOR) -> None:
        await app.services.accounts.add(name, PASSWORD, role=role)
        form = {"csrf_token": token_of(await self.client.get("/login")), "name": name, "password": PASSWORD}
        assert (await self.client.post("/login", data=form)).status_code == 303
        self.token = token_of(await self.client.get("/account"))

    async def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def send(
        self, method: str, path: str, form: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        data = {"csrf_token": self.token, **(form or {})}
        return await self.client.request(method, path, data=data, headers=headers)


@pytest.fixture
async def ann(app: LivesearchApp) -> AsyncIterator[Editor]:
    async with serving(app) as client:
        editor = Editor(client)
        await editor.sign_in(app, "Ann")
        yield editor


def form_of(page: httpx.Response) -> dict[str, str]:
    """What the form of a document would send as it stands."""
    (form,) = re.findall(r"<form class=\"form edit-form\".*?</form>", page.text, flags=re.DOTALL)
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = (re.search(rf'{part}="([^"]*)"', tag) for part in ("name", "value"))
        assert name
        found[html.unescape(name[1])] = html.unescape(value[1]) if value else ""
    for name, value in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>\r\n(.*?)</textarea>', form, flags=re.DOTALL):
        found[html.unescape(name)] = html.unescape(value)
    return found


async def total(editor: Editor, query: str) -> int:
    found: int = (await editor.get(f"/api/v1/collections/games/search?q={query}")).json()["total"]
    return found


async def test_row_is_edited_in_place_and_found_by_its_new_word(ann: Editor) -> None:
    page = await ann.get("/c/games?q=legend")
    form = await ann.get("/htmx/c/games/edit/nes/zelda", IN_ROW)

    saved = await ann.send("PUT", ZELDA, form_of(form) | {"title": "The Myth of Zelda"}, IN_ROW)

    assert 'hx-get="/htmx/c/games/edit/nes/zelda"' in page.text
    assert form_of(form)["title"] == "The Legend of Zelda"
    assert (saved.status_code, saved.headers["HX-Trigger"]) == (200, "documentUpdated")
    assert saved.text.lstrip().startswith(f'<li class="row" id="{ROW}">')
    assert "The Myth of Zelda" in saved.text
    assert "“The Myth of Zelda” is saved." in saved.text
    assert 'hx-swap-oob="innerHTML"' in saved.text
    assert (await total(ann, "myth"), await total(ann, "legend+")) == (1, 0)


async def test_a_change_of_thousands_of_digits_is_none(ann: Editor) -> None:
    undone = await ann.send("POST", "/c/games/undo", {"change": "9" * 5000})

    assert undone.status_code == 404


async def test_form_refused_as_a_whole_has_the_focus(ann: Editor) -> None:
    changed = await ann.send("PUT", ZELDA, {"platform": "x" * 600}, HTMX)
    added = await ann.send("POST", "/c/games/doc", {"id": "new", "platform": "x" * 600}, HTMX)

    for refused in (changed, added):
        assert (refused.status_code, refused.text.count("autofocus")) == (422, 1)
        assert "has a value of 600 characters" in refused.text


async def test_a_target_that_no_header_could_name_is_none_of_ours(ann: Editor) -> None:
    refused = await ann.send("PUT", ZELDA, {"year": "never"}, {**HTMX, "HX-Target": "li#%E6%97%A5"})

    assert (refused.status_code, refused.headers["HX-Retarget"]) == (422, "#edited-row")


async def test_what_the_form_leaves_out_stays(ann: Editor) -> None:
    saved = await ann.send("PUT", ZELDA, {"title": "Zelda anew"}, HTMX)

    assert saved.status_code == 200
    document = (await ann.get("/api/v1/collections/games/documents/nes/zelda")).json()["document"]
    assert document == {**GAMES[0], "title": "Zelda anew"}


async def test_hidden_fields_and_types_survive_a_form(app: LivesearchApp, ann: Editor) -> None:
    form = form_of(await ann.get("/c/games/edit?key=x//y/%3Cb%3E"))

    await ann.send("POST", "/c/games/doc/x//y/%3Cb%3E", form | {"_method": "PUT", "notes": "new"})

    _, document = await app.services.documents.get("games", "x//y/<b>")
    assert document == {**GAMES[3], "notes": "new"}
    assert "secret" not in form


async def test_row_is_shown_again_without_its_form(ann: Editor) -> None:
    row = await ann.get("/htmx/c/games/row/nes/zelda", IN_ROW)

    assert row.text.lstrip().startswith(f'<li class="row" id="{ROW}">')
    assert "<form" not in row.text


async def test_faults_stand_beside_their_fields(ann: Editor) -> None:
    form = form_of(await ann.get("/htmx/c/games/edit/x//y/%3Cb%3E", IN_ROW))

    refused = await ann.send(
        "PUT", "/c/games/doc/x//y/%3Cb%3E", form | {"year": "soon", "homepage": "javascript:x", "title": "kept"}, IN_ROW
    )

    assert refused.status_code == 422
    assert (refused.headers["HX-Retarget"], refused.headers["HX-Reswap"]) == (f"#{ROW}", "outerHTML")
    assert "“soon” is not a number." in refused.text
    assert "“javascript:x” is not a web address." in refused.text
    assert 'value="kept"' in refused.text
    assert refused.text.count('aria-invalid="true"') == 2
    assert await total(ann, "kept+") == 0


async def test_document_is_made_found_and_undone(ann: Editor) -> None:
    form = await ann.get("/htmx/c/games/new", {**HTMX, "HX-Target": "ul#new-document"})

    made = await ann.send(
        "POST", "/c/games/doc", form_of(form) | {"id": "nes/metroid", "title": "Metroid", "year": "1986"}, IN_ROW
    )

    assert (made.status_code, made.headers["HX-Trigger"]) == (200, "documentCreated")
    assert "“Metroid” is added." in made.text
    assert await total(ann, "metroid") == 1
    document = (await ann.get("/api/v1/collections/games/documents/nes/metroid")).json()["document"]
    assert document == {"id": "nes/metroid", "title": "Metroid", "year": 1986}

    change = re.search(r'name="change"\s+value="(\d+)"', made.text)
    assert change
    undone = await ann.send("POST", "/c/games/undo", {"change": change[1]}, HTMX)

    assert (undone.status_code, undone.headers["HX-Trigger"]) == (200, "documentDeleted")
    assert "The last change of “nes/metroid” is undone." in undone.text
    assert await total(ann, "metroid") == 0


@pytest.mark.parametrize(
    ("form", "status", "fault"),
    [
        ({"id": ""}, 422, "Give a key."),
        ({"id": "nes/zelda"}, 409, "There is a document “nes/zelda” in “games” already."),
        ({"id": "new", "year": "x"}, 422, "“x” is not a number."),
        ({"id": "k" * 600}, 422, "512 at most"),
    ],
)
async def test_document_that_cannot_be_made_says_why(
    ann: Editor, form: dict[str, str], status: int, fault: str
) -> None:
    for headers in (None, IN_ROW):
        answer = await ann.send("POST", "/c/games/doc", {"title": "kept", **form}, headers)

        assert answer.status_code == status
        assert fault in answer.text
        assert 'value="kept"' in answer.text
        assert answer.text.startswith("<!DOCTYPE html>") == (headers is None)


async def test_document_is_deleted_in_place_and_comes_back(ann: Editor) -> None:
    deleted = await ann.send("DELETE", ZELDA, headers=IN_ROW)

    assert (deleted.status_code, deleted.headers["HX-Trigger"]) == (200, "documentDeleted")
    assert "“The Legend of Zelda” is deleted." in deleted.text
    assert await total(ann, "legend+") == 0
    change = re.search(r'name="change"\s+value="(\d+)"', deleted.text)
    assert change

    undone = await ann.send("POST", "/c/games/undo", {"change": change[1]}, HTMX)

    assert undone.headers["HX-Trigger"] == "documentCreated"
    assert await total(ann, "legend+") == 1


async def test_second_of_two_editors_is_told_and_nothing_is_lost(app: LivesearchApp, ann: Editor) -> None:
    async with httpx.AsyncClient(transport=transport_of(app), base_url="http://localhost") as client:
        bob = Editor(client)
        await bob.sign_in(app, "Bob")
        hers, his = [form_of(await editor.get("/htmx/c/games/edit/nes/zelda", IN_ROW)) for editor in (ann, bob)]
        await ann.send("PUT", ZELDA, hers | {"title": "Hers"}, IN_ROW)

        refused = await bob.send("PUT", ZELDA, his | {"title": "His"}, IN_ROW)

        assert (refused.status_code, refused.headers["HX-Retarget"]) == (409, f"#{ROW}")
        assert "Somebody else changed this meanwhile." in refused.text
        assert re.findall(r'<td dir="auto">(.*?)</td>', refused.text) == ["Hers", "His"]
        assert form_of(refused)["title"] == "His"
        assert (await total(ann, "hers"), await total(ann, "his+")) == (1, 0)

        kept = await bob.send("PUT", ZELDA, form_of(refused), IN_ROW)

        assert kept.status_code == 200
        assert await total(ann, "his+") == 1
        # Hers is in the trail, and one step away.
        page = await bob.get(ZELDA)
        assert "<del>Hers</del>" in page.text
        assert "<ins>His</ins>" in page.text


async def test_document_deleted_while_it_was_edited_can_be_saved_anew(ann: Editor) -> None:
    form = form_of(await ann.get("/htmx/c/games/edit/nes/zelda", IN_ROW)) | {"title": "Mine"}
    await ann.send("DELETE", ZELDA, headers=IN_ROW)

    refused = await ann.send("PUT", ZELDA, form, IN_ROW)
    saved = await ann.send("PUT", ZELDA, form_of(refused), IN_ROW)

    assert refused.status_code == 409
    assert "Somebody deleted this meanwhile." in refused.text
    assert (saved.status_code, saved.headers["HX-Trigger"]) == (200, "documentCreated")
    assert await total(ann, "mine+") == 1
    assert (await ann.send("PUT", "/c/games/doc/nobody", {"title": "x"}, HTMX)).status_code == 404


async def test_stale_delete_is_refused(ann: Editor) -> None:
    digest = form_of(await ann.get("/htmx/c/games/edit/nes/zelda", IN_ROW))["_digest"]
    await ann.send("PUT", ZELDA, {"title": "Changed"}, HTMX)

    refused = await ann.client.delete(f"{ZELDA}?_digest={digest}", headers={**IN_ROW, "X-CSRFToken": ann.token})

    assert refused.status_code == 409
    assert await total(ann, "changed") == 1


async def test_plain_forms_do_the_same(ann: Editor) -> None:
    search = await ann.get("/c/games")
    new = form_of(await ann.get("/c/games/new"))
    made = await ann.send("POST", "/c/games/doc", new | {"id": "m", "title": "Metroid"})
    page = await ann.get(made.headers["Location"])
    form = form_of(await ann.get("/c/games/edit?key=m"))
    saved = await ann.send("POST", "/c/games/doc/m", form | {"_method": "PUT", "title": "Metroid II"})
    deleted = await ann.send("POST", "/c/games/doc/m", {"_method": "DELETE"})
    left = await ann.get(deleted.headers["Location"])
    change = re.search(r'name="change"\s+value="(\d+)"', left.text)
    assert change
    undone = await ann.send("POST", "/c/games/undo", {"change": change[1]})

    assert 'href="/c/games/new"' in search.text
    assert 'href="/c/games/edit?key=nes/zelda"' in search.text
    assert (made.status_code, made.headers["Location"]) == (303, "/c/games/doc/m")
    assert "“Metroid” is added." in page.text
    assert (saved.status_code, saved.headers["Location"]) == (303, "/c/games/doc/m")
    assert (deleted.status_code, deleted.headers["Location"]) == (303, "/c/games")
    assert "“Metroid II” is deleted." in left.text
    assert (undone.status_code, undone.headers["Location"]) == (303, "/c/games/doc/m")
    assert await total(ann, "metroid") == 1
    assert (await ann.send("POST", "/c/games/doc/m", {"title": "x"})).status_code == 405


async def test_document_page_is_edited_in_place(ann: Editor) -> None:
    page = await ann.get(f"{ZELDA}?q=zelda")
    form = await ann.get("/htmx/c/games/edit/nes/zelda", IN_PAGE)
    saved = await ann.send("PUT", ZELDA, form_of(form) | {"title": "Zelda anew"}, IN_PAGE)
    deleted = await ann.send("DELETE", ZELDA, headers=IN_PAGE)

    assert "History" not in page.text
    assert form.text.lstrip().startswith('<article id="document"')
    assert saved.headers["HX-Trigger"] == "documentUpdated"
    assert "Ann</bdi> changed it" in saved.text
    assert "<ins>Zelda anew</ins>" in saved.text
    assert deleted.headers["HX-Redirect"] == "/c/games"


async def test_keys_that_do_not_fit_a_path_are_edited_too(app: LivesearchApp, ann: Editor) -> None:
    await app.services.documents.put("games", "a/../b", {"title": "Dots"})

    search = await ann.get("/c/games?q=dots")
    saved = await ann.send("PUT", "/c/games/doc?key=a/../b", {"title": "Dotted"}, IN_ROW)
    plain = await ann.send("POST", "/c/games/doc?key=a/../b", {"_method": "PUT", "title": "Dotty"})

    assert 'hx-get="/c/games/edit?key=a/../b"' in search.text
    assert (await ann.get("/c/games/edit?key=a/../b", IN_ROW)).status_code == 200
    assert saved.headers["HX-Trigger"] == "documentUpdated"
    assert plain.status_code == 303
    assert await total(ann, "dotty") == 1


async def test_others_see_no_way_to_edit(app: LivesearchApp, settings: Settings) -> None:
    async with serving(app) as client:
        viewer = Editor(client)
        visitor = [await viewer.get(path) for path in ("/c/games?q=zelda", ZELDA)]
        await viewer.sign_in(app, "Vera", UserRole.VIEWER)
        signed_in = [await viewer.get(path) for path in ("/c/games?q=zelda", ZELDA)]
        refused = [
            await viewer.send(method, ZELDA, {"title": "x"}, headers)
            for method in ("PUT", "DELETE")
            for headers in (None, HTMX)
        ]

    for page in (*visitor, *signed_in):
        assert not re.search(r"edit-link|edit-actions|change-notice\"|/c/games/new", page.text)
    assert [answer.status_code for answer in refused] == [403] * 4
    assert settings.public_search


ODD: list[dict[str, object]] = [
    {
        "id": "1",
        "title": "One",
        "data": "a",
        "errors": ["x", "y"],
        "_method": "m",
        "csrf_token": "c",
        "field.csrf_token": "f",
        "deep": [{"a": 1}],
    }
]
NOTES: list[dict[str, object]] = [
    {"id": "1", "title": "One", "secret": "ann"},
    {"id": "2", "title": "Two", "secret": "bob"},
]


@pytest.fixture
def special_app(tmp_path: Path) -> LivesearchApp:
    """An application over rows with odd fields, and over rows with owners."""
    return create_app(make_store(tmp_path, odd=ODD, notes=NOTES))


async def test_fields_with_names_of_forms_are_edited(special_app: LivesearchApp) -> None:
    app, rows = special_app, ODD
    async with serving(app) as client:
        ann = Editor(client)
        await ann.sign_in(app, "Ann")
        # An import writes what lies deep as a text; a program need not.
        await app.services.documents.put("odd", "1", ODD[0])
        form = form_of(await ann.get("/c/odd/edit?key=1"))

        same = await ann.send("PUT", "/c/odd/doc/1", {k: v for k, v in form.items() if k != "csrf_token"}, HTMX)
        _, unchanged = await app.services.documents.get("odd", "1")
        await ann.send("PUT", "/c/odd/doc/1", {"data": "b", "errors": "x\r\n\r\nz", "deep": '[{"a": 2}]'}, HTMX)

        assert same.status_code == 200
        assert unchanged == rows[0]
        _, changed = await app.services.documents.get("odd", "1")
        assert changed == {**rows[0], "data": "b", "errors": ["x", "z"], "deep": [{"a": 2}]}


async def test_new_row_belongs_to_who_makes_it(special_app: LivesearchApp) -> None:
    app = special_app
    async with serving(app) as client:
        ann = Editor(client)
        await ann.sign_in(app, "Ann")
        await app.services.visibility.change("notes", VisibilityRule(VisibleTo.OWNER, None, "secret"))

        form = form_of(await ann.get("/c/notes/new"))
        made = await ann.send("POST", "/c/notes/doc", form | {"id": "3", "title": "Three"}, IN_ROW)
        others = await ann.send("POST", "/c/notes/doc", form | {"id": "4", "secret": "bob"}, IN_ROW)
        hidden = [await ann.send(method, "/c/notes/doc/2", {"title": "x"}, IN_ROW) for method in ("PUT", "DELETE")]

        assert form["secret"] == "Ann"
        assert made.headers["HX-Trigger"] == "documentCreated"
        assert (others.status_code, "“secret” must name you" in others.text) == (422, True)
        assert [answer.status_code for answer in hidden] == [404, 404]
        collection = await app.services.collections.get("notes")
        assert collection.field("secret").role is Role.HIDDEN  # type: ignore[union-attr]  # it is there


async def test_rows_of_a_table_are_changed_there(app: LivesearchApp, ann: Editor) -> None:
    async with app.services.transactions.write() as conn:
        await conn.execute(update(collections).values(source_table="public.games", version=collections.c.version + 1))

    page = await ann.get("/c/games?q=zelda")
    refused = [
        await ann.get("/c/games/new"),
        await ann.get("/c/games/edit?key=nes/zelda"),
        await ann.get("/htmx/c/games/edit/nes/zelda", IN_ROW),
        await ann.send("PUT", ZELDA, {"title": "x"}, IN_ROW),
        await ann.send("DELETE", ZELDA),
        await ann.send("POST", "/c/games/doc", {"id": "new", "title": "x"}),
    ]

    assert "edit-link" not in page.text
    assert [answer.status_code for answer in refused] == [409] * 6
    assert all("rows of the table public.games" in answer.text for answer in refused)
