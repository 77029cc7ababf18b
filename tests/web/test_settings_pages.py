"""A collection's settings over HTTP."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from livesearch.app import create_app
from livesearch.config import Settings
from livesearch.domain import UserRole
from tests.web.conftest import GAMES, HTMX, make_store, serving
from tests.web.test_accounts import PASSWORD, token_of
from tests.web.test_imports import sign_in

PAGE = "/c/games/settings"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return make_store(tmp_path, games=GAMES[:26]).model_copy(update={"query_timeout_ms": 20_000})


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's browser."""
    app = create_app(settings)
    async with serving(app) as client:
        for role in (UserRole.ADMIN, UserRole.EDITOR):
            await app.services.accounts.add(role.value, PASSWORD, role=role)
        await sign_in(client, "admin")
        yield client


async def act(client: httpx.AsyncClient, below: str, **fields: str) -> httpx.Response:
    token = token_of(await client.get(PAGE))
    return await client.post(f"{PAGE}/{below}", data={"csrf_token": token, **fields})


async def test_the_page_shows_what_is_set(client: httpx.AsyncClient) -> None:
    page = await client.get(PAGE)

    assert page.status_code == 200
    assert "Settings of <bdi>Games</bdi>" in page.text
    assert re.search(r'name="weight:title"[^>]*value="10"', page.text)
    assert re.search(r'<option value="english"\s+selected>English</option>', page.text)
    assert re.search(r'name="to"\s+value="public"\s+checked', page.text)
    # The token of the ranking form goes with its button: a comparison must not put it into the address.
    ranking = page.text.partition('id="ranking"')[2].partition("</form>")[0]
    assert 'type="hidden"' not in ranking
    assert '<button class="button" type="submit" name="csrf_token"' in ranking


async def test_a_comparison_stands_side_by_side_with_and_without_javascript(client: httpx.AsyncClient) -> None:
    asked = {"try": "racing", "popularity_field": "year", "popularity_weight": "100"}
    page = await client.get(PAGE, params=asked)
    fragment = await client.get(f"/htmx{PAGE}/preview", params=asked, headers=HTMX)
    bad = await client.get(f"/htmx{PAGE}/preview", params={"try": "zelda", "weight:title": "much"}, headers=HTMX)
    saved = await client.get(PAGE)

    for answer in (page, fragment):
        assert "<h3>Before</h3>" in answer.text
        assert "Racing number 19" in answer.text
        assert "new here" in answer.text
    assert re.search(r'<option value="year"\s+selected>year</option>', page.text)
    assert "must be a number, and “much” is none" in bad.text
    assert not re.search(r'<option value="year"\s+selected>year</option>', saved.text.partition('id="visibility"')[0])


async def test_ranking_is_saved_and_the_next_search_follows(client: httpx.AsyncClient) -> None:
    before = await client.get("/api/v1/collections/games/search?q=racing")
    chosen = {"weight:title": "10", "typos:title": "on", "language": "none"}
    saved = await act(client, "ranking", popularity_field="year", popularity_weight="100", **chosen)
    page = await client.get(PAGE)
    after = await client.get("/api/v1/collections/games/search?q=racing")

    assert (saved.status_code, saved.headers["location"]) == (303, PAGE)
    assert "Saved. The next search follows it." in page.text
    assert after.json()["hits"][0]["id"] == "row-19" != before.json()["hits"][0]["id"]


async def test_what_needs_another_index_leads_to_its_progress(client: httpx.AsyncClient) -> None:
    saved = await act(client, "fields", **{"role:platform": "hidden"})
    job = await client.get(saved.headers["location"])

    assert (saved.status_code, saved.headers["location"]) == (303, "/imports/1")
    assert "ndex of games" in job.text
    assert "/imports/1/cancel" not in job.text


async def test_synonyms_and_pins_are_added_and_removed(client: httpx.AsyncClient) -> None:
    await act(client, "synonyms", words="famicom", alternatives="nes, entertainment system", one_way="on")
    await act(client, "pins", query="zelda", document="nes/zelda2", what="pin", position="1")
    await act(client, "pins", query="evil", document="x//y/<b>", what="hide")
    page = await client.get(PAGE)
    found = (await client.get("/api/v1/collections/games/search?q=zelda")).json()["hits"]
    await act(client, "synonyms/1/remove")
    await act(client, "pins/1/remove")
    again = await client.get(PAGE)

    assert "famicom =&gt; nes, entertainment system" in page.text
    assert "zelda: nes/zelda2" in page.text
    assert "evil: x//y/&lt;b&gt;" in page.text
    assert found[0]["id"] == "nes/zelda2"
    assert "famicom" not in again.text
    assert "zelda: nes/zelda2" not in again.text


@pytest.mark.parametrize(
    ("below", "fields", "complaint"),
    [
        ("ranking", {"weight:title": "101"}, "The weight of “title” cannot be 101"),
        ("fields", {"role:title": "nonsense"}, "There is no such role."),
        ("fields", {"role:title": "date"}, "“title” cannot have the role date"),
        ("visibility", {"to": "owner"}, "the owner of"),
        ("visibility", {"to": "nonsense"}, "There is no such rule."),
        ("synonyms", {"words": "!", "alternatives": "x"}, "“!” has no word in it"),
        ("pins", {"query": "zelda", "document": "nobody"}, "nobody"),
        ("drop", {"typed_name": "other"}, "Nothing is removed"),
    ],
)
async def test_what_cannot_be_saved_is_said_on_the_page(
    client: httpx.AsyncClient, below: str, fields: dict[str, str], complaint: str
) -> None:
    refused = await act(client, below, **fields)

    assert refused.status_code == 422
    assert complaint in refused.text.partition('<p class="fault" role="alert">')[2].partition("</p>")[0]


async def test_what_was_typed_of_a_synonym_or_pin_that_is_refused_is_not_lost(client: httpx.AsyncClient) -> None:
    synonym = await act(client, "synonyms", words="!", alternatives='a "b", c', one_way="on")
    pin = await act(client, "pins", query="zel<da", document="nobody", what="hide", position="7")

    shown = html.unescape(re.sub(r"\s+", " ", synonym.text + pin.text))
    for kept in (
        'name="words" value="!"',
        'name="alternatives" value="a "b", c"',
        'name="one_way" checked',
        'name="query" value="zel<da"',
        'name="document" value="nobody"',
        'value="hide" selected',
        'max="100" value="7"',
    ):
        assert kept in shown


async def test_the_rule_of_visibility_is_saved(client: httpx.AsyncClient) -> None:
    saved = await act(client, "visibility", to="role", least_role="editor")
    client.cookies.clear()
    as_visitor = await client.get("/c/games?q=zelda")

    assert saved.status_code == 303
    assert "Zelda II" not in as_visitor.text


async def test_a_removed_collection_is_gone(client: httpx.AsyncClient) -> None:
    dropped = await act(client, "drop", typed_name="games")

    assert (dropped.status_code, dropped.headers["location"]) == (303, "/")
    assert (await client.get("/c/games")).status_code == 404
    assert (await client.get(PAGE)).status_code == 404


async def test_only_administrators_find_the_settings_on_the_page(client: httpx.AsyncClient) -> None:
    as_admin = await client.get("/c/games")
    client.cookies.clear()
    as_visitor = await client.get("/c/games")
    await sign_in(client, "editor")
    as_editor = await client.get("/c/games")

    assert f'href="{PAGE}"' in as_admin.text
    assert f'href="{PAGE}"' not in as_visitor.text
    assert f'href="{PAGE}"' not in as_editor.text
    assert (await client.get(PAGE)).status_code == 403
