import httpx
import pytest


async def test_search_answers_whole_contract(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/collections/games/search?q=legend&page_size=1")

    assert response.headers["Content-Type"] == "application/json"
    answer = response.json()
    took_ms, score = answer.pop("took_ms"), answer["hits"][0].pop("score")
    assert took_ms > 0
    assert score > 0
    assert answer == {
        "query": "legend",
        "corrected_query": None,
        "hits": [
            {
                "id": "nes/zelda",
                "document": {
                    "id": "nes/zelda",
                    "title": "The Legend of Zelda",
                    "platform": "NES",
                    "year": 1987,
                    "publisher": "Nintendo",
                },
                "highlights": {"title": "The <mark>Legend</mark> of Zelda"},
            }
        ],
        "total": 1,
        "total_is_exact": True,
        "page": 1,
        "page_size": 1,
        "facets": {
            "platform": [{"value": "NES", "count": 1, "selected": False}],
            "publisher": [{"value": "Nintendo", "count": 1, "selected": False}],
        },
        "facet_totals": {
            name: {"value_count": 1, "value_count_is_exact": True, "counts_are_exact": True}
            for name in ("platform", "publisher")
        },
        "ranges": {
            "year": {
                "minimum": 1980,
                "maximum": 1999,
                "histogram": [
                    {"minimum": year, "maximum": year + 1, "count": int(year == 1987)} for year in range(1980, 2000)
                ],
            }
        },
        "notices": [],
        "next_cursor": None,
        "version": 1,
    }


async def test_search_escapes_highlights(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/collections/games/search?q=evil")

    highlights = response.json()["hits"][0]["highlights"]
    assert highlights["title"] == "&lt;img src=x onerror=&#34;alert(1)&#34;&gt; <mark>evil</mark>"
    assert highlights["notes"].startswith("an <mark>evil</mark> note &lt;img")


async def test_search_filters(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/collections/games/search?q=zelda&f.platform=NES&f.platform=CD-i&max.year=1990")

    answer = response.json()
    assert {hit["id"] for hit in answer["hits"]} == {"nes/zelda", "nes/zelda2"}
    assert {"value": "NES", "count": 2, "selected": True} in answer["facets"]["platform"]


@pytest.mark.parametrize("query", ["", "q=racing", "q=racing&sort=-year", "f.publisher=Serial&min.year=1984"])
async def test_cursors_lead_through_all_hits_as_pages_do(client: httpx.AsyncClient, query: str) -> None:
    address = f"/api/v1/collections/games/search?{query}&page_size=7"
    first = (await client.get(address)).json()
    paged = [
        hit["id"]
        for page in range(1, -(-first["total"] // 7) + 1)
        for hit in (await client.get(f"{address}&page={page}")).json()["hits"]
    ]
    followed, cursor = [hit["id"] for hit in first["hits"]], first["next_cursor"]
    while cursor:
        answer = (
            await client.get(address, params={"cursor": cursor, **dict(httpx.QueryParams(query)), "page_size": 7})
        ).json()
        followed += [hit["id"] for hit in answer["hits"]]
        cursor = answer["next_cursor"]

    assert followed == paged
    assert len(set(followed)) == first["total"]


@pytest.mark.parametrize("cursor", ["nonsense", "A" * 24])
async def test_bad_cursor_is_a_problem_that_names_the_way_out(client: httpx.AsyncClient, cursor: str) -> None:
    response = await client.get(f"/api/v1/collections/games/search?q=racing&cursor={cursor}")

    assert response.status_code == 400
    assert "Leave it out to begin with the first page" in response.json()["detail"]


async def test_search_hides_hidden_fields(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/collections/games/search?q=evil")

    assert "hidden-from-everybody" not in response.text
    assert "secret" not in response.json()["hits"][0]["document"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("page=abc", "page=abc"),
        ("page=0", "page=0"),
        ("page=-1", "page=-1"),
        ("page=%D9%A1", "page="),
        ("page_size=101", "page_size=101"),
        ("f.nonsense=1", "nonsense"),
        ("sort=nonsense", "nonsense"),
        ("sort=platform", "platform"),
        ("min.year=abc", "abc"),
        ("max.platform=1", "platform"),
    ],
)
async def test_search_refuses_bad_values_and_names_them(client: httpx.AsyncClient, query: str, word: str) -> None:
    response = await client.get(f"/api/v1/collections/games/search?{query}")

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert word in response.json()["detail"]


async def test_search_ignores_unknown_parameters(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/collections/games/search?utm_source=x&q=legend")

    assert response.json()["total"] == 1


async def test_collections_are_listed(library_client: httpx.AsyncClient) -> None:
    response = await library_client.get("/api/v1/collections")

    assert [(c["name"], c["document_count"]) for c in response.json()["collections"]] == [("books", 5), ("games", 6)]


async def test_collection_shows_fields(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/collections/games")

    fields = {field["name"]: field["role"] for field in response.json()["fields"]}
    assert fields["platform"] == "facet"
    assert "secret" not in fields


async def test_document_is_answered(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/collections/games/documents/nes/zelda2")

    assert response.json()["id"] == "nes/zelda2"
    assert response.json()["document"]["title"] == "Zelda II"


async def test_missing_document_is_a_problem(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/collections/games/documents/nonsense")

    assert response.status_code == 404
    assert response.json() == {
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "detail": "There is no document “nonsense” in “games”.",
        "instance": "/api/v1/collections/games/documents/nonsense",
    }


async def test_program_needs_no_csrf_token(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/v1/collections")

    assert response.status_code == 405
