"""Users administration, as an administrator's browser does it: with htmx and without."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.domain import User, UserRole
from tests.web.conftest import GAMES, HTMX, make_store, serving
from tests.web.test_accounts import PASSWORD, token_of
from tests.web.test_rendered_markup import ATTACK, _audit

BOTH = pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
EVERY_FIELD = {
    "name": "Bob",
    "email": "bob@example.com",
    "role": "editor",
    "groups": "Sales, staff,, sales",
    "status": "active",
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    store = make_store(tmp_path_factory.mktemp("users"), games=GAMES[:3])
    return store.model_copy(update={"query_timeout_ms": 20_000})


@pytest.fixture(scope="module")
def app(settings: Settings) -> LivesearchApp:
    return create_app(settings)


@pytest.fixture
async def client(app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of an administrator, and a viewer beside them."""
    async with serving(app) as client:
        accounts = app.services.accounts
        for user in await accounts.list_all():
            await accounts.delete(user.name)
        await accounts.add("Ann", PASSWORD, role=UserRole.ADMIN)
        await accounts.add("Zoë Müller", PASSWORD, role=UserRole.VIEWER, email="zoe@example.com")
        form = {"csrf_token": token_of(await client.get("/login")), "name": "ann", "password": PASSWORD}
        await client.post("/login", data=form)
        client.headers["X-CSRFToken"] = token_of(await client.get("/users"))
        yield client


async def _user(app: LivesearchApp, name: str) -> User:
    return next(user for user in await app.services.accounts.list_all() if user.name == name)


async def test_list_is_a_page_with_its_search(client: httpx.AsyncClient) -> None:
    page = await client.get("/users?q=MULLER")

    assert page.text.startswith("<!DOCTYPE html>")
    assert "1 user for “MULLER”" in page.text
    assert "zoe@example.com" in page.text
    assert ">Ann<" not in page.text.split("<main")[1]
    assert 'hx-get="/users"' in page.text
    assert 'hx-get="/htmx/users/search?q=MULLER"' in page.text
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/users", "/htmx/users/search"])
async def test_part_of_the_list_follows_what_is_typed(client: httpx.AsyncClient, path: str) -> None:
    part = await client.get(f"{path}?q=ann&page=1", headers=HTMX)

    assert part.headers["HX-Replace-Url"] == "/users?q=ann"
    assert "<html" not in part.text
    assert part.text.count('class="user ') == 1
    assert "<bdi>Ann</bdi>" in part.text
    assert "1 user for “ann”" in part.text


async def test_list_has_pages(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    # As the command line makes them, but with one hash for all: it takes most of the time.
    hashed = await app.services.accounts._checked_hash("x", PASSWORD, None)  # noqa: SLF001
    async with app.services.transactions.write() as conn:
        for number in range(30):
            await app.services.accounts._add(  # noqa: SLF001
                conn, f"user {number:02}", hashed, role=UserRole.VIEWER, email=None
            )

    first, last = await client.get("/users?q=user"), await client.get("/users?q=user&page=2")

    assert first.text.count('class="user ') == 25
    assert 'href="/users?q=user&amp;page=2"' in first.text
    assert last.text.count('class="user ') == 5
    assert (await client.get("/users?page=x")).status_code == 400


@BOTH
async def test_user_is_created(app: LivesearchApp, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    form = {"name": "Bob", "email": "bob@example.com", "role": "editor", "password": "another horse"}

    answer = await client.post("/users", data=form, headers=headers)

    bob = await _user(app, "Bob")
    assert (bob.email, bob.role, bob.is_active) == ("bob@example.com", UserRole.EDITOR, True)
    assert await app.services.accounts.sign_in("bob", "another horse", address="")
    if headers:
        assert (answer.status_code, answer.headers["HX-Trigger"]) == (200, "userCreated")
        assert "Bob is added." in answer.text
    else:
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/users/{bob.id}")
        assert "Bob is added." in (await client.get(f"/users/{bob.id}")).text


@BOTH
@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"name": "", "password": PASSWORD}, "Give a name."),
        ({"name": "ANN", "password": PASSWORD}, "Somebody is named “ANN” already."),
        ({"name": "Bob", "email": "nonsense", "password": PASSWORD}, "This is no e-mail address."),
        ({"name": "Bob", "role": "emperor", "password": PASSWORD}, "Not a valid choice"),
        ({"name": "Bob", "password": "short"}, "8 characters or more"),
        ({"name": "Bob"}, "Choose a password."),
    ],
)
async def test_user_that_cannot_be_created_says_why_beside_the_field(
    app: LivesearchApp, client: httpx.AsyncClient, form: dict[str, str], fault: str, headers: dict[str, str]
) -> None:
    answer = await client.post("/users", data=form, headers=headers)

    assert answer.status_code == 422
    assert fault in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert answer.text.startswith("<!DOCTYPE html>") is not bool(headers)
    assert "HX-Trigger" not in answer.headers
    assert len(await app.services.accounts.list_all()) == 2


