import httpx
import pytest

from livesearch.services import Readiness


async def test_home_is_the_page_of_the_only_collection(client: httpx.AsyncClient) -> None:
    response = await client.get("/?q=zelda")
    page = await client.get("/c/games?q=zelda")

    assert response.status_code == 200
    assert "The Legend of <mark>Zelda</mark>" in response.text
    assert 'action="/c/games"' in response.text
    assert response.text.count("<mark>") == page.text.count("<mark>")


async def test_home_lists_several_collections(library_client: httpx.AsyncClient) -> None:
    response = await library_client.get("/")

    assert response.status_code == 200
    assert "2 collections" in response.text
    assert 'href="/c/books"' in response.text
    assert 'href="/c/games"' in response.text


async def test_home_searches_all_collections(library_client: httpx.AsyncClient) -> None:
    response = await library_client.get("/?q=zelda")

    assert "8 results for “zelda”" in response.text
    assert 'href="/c/books?q=zelda"' in response.text
    assert "Show all 5" in response.text
    assert "The Legend of <mark>Zelda</mark>" in response.text


async def test_home_heads_rows_under_their_collection(library_client: httpx.AsyncClient) -> None:
    home = await library_client.get("/?q=zelda")
    page = await library_client.get("/c/games?q=zelda")

    assert (home.text.count('<h3 class="row-title"'), home.text.count('<h2 class="row-title"')) == (6, 0)
    assert (page.text.count('<h3 class="row-title"'), page.text.count('<h2 class="row-title"')) == (0, 3)


async def test_home_says_that_nothing_was_found(library_client: httpx.AsyncClient) -> None:
    response = await library_client.get("/?q=xyzzy")

    assert "Nothing found for “xyzzy”" in response.text


async def test_search_page_is_whole(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zelda")

    assert response.status_code == 200
    assert response.text.startswith("<!DOCTYPE html>")
    assert "<title>zelda · Games · livesearch</title>" in response.text
    assert "3 results for “zelda”" in response.text
    assert "<mark>Zelda</mark> II" in response.text


async def test_search_page_without_query_browses(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games")

    assert "66 documents" in response.text
    assert response.text.count("data-result") == 20


async def test_search_page_shows_year_without_its_name(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=legend")

    assert "<bdi>1987</bdi>" in response.text


async def test_search_page_shows_key_of_document_without_title(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=nobody")

    assert ">/untitled</a>" in response.text
    assert 'href="/c/games/doc//untitled?q=nobody"' in response.text


async def test_search_page_keeps_query_in_document_links(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=legend&f.platform=NES")

    assert 'href="/c/games/doc/nes/zelda?q=legend&amp;f.platform=NES"' in response.text


async def test_search_page_offers_chip_for_each_filter(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zelda&f.platform=NES&min.year=1988")

    assert 'href="/c/games?q=zelda&amp;min.year=1988"' in response.text
    assert 'href="/c/games?q=zelda&amp;f.platform=NES"' in response.text
    assert "from 1988" in response.text
    assert "1 result for “zelda”" in response.text


async def test_search_page_keeps_chosen_value_that_finds_nothing(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=legend&f.platform=CD-i")

    assert "Nothing found for “legend”" in response.text
    assert 'value="CD-i"' in response.text
    assert "Search without the filters" in response.text


async def test_search_page_links_pages(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=racing&page=2")

    assert "60 results for “racing”, page 2 of 3" in response.text
    assert 'rel="prev"' in response.text
    assert 'href="/c/games?q=racing&amp;page=3"' in response.text
    assert 'href="/c/games?q=racing"' in response.text


async def test_search_page_past_the_end_leads_back(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=racing&page=9")

    assert response.status_code == 200
    assert "There are only 3 pages" in response.text
    assert "Go to the first page" in response.text


async def test_search_page_past_the_end_does_not_blame_the_words(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zelda&page=2")

    assert "There is only 1 page" in response.text
    assert "3 results for “zelda”" in response.text
    assert "page 2" not in response.text
    assert "Check the spelling" not in response.text


@pytest.mark.parametrize("path", ["/", "/c/games", "/api/v1/collections/games/search"])
async def test_search_refuses_a_flood_of_filters(client: httpx.AsyncClient, path: str) -> None:
    flood = {"f.platform": [str(number) for number in range(4000)]}

    response = await client.get(path, params=flood)

    assert response.status_code == 400
    assert "4,000 filters" in response.text
    assert len(response.text) < 20_000


async def test_search_page_repeats_no_more_text_than_is_searched(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?f.platform=NES&min.year=1900", params={"q": "zelda " + "a" * 50_000})

    assert response.status_code == 200
    assert len(response.text) < 200_000


async def test_search_page_shows_whole_facet_without_javascript(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?facet=platform&fq=platform")

    assert response.text.count('name="f.platform"') == 14
    assert 'value="CD-i"' not in response.text


async def test_search_page_sorts(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zelda&sort=-year")

    titles = [line for line in response.text.splitlines() if "Adventure" in line or "Zelda</mark> II" in line]
    assert "Adventure" in titles[0]
    assert '<option value="-year" selected>' in response.text


async def test_document_page_shows_fields_and_way_back(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games/doc/nes/zelda?q=zelda&page=1")

    assert response.status_code == 200
    assert "<title>The Legend of Zelda · Games · livesearch</title>" in response.text
    assert 'href="/c/games?q=zelda"' in response.text
    assert "Results for “zelda”" in response.text
    assert "1987" in response.text


@pytest.mark.parametrize("path", ["x//y/%3Cb%3E", "%E6%9D%B1%E4%BA%AC%201", "/untitled"])
async def test_document_page_answers_unusual_keys(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(f"/c/games/doc/{path}")

    assert response.status_code == 200


async def test_document_page_links_web_addresses_only(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games/doc/x//y/%3Cb%3E")

    assert 'href="https://example.com/?a=1&amp;b=2"' in response.text
    assert 'rel="noopener noreferrer nofollow"' in response.text
    assert 'href="javascript' not in response.text


async def test_document_page_hides_hidden_fields(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games/doc/x//y/%3Cb%3E")

    assert "hidden-from-everybody" not in response.text


async def test_healthz_says_alive(client: httpx.AsyncClient) -> None:
    response = await client.get("/healthz")

    assert (response.status_code, response.text) == (200, "ok\n")


async def test_readyz_says_ready(client: httpx.AsyncClient) -> None:
    response = await client.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {"ready": True, "problems": []}


async def test_readyz_fails_when_store_does(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_self: object) -> Readiness:
        return Readiness(is_ready=False, problems=("The store does not answer.",))

    monkeypatch.setattr("livesearch.services.health.HealthService.check", fail)

    response = await client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["problems"] == ["The store does not answer."]


async def test_search_of_visitor_touches_no_session(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?q=zelda")

    assert "Set-Cookie" not in response.headers
    assert "Cookie" not in response.headers["Vary"]
    assert '<meta name="csrf-token" content="">' in response.text
