"""Rows that no designer would draw: keys that addresses rewrite, names full of signs, cells as long as books."""

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from tests.web.conftest import HTMX, ODD_FACET, make_store, serving

KEYS = ["..", "../..", ".", "./x", "a/../b", "two\nlines", "ends with a line\n", "/", "a/", "%2e%2e", "..%2f", "?#"]
LONG = "verbose " * 25_000
ODD: list[dict[str, object]] = [
    {"id": key, "title": f"Odd number {number}", ODD_FACET: "x"} for number, key in enumerate(KEYS)
]
MANY: list[dict[str, object]] = [
    {"id": f"many-{number}", "title": "Many", "publisher": f"Publisher {number:03}"} for number in range(107)
]
LENGTHY: dict[str, object] = {"id": "long", "title": f"Lengthy {LONG}", "notes": LONG, ODD_FACET: "y"}


@pytest.fixture(scope="module")
def odd_app(tmp_path_factory: pytest.TempPathFactory) -> LivesearchApp:
    return create_app(make_store(tmp_path_factory.mktemp("odd"), odd=[*ODD, *MANY, LENGTHY]))


@pytest.fixture
async def odd_client(odd_app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(odd_app) as client:
        yield client


@pytest.mark.parametrize("number", range(len(KEYS)), ids=map(repr, KEYS))
async def test_every_link_to_a_document_leads_there(odd_client: httpx.AsyncClient, number: int) -> None:
    # Like a browser, httpx takes dots out of a path before it asks.
    found = await odd_client.get("/c/odd", params={"q": f"Odd number {number}"})
    url = unescape(re.findall(r'<a id="result-[^"]*"\s+href="([^"]*)"', found.text)[0])

    page = await odd_client.get(url)

    assert page.status_code == 200
    assert f'<h1 dir="auto">Odd number {number}</h1>' in page.text
    assert f"Results for “Odd number {number}”" in page.text


@pytest.mark.parametrize("number", range(len(KEYS)), ids=map(repr, KEYS))
async def test_every_link_to_an_explanation_leads_there(odd_client: httpx.AsyncClient, number: int) -> None:
    found = await odd_client.get("/c/odd", params={"q": f"Odd number {number}"})
    document = await odd_client.get(unescape(re.findall(r'<a id="result-[^"]*"\s+href="([^"]*)"', found.text)[0]))

    for page_with_link in (found, document):
        link = re.findall(r'<a id="why[^>]*', page_with_link.text)[0]
        url, fragment_url = (unescape(re.findall(rf'{name}="([^"]*)"', link)[0]) for name in ("href", "hx-get"))

        page = await odd_client.get(url)
        fragment = await odd_client.get(fragment_url, headers=HTMX)

        assert f">Odd number {number}</a></h1>" in page.text
        assert re.search(r"Place 1\s", page.text)
        assert re.search(r"Place 1\s", fragment.text)
        assert "<html" not in fragment.text


async def test_suggestion_leads_to_key_of_dots(odd_client: httpx.AsyncClient) -> None:
    found = await odd_client.get("/htmx/c/odd/suggest", params={"q": "odd number 1"}, headers=HTMX)

    assert 'data-url="/c/odd/doc?key=../.."' in found.text


async def test_document_address_without_key_finds_nothing(odd_client: httpx.AsyncClient) -> None:
    assert (await odd_client.get("/c/odd/doc")).status_code == 404


async def test_facet_of_any_name_shows_all(odd_client: httpx.AsyncClient) -> None:
    page = await odd_client.get("/c/odd", params={"facet": ODD_FACET})
    url = unescape(re.findall(r'hx-get="(/htmx/c/odd/facet/a[^"]*)"', page.text)[0])

    fragment = await odd_client.get(url, headers=HTMX)

    assert fragment.status_code == 200
    assert fragment.text.count(f'name="f.{ODD_FACET.replace("&", "&amp;")}"') == 2


async def test_facet_says_that_it_is_cut(odd_client: httpx.AsyncClient) -> None:
    fragment = await odd_client.get("/htmx/c/odd/facet/publisher", headers=HTMX)

    assert fragment.text.count('name="f.publisher"') == 100
    assert "The 100 most frequent of 107 — type to find others" in fragment.text


async def test_facet_that_is_found_in_says_that_it_is_cut(odd_client: httpx.AsyncClient) -> None:
    cut = await odd_client.get("/htmx/c/odd/facet/publisher?fq=publisher", headers=HTMX)
    whole = await odd_client.get("/htmx/c/odd/facet/publisher?fq=099", headers=HTMX)

    assert "The 100 most frequent — type to find others" in cut.text
    assert "most frequent" not in whole.text


async def test_facets_stay_expanded_together(odd_client: httpx.AsyncClient) -> None:
    parameters = httpx.QueryParams([("facet", "publisher"), ("fq", "00"), ("facet", ODD_FACET), ("fq", "")])

    page = await odd_client.get("/c/odd", params=parameters, headers=HTMX)

    assert page.text.count('class="facet-search"') == 2
    assert page.text.count('name="f.publisher"') == 11


@pytest.mark.parametrize("path", ["/c/odd?q=lengthy", "/", "/?q=lengthy", "/htmx/c/odd/suggest?q=lengthy+verb"])
async def test_long_cell_does_not_make_a_long_page(odd_client: httpx.AsyncClient, path: str) -> None:
    answer = await odd_client.get(path, headers=HTMX)

    assert answer.status_code == 200
    assert "verbose " * 50 not in answer.text


async def test_long_cell_is_whole_on_its_own_page(odd_client: httpx.AsyncClient) -> None:
    page = await odd_client.get("/c/odd/doc/long")

    assert LONG.strip() in page.text
