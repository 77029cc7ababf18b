"""What the page says about words that were taken otherwise than they were typed."""

import re
from html import unescape

import httpx
import pytest

from tests.web.conftest import HTMX


def _banner(html: str) -> str:
    """The words of the banner, without markup; empty where there is none."""
    found = re.search(r'<p class="correction">(.*?)</p>', html, re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", "", found[1])).split()) if found else ""


def _announcement(html: str) -> str:
    found = re.search(r'data-announcement="([^"]*)"', html)
    assert found is not None
    return unescape(found[1])


@pytest.mark.parametrize("headers", [{}, HTMX])
async def test_correction_is_shown_with_the_way_back(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.get("/c/games?q=legend+zleda", headers=headers)

    assert _banner(response.text) == "Showing results for legend zelda. Search instead for legend zleda"
    assert "legend <em>zelda</em></bdi>" in response.text
    assert 'href="/c/games?q=legend+zleda&amp;exact=1"' in response.text
    assert "The <mark>Legend</mark> of <mark>Zelda</mark>" in response.text


async def test_correction_is_what_the_status_counts(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zleda")

    assert '" dir="auto">3 results for “zelda”</span>' in response.text
    assert _announcement(response.text) == "3 results for “zelda”. Searched instead of “zleda”"


async def test_correction_keeps_filters_and_leaves_the_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=raicng&f.publisher=Serial&sort=year&page=2")

    assert 'href="/c/games?q=raicng&amp;f.publisher=Serial&amp;sort=year&amp;exact=1"' in response.text


async def test_correction_escapes_what_was_typed(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games", params={"q": "<i>zleda"})

    assert _banner(response.text) == "Showing results for <i>zelda. Search instead for <i>zleda"
    assert "<i>" not in response.text


async def test_words_that_are_found_are_not_remarked_upon(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zelda")

    assert _banner(response.text) == ""
    assert _announcement(response.text) == "3 results for “zelda”"


@pytest.mark.parametrize("headers", [{}, HTMX])
async def test_exact_search_says_so_and_leads_back(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.get("/c/games?q=zleda&exact=1", headers=headers)

    assert _banner(response.text) == "Searched exactly as typed. Include similar words"
    assert 'href="/c/games?q=zleda"' in response.text
    assert "Nothing found for “zleda”" in response.text
    assert _announcement(response.text) == "No results for “zleda”. Searched exactly as typed"


async def test_exact_search_stays_exact_from_page_to_page(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=racing&f.publisher=Serial&exact=1", headers=HTMX)

    assert response.headers["HX-Replace-Url"] == "/c/games?q=racing&f.publisher=Serial&exact=1"
    assert 'href="/c/games?q=racing&amp;f.publisher=Serial&amp;exact=1&amp;page=2"' in response.text
    assert 'class="chip-clear" href="/c/games?q=racing&amp;exact=1"' in response.text
    assert "/c/games/doc/row-0?q=racing&amp;f.publisher=Serial&amp;exact=1" in response.text


async def test_exact_search_is_not_carried_by_the_form(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zleda&exact=1")

    assert 'name="exact"' not in response.text


async def test_both_readings_share_a_link_that_keeps_the_focus(client: httpx.AsyncClient) -> None:
    corrected = await client.get("/c/games?q=zleda")
    exact = await client.get("/c/games?q=zleda&exact=1")

    assert [page.text.count('<a id="other-search"') for page in (corrected, exact)] == [1, 1]


async def test_notice_is_shown_and_read_aloud(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zelda+year:abc")

    assert '<p class="notice" dir="auto">“year:abc” was left out.' in response.text
    assert "“year:abc” was left out." in _announcement(response.text)


async def test_search_over_all_says_what_each_collection_was_searched_for(library_client: httpx.AsyncClient) -> None:
    response = await library_client.get("/?q=zleda")

    assert "3 results for “zelda”" in response.text


@pytest.mark.parametrize(
    ("parameters", "corrected_query", "total"), [("q=zleda", "zelda", 3), ("q=zleda&exact=1", None, 0)]
)
async def test_program_is_told_and_may_refuse(
    client: httpx.AsyncClient, parameters: str, corrected_query: str | None, total: int
) -> None:
    answer = (await client.get(f"/api/v1/collections/games/search?{parameters}")).json()

    assert (answer["corrected_query"], answer["total"]) == (corrected_query, total)