async def test_user_has_a_page_and_a_part_of_it(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    zoe = await _user(app, "Zoë Müller")

    page, part = await client.get(f"/users/{zoe.id}"), await client.get(f"/htmx/users/{zoe.id}", headers=HTMX)
    row = await client.get(f"/htmx/users/{zoe.id}/row", headers=HTMX)

    assert page.text.startswith("<!DOCTYPE html>")
    assert part.text.lstrip().startswith(f'<article id="user-{zoe.id}"')
    assert row.text.lstrip().startswith(f'<article id="user-{zoe.id}"')
    for text in (page.text, part.text):
        assert "Viewer" in text
        assert f'action="/users/{zoe.id}/delete"' in text
    # A page leads on; a part is exchanged in place.
    assert "hx-delete" not in page.text
    assert f'hx-delete="/users/{zoe.id}"' in part.text


async def test_edit_form_holds_what_is(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    zoe = await _user(app, "Zoë Müller")

    page, part = (
        await client.get(f"/users/{zoe.id}/edit"),
        await client.get(f"/htmx/users/{zoe.id}/edit", headers=HTMX),
    )

    for text in (page.text, part.text):
        assert 'value="Zoë Müller"' in text
        assert 'value="zoe@example.com"' in text
        assert '<option selected value="viewer">' in text
    assert f'hx-put="/users/{zoe.id}"' in part.text


@pytest.mark.parametrize(("method", "headers"), [("PUT", HTMX), ("PUT", {}), ("POST", {}), ("POST", HTMX)])
async def test_user_is_changed(
    app: LivesearchApp, client: httpx.AsyncClient, method: str, headers: dict[str, str]
) -> None:
    zoe = await _user(app, "Zoë Müller")

    answer = await client.request(method, f"/users/{zoe.id}", data=EVERY_FIELD, headers=headers)

    bob = await app.services.users.get(zoe.id)
    assert (bob.name, bob.email, bob.role, bob.is_active) == ("Bob", "bob@example.com", UserRole.EDITOR, True)
    assert set(map(str.lower, bob.groups)) == {"sales", "staff"}
    if headers:
        assert (answer.status_code, answer.headers["HX-Trigger"]) == (200, "userUpdated")
        assert answer.text.lstrip().startswith(f'<article id="user-{zoe.id}"')
        assert "The changes are saved." in answer.text
    else:
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/users/{zoe.id}")
        assert "The changes are saved." in (await client.get(f"/users/{zoe.id}")).text


async def test_what_a_change_leaves_out_stays(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    zoe = await app.services.accounts.set_groups("Zoë Müller", ["staff"])

    disabled = await client.put(f"/users/{zoe.id}", data={"status": "disabled"}, headers=HTMX)
    now = await app.services.users.get(zoe.id)
    enabled = await client.put(f"/users/{zoe.id}", data={"status": "active"}, headers=HTMX)

    assert (now.name, now.email, now.role, now.is_active) == (zoe.name, zoe.email, zoe.role, False)
    assert now.groups == ("staff",)
    assert ("Disabled" in disabled.text, "Disabled" in enabled.text) == (True, False)
    assert "Enable" in disabled.text


@BOTH
async def test_nobody_takes_back_unseen_what_another_has_changed(
    app: LivesearchApp, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    zoe = await _user(app, "Zoë Müller")
    seen = _changed_at(await client.get(f"/users/{zoe.id}/edit"))
    await app.services.accounts.set_active(zoe.name, is_active=False)

    form = {**EVERY_FIELD, "changed_at": seen}
    refused = await client.put(f"/users/{zoe.id}", data=form, headers=headers)
    now = await app.services.users.get(zoe.id)
    saved = await client.put(f"/users/{zoe.id}", data={**form, "changed_at": _changed_at(refused)}, headers=headers)

    assert refused.status_code == 409
    assert refused.headers.get("HX-Retarget") == (f"#user-{zoe.id}" if headers else None)
    assert "to: Zoë Müller, zoe@example.com, Viewer, may not sign in." in refused.text
    assert 'value="bob@example.com"' in refused.text
    # Or the focus would be nowhere: the button that had it is gone.
    assert refused.text.count("autofocus") == 1
    assert (now.name, now.is_active) == (zoe.name, False)
    assert saved.status_code == (200 if headers else 303)
    assert (await app.services.users.get(zoe.id)).is_active


def _changed_at(page: httpx.Response) -> str:
    found = re.search(r'name="changed_at"[^>]* value="([^"]*)"', page.text)
    assert found
    return found[1]


@BOTH
@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"name": ""}, "Give a name."),
        ({"name": "ann"}, "Somebody is named “ann” already."),
        ({"email": "nonsense"}, "This is no e-mail address."),
        ({"role": "emperor"}, "Not a valid choice"),
        ({"status": "asleep"}, "Not a valid choice"),
        ({"groups": "a|b"}, "“a|b” cannot be a group"),
    ],
)
async def test_change_that_cannot_be_made_says_why_and_keeps_what_was_typed(
    app: LivesearchApp, client: httpx.AsyncClient, form: dict[str, str], fault: str, headers: dict[str, str]
) -> None:
    zoe = await _user(app, "Zoë Müller")

    answer = await client.put(f"/users/{zoe.id}", data={**EVERY_FIELD, **form}, headers=headers)

    assert answer.status_code == 422
    assert fault in answer.text
    assert f'value="{form.get("email", "bob@example.com")}"' in answer.text
    assert answer.text.startswith("<!DOCTYPE html>") is not bool(headers)
    assert await app.services.users.get(zoe.id) == zoe


