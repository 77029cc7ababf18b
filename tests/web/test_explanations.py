"""Why this result, and why not that document: in rows, on pages of their own, on documents, and for programs."""

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings
from livesearch.db import Database
from livesearch.services import build_services
from tests.web.conftest import ATTACK, GAMES, HTMX, make_store, serving

FRAGMENT = "/htmx/c/games/explain/nes/zelda?q=legend+zelda"
PAGE = "/c/games/explain?key=nes/zelda&q=legend+zelda"


def _words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def _explanation(html: str) -> str:
    """The words of the explanation; empty where there is none."""
    found = re.search(r'<details class="why".*?</details>', html, re.DOTALL)
    return _words(found[0]) if found else ""


def _numbers(html: str) -> list[float]:
    return [float(number) for number in re.findall(r"<td>(-?\d+\.\d\d)</td>", html)]


@pytest.fixture(scope="module")
def tuned_app(tmp_path_factory: pytest.TempPathFactory) -> LivesearchApp:
    """The games, with one of them pinned and one hidden for “zelda”."""
    settings = make_store(tmp_path_factory.mktemp("tuned"), games=GAMES)
    asyncio.run(_curate(settings))
    return create_app(settings)


async def _curate(settings: Settings) -> None:
    database = Database(settings)
    curations = build_services(settings, database).curations
    await curations.pin("games", "zelda", "row-7")
    await curations.hide("games", "zelda", "cdi/zelda")
    await database.close()


@pytest.fixture
async def tuned_client(tuned_app: LivesearchApp) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(tuned_app) as client:
        yield client


