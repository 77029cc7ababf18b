import re

import httpx
import pytest

from livesearch.app import LivesearchApp

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


async def test_search_answers_htmx_with_fragment(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zelda", headers=HTMX)

    assert response.status_code == 200
    assert response.text.lstrip().startswith("<title>zelda · Games · livesearch</title>")
    assert "<html" not in response.text
    assert '<section id="results" aria-label="Results" data-query="zelda">' in response.text
    assert re.search(r'<section id="facets"[^>]*hx-swap-oob="outerMorph"', response.text)
    assert re.search(r'<p id="status"[^>]*hx-swap-oob="innerHTML"', response.text)


@pytest.mark.parametrize(("parameters", "count"), [("", ""), ("&f.platform=NES&f.platform=CD-i&min.year=1980", "3")])
async def test_search_counts_filters_for_the_switch(client: httpx.AsyncClient, parameters: str, count: str) -> None:
    for headers in ({}, HTMX):
        response = await client.get(f"/c/games?q=zelda{parameters}", headers=headers)
        found = re.search(r'<span id="filter-count"([^>]*)>(\d*)', response.text)

        assert found is not None
        assert found[2] == count
        assert ("hidden" in found[1].split()) == (not count)
        assert ("hx-swap-oob" in found[1]) == bool(headers)


async def test_search_page_itself_swaps_nothing_out_of_band(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zelda")

    assert "hx-swap-oob" not in response.text


async def test_search_replaces_url_with_canonical_one(client: httpx.AsyncClient) -> None:
    url = "/c/games?sort=&q=+zelda+&page=1&min.year=&max.year=1990&f.platform=NES&unknown=1&facet=platform"

    response = await client.get(url, headers=HTMX)

    assert response.headers["HX-Replace-Url"] == "/c/games?q=zelda&f.platform=NES&max.year=1990"


async def test_search_replaces_url_in_latin_1_for_any_script(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games", params={"q": "東京"}, headers=HTMX)

    assert response.headers["HX-Replace-Url"] == "/c/games?q=%E6%9D%B1%E4%BA%AC"


@pytest.mark.parametrize(
    "headers",
    [
        {"HX-Request": "true", "HX-Request-Type": "full"},
        {"HX-Request": "true", "HX-Boosted": "true"},
        {"HX-Request": "true", "HX-History-Restore-Request": "true"},
        {"HX-History-Restore-Request": "true", "HX-Request-Type": "full"},
        {},
    ],
)
async def test_search_answers_whole_page_where_one_is_wanted(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await client.get("/c/games?q=zelda", headers=headers)

    assert response.text.startswith("<!DOCTYPE html>")


async def test_document_answers_htmx_with_fragment(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games/doc/nes/zelda", headers=HTMX)

    assert "<html" not in response.text
    assert '<article id="document"' in response.text


async def test_home_answers_htmx_with_fragment(library_client: httpx.AsyncClient) -> None:
    response = await library_client.get("/?q=zelda", headers=HTMX)

    assert "<html" not in response.text
    assert response.headers["HX-Replace-Url"] == "/?q=zelda"
    assert re.search(r'<p id="status"[^>]*hx-swap-oob', response.text)


async def test_suggest_answers_options(client: httpx.AsyncClient) -> None:
    response = await client.get("/htmx/c/games/suggest?q=zel", headers=HTMX)

    assert response.status_code == 200
    assert response.text.count('role="option"') >= 2
    assert 'data-text="zelda"' in response.text
    assert 'data-query="zel"' in response.text
    assert 'data-url="/c/games/doc/nes/zelda2"' in response.text


async def test_suggest_leaves_out_what_is_typed(client: httpx.AsyncClient) -> None:
    response = await client.get("/htmx/c/games/suggest?q=zelda", headers=HTMX)

    assert 'data-text="zelda"' not in response.text


async def test_suggest_repeats_no_more_than_is_searched(client: httpx.AsyncClient) -> None:
    text = "zelda " + "-" * 50_000 + " z"

    response = await client.get("/htmx/c/games/suggest", params={"q": text}, headers=HTMX)

    assert response.status_code == 200
    assert len(response.text) < 5000


async def test_suggest_answers_empty_list_for_no_text(client: httpx.AsyncClient) -> None:
    response = await client.get("/htmx/c/games/suggest?q=", headers=HTMX)

    assert response.status_code == 200
    assert 'role="option"' not in response.text


async def test_facet_answers_all_values(client: httpx.AsyncClient) -> None:
    response = await client.get("/htmx/c/games/facet/platform?q=racing", headers=HTMX)

    assert response.text.count('name="f.platform"') == 14
    assert 'name="facet" value="platform"' in re.sub(r"\s+", " ", response.text)


async def test_facet_answers_values_that_hold_text(client: httpx.AsyncClient) -> None:
    response = await client.get("/htmx/c/games/facet/platform?fq=07", headers=HTMX)

    assert response.text.count('name="f.platform"') == 1
    assert 'value="Platform 07"' in response.text


async def test_facet_of_unknown_field_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.get("/htmx/c/games/facet/nonsense", headers=HTMX)

    assert response.status_code == 400
    assert "nonsense" in response.text


def test_every_fragment_address_exists_under_its_prefix(app: LivesearchApp) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("htmx.")}

    assert rules == {
        "/htmx/c/<name>/suggest",
        "/htmx/c/<name>/changes",
        "/htmx/c/<name>/facet/<path:field>",
        "/htmx/c/<name>/explain/<path:key>",
    }


async def test_every_fragment_address_refuses_others_than_htmx(app: LivesearchApp, client: httpx.AsyncClient) -> None:
    rules = [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/htmx")]
    paths = [re.sub(r"<[^>]+>", "games", rule) for rule in rules]

    statuses = {path: (await client.get(path)).status_code for path in [*paths, "/htmx", "/htmx/", "/htmx/unknown"]}

    assert len(statuses) >= 5
    assert set(statuses.values()) == {400}


async def test_htmx_never_gets_json(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/collections/games/search?q=zelda", headers=HTMX)

    assert response.status_code == 400
    assert response.headers["Content-Type"].startswith("text/html")