@BOTH
async def test_password_is_reset(app: LivesearchApp, client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    zoe = await _user(app, "Zoë Müller")
    secret = await app.services.accounts.sign_in(zoe.name, PASSWORD, address="")

    refused = await client.post(f"/users/{zoe.id}/password", data={"new_password": "short"}, headers=headers)
    done = await client.post(f"/users/{zoe.id}/password", data={"new_password": "another horse"}, headers=headers)

    assert (refused.status_code, "8 characters or more" in refused.text) == (422, True)
    assert done.status_code == (200 if headers else 303)
    assert done.headers.get("HX-Trigger") == ("userUpdated" if headers else None)
    assert await app.services.sessions.find(secret) is None
    assert await app.services.accounts.sign_in(zoe.name, "another horse", address="")


@pytest.mark.parametrize(
    ("method", "path", "headers"), [("DELETE", "", HTMX), ("DELETE", "", {}), ("POST", "/delete", {})]
)
async def test_user_is_deleted(
    app: LivesearchApp, client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> None:
    zoe = await _user(app, "Zoë Müller")

    answer = await client.request(method, f"/users/{zoe.id}{path}", headers=headers)
    again = await client.request(method, f"/users/{zoe.id}{path}", headers=headers)

    assert [user.name for user in await app.services.accounts.list_all()] == ["Ann"]
    assert again.status_code == 404
    if headers:
        assert (answer.status_code, answer.headers["HX-Trigger"]) == (200, "userDeleted")
        assert "Zoë Müller is deleted." in answer.text
    else:
        assert (answer.status_code, answer.headers["Location"]) == (303, "/users")
        assert "Zoë Müller is deleted." in (await client.get("/users")).text


@BOTH
@pytest.mark.parametrize(
    ("method", "form"),
    [("PUT", {"role": "editor"}), ("PUT", {"status": "disabled"}), ("DELETE", {})],
    ids=["demoted", "disabled", "deleted"],
)
async def test_last_administrator_stays(
    app: LivesearchApp, client: httpx.AsyncClient, method: str, form: dict[str, str], headers: dict[str, str]
) -> None:
    ann = await _user(app, "Ann")

    answer = await client.request(method, f"/users/{ann.id}", data=form, headers=headers)

    assert answer.status_code == 409
    assert "“Ann” is the only administrator who can sign in" in answer.text
    assert answer.headers.get("HX-Retarget") == ("#error-container" if headers else None)
    assert await _user(app, "Ann") == ann


async def test_administrator_who_steps_down_is_asked_to_sign_in(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    await app.services.accounts.add("Bea", PASSWORD, role=UserRole.ADMIN)
    ann = await _user(app, "Ann")

    answer = await client.put(f"/users/{ann.id}", data={"role": "viewer"}, headers=HTMX)
    next_page = await client.get("/users", headers={**HTMX, "HX-Current-URL": "http://localhost/users"})

    assert answer.status_code == 200
    assert (next_page.status_code, next_page.headers["HX-Redirect"]) == (401, "/login?next=/users")


@BOTH
@pytest.mark.parametrize("path", ["/users/0", "/users/2147483648", "/users/99999", "/users/99999/edit"])
async def test_user_who_is_not_there_is_not_found(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    answer = await client.get(f"/htmx{path}" if headers else path, headers=headers)

    assert answer.status_code == 404


async def test_header_leads_administrators_to_users(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    of_admin = await client.get("/c/games")
    await app.services.accounts.add("Bea", PASSWORD, role=UserRole.ADMIN)
    form = {"csrf_token": token_of(await client.get("/users")), "name": "zoë müller", "password": PASSWORD}
    await client.post("/login", data=form)
    of_viewer = await client.get("/c/games")

    assert 'href="/users"' in of_admin.text
    assert 'href="/users"' not in of_viewer.text


async def test_pages_are_strict_and_no_name_injects_markup(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    evil = await app.services.accounts.add(ATTACK, PASSWORD, role=UserRole.VIEWER)
    paths = ["/users", f"/users?q={ATTACK[1:4]}", f"/users/{evil.id}", f"/users/{evil.id}/edit"]

    audits = [_audit((await client.get(path)).text) for path in paths]
    audits += [_audit((await client.get(f"/htmx/users/{evil.id}{part}", headers=HTMX)).text) for part in ("", "/edit")]

    assert [audit.offences for audit in audits] == [[]] * 6
    assert [sorted(set(audit.ids)) for audit in audits] == [sorted(audit.ids) for audit in audits]
    assert [audit.tags.count("img") for audit in audits] == [0] * 6
    assert [audit.tags.count("h1") for audit in audits[:4]] == [1] * 4


async def test_what_administrators_do_is_logged(
    app: LivesearchApp, client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    ann, zoe = await _user(app, "Ann"), await _user(app, "Zoë Müller")

    await client.put(f"/users/{zoe.id}", data={"role": "admin"}, headers=HTMX)

    logged = capsys.readouterr().err
    assert re.search(rf"user_changed.*by={ann.id}.*role=admin.*user={zoe.id}", re.sub(r"\x1b\[\d*m", "", logged))