@pytest.mark.parametrize("headers", [{}, HTMX])
async def test_every_hit_leads_to_its_explanation(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await client.get("/c/games?q=zelda&f.platform=NES", headers=headers)

    assert response.text.count("Why this result?") == 2
    assert 'href="/c/games/explain?key=nes/zelda&amp;q=zelda&amp;f.platform=NES"' in response.text
    assert 'hx-get="/htmx/c/games/explain/nes/zelda?q=zelda&amp;f.platform=NES"' in response.text


async def test_browsing_leaves_nothing_to_explain(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games?f.platform=NES")

    assert "Why this result?" not in response.text


async def test_fragment_shows_numbers_that_sum_to_the_score(client: httpx.AsyncClient) -> None:
    response = await client.get(FRAGMENT, headers=HTMX)

    *parts, score = _numbers(response.text)
    assert "<html" not in response.text
    assert len(parts) >= 5
    assert sum(parts) == pytest.approx(score, abs=1e-9)
    assert parts == sorted(parts, reverse=True)
    assert _explanation(response.text).startswith("Why this result? Place 1 What the score is made of")


async def test_fragment_takes_over_the_id_of_what_asked(client: httpx.AsyncClient) -> None:
    response = await client.get(FRAGMENT, headers=HTMX | {"HX-Source": "a#why-1-0"})

    assert re.search(r'<summary id="why-1-0"', response.text)


async def test_fragment_escapes_what_asked(client: httpx.AsyncClient) -> None:
    response = await client.get(FRAGMENT, headers=HTMX | {"HX-Source": f'a#">{ATTACK}'})

    assert "<img" not in response.text


async def test_fragment_names_the_word_that_stands_for_the_typed_one(client: httpx.AsyncClient) -> None:
    response = await client.get("/htmx/c/games/explain/nes/zelda?q=zleda", headers=HTMX)

    assert "“zelda” (for “zleda”) in the title" in _explanation(response.text)


async def test_page_explains_without_scripts(client: httpx.AsyncClient) -> None:
    response = await client.get(PAGE)

    *parts, score = _numbers(response.text)
    assert response.text.startswith("<!DOCTYPE html>")
    assert "<title>Why “The Legend of Zelda”? · Games · livesearch</title>" in response.text
    assert '<h1 dir="auto"><a href="/c/games/doc/nes/zelda?q=legend+zelda">' in response.text
    assert 'href="/c/games?q=legend+zelda"' in response.text
    assert sum(parts) == pytest.approx(score, abs=1e-9)


async def test_page_answers_htmx_with_fragment(client: httpx.AsyncClient) -> None:
    page = await client.get(PAGE, headers=HTMX)

    assert page.text == (await client.get(FRAGMENT, headers=HTMX)).text


async def test_page_leads_to_where_the_document_stands(client: httpx.AsyncClient) -> None:
    listed = await client.get("/c/games?q=racing&page=3")
    key = re.findall(r"/c/games/explain\?key=(row-\d+)", listed.text)[4]

    response = await client.get(f"/c/games/explain?key={key}&q=racing")

    assert "Place 45, on page 3" in _explanation(response.text)
    assert 'href="/c/games?q=racing&amp;page=3"' in response.text


async def test_page_of_a_document_that_is_not_found_says_why(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games/explain?key=nes/zelda&q=racing&f.platform=CD-i")

    found = _explanation(response.text)
    assert found.startswith("Why is it not among the results?")
    assert "It holds no word that matches: “racing”." in found
    assert "It is filtered out by platform = CD-i: its value is “NES”." in found
    assert "<table" not in response.text


async def test_document_that_was_searched_for_leads_to_its_explanation(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games/doc/nes/zelda?q=legend+zelda")

    link = re.search(r'<a id="why".*?</a>', response.text, re.DOTALL)
    assert link
    assert _words(link[0]) == "Why is it found, or not?"
    assert 'href="/c/games/explain?key=nes/zelda&amp;q=legend+zelda"' in link[0]
    assert f'hx-get="{FRAGMENT}"' in link[0]


async def test_document_that_was_not_searched_for_has_nothing_to_explain(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games/doc/nes/zelda")

    assert 'class="why' not in response.text


async def test_document_is_there_whatever_the_search_was(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games/doc/nes/zelda?q=zelda&f.nonsense=1")

    assert response.status_code == 200


async def test_sorted_result_is_not_scored(client: httpx.AsyncClient) -> None:
    response = await client.get("/htmx/c/games/explain/nes/zelda?q=zelda&sort=-year", headers=HTMX)

    assert _explanation(response.text) == (
        "Why this result? Place 3 The results are sorted by Year; nothing is scored."
    )


async def test_result_of_a_filter_is_not_scored(client: httpx.AsyncClient) -> None:
    response = await client.get("/c/games/explain?key=nes/zelda&f.platform=NES")

    assert "No words were looked for; nothing is scored." in _explanation(response.text)


async def test_pinned_hit_is_labelled(tuned_client: httpx.AsyncClient) -> None:
    response = await tuned_client.get("/c/games?q=zelda")

    first, second = re.findall(r'<li class="row">.*?</li>', response.text, re.DOTALL)[:2]
    assert "Racing number 7 Pinned" in _words(first)
    assert "Pinned" not in second


async def test_pinned_and_hidden_are_explained(tuned_client: httpx.AsyncClient) -> None:
    pinned = await tuned_client.get("/c/games/explain?key=row-7&q=zelda")
    hidden = await tuned_client.get("/c/games/explain?key=cdi/zelda&q=zelda")

    assert "Place 1 It is pinned to this place for this search." in _explanation(pinned.text)
    assert "It is hidden for this search." in _explanation(hidden.text)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/c/games/explain?key=nonsense&q=zelda", {}),
        ("/c/games/explain?q=zelda", {}),
        ("/htmx/c/games/explain/nonsense?q=zelda", HTMX),
        ("/c/nonsense/explain?key=a", {}),
        ("/api/v1/collections/games/explain/nonsense?q=zelda", {}),
    ],
)
async def test_document_that_is_not_there_is_not_found(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    assert (await client.get(path, headers=headers)).status_code == 404


async def test_program_gets_parts_that_sum_to_the_score(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/collections/games/search?q=legend+zelda&explain=1")).json()

    hit = answer["hits"][0]
    assert sum(part["value"] for part in hit["explanation"]) == pytest.approx(hit["score"])
    assert {"“legend” in the title", "“zelda” in the title"} <= {part["label"] for part in hit["explanation"]}


async def test_program_that_does_not_ask_gets_no_parts(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/collections/games/search?q=legend")).json()

    assert "explanation" not in answer["hits"][0]


async def test_program_is_told_why(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/collections/games/explain/nes/zelda?q=legend+zelda")).json()

    parts = answer.pop("explanation")
    assert sum(part["value"] for part in parts) == pytest.approx(answer.pop("score"))
    assert answer == {
        "id": "nes/zelda",
        "query": "legend zelda",
        "is_found": True,
        "rank": 1,
        "is_pinned": False,
        "reasons": [],
    }


async def test_program_is_told_why_not(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/collections/games/explain/nes/zelda?q=racing")).json()

    assert answer == {
        "id": "nes/zelda",
        "query": "racing",
        "is_found": False,
        "rank": None,
        "is_pinned": False,
        "score": 0.0,
        "explanation": [],
        "reasons": ["It holds no word that matches: “racing”."],
    }
