"""Polls of open lists: 204 while nothing has changed for them, nearly always before Flask; then words, and a link."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import event

from livesearch.app import LivesearchApp
from livesearch.config import Settings
from livesearch.domain import ListChange
from livesearch.web.presenters.live import describe
from tests.web.conftest import GAMES, HTMX, as_served, make_store

POLL = {**HTMX, "X-Poll": "1"}


@pytest.fixture
def store(tmp_path: Path) -> Settings:
    """A store of the test's own: it may write to it."""
    return make_store(tmp_path, games=GAMES[:6])


@pytest.fixture
async def site(store: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, LivesearchApp]]:
    async with as_served(store) as site:
        yield site


async def poll_url(client: httpx.AsyncClient, address: str) -> str:
    """What the list at an address asks."""
    page = await client.get(address)
    found = re.search(r'<div id="live"[^>]*hx-get="([^"]*)"', page.text)
    assert found is not None
    return found[1].replace("&amp;", "&")


async def test_list_asks_with_its_version_its_total_and_its_search(
    site: tuple[httpx.AsyncClient, LivesearchApp],
) -> None:
    client, app = site
    version = (await app.services.collections.get("games")).version

    url = await poll_url(client, "/c/games?q=zelda&f.platform=NES&sort=-year")

    assert url == f"/htmx/c/games/changes?v={version}&n=2&q=zelda&f.platform=NES&sort=-year"


async def test_poll_of_an_unchanged_list_is_answered_with_nothing(
    site: tuple[httpx.AsyncClient, LivesearchApp],
) -> None:
    client, _ = site
    url = await poll_url(client, "/c/games?q=zelda")

    polled = await client.get(url, headers=POLL)
    asked = await client.get(url, headers=HTMX)

    assert (polled.status_code, polled.content) == (204, b"")
    assert (asked.status_code, asked.content) == (204, b"")
    # The same, but for what Flask says of itself.
    shared = {"content-security-policy", "vary", "cache-control", "x-content-type-options", "referrer-policy"}
    assert {name: polled.headers[name] for name in shared} == {name: asked.headers[name] for name in shared}


async def test_poll_of_an_unchanged_list_touches_no_store(site: tuple[httpx.AsyncClient, LivesearchApp]) -> None:
    client, app = site
    url = await poll_url(client, "/c/games?q=zelda")
    await client.get(url, headers=POLL)
    uses: list[object] = []
    for engine in (app.database._reader, app.database._writer):  # noqa: SLF001  # what is to be watched
        event.listen(engine.sync_engine, "checkout", lambda *used: uses.append(used))

    answers = [(await client.get(url, headers=headers)).status_code for headers in [POLL, HTMX] * 10]

    assert answers == [204] * 20
    assert uses == []


async def test_poll_of_a_changed_list_says_what_has_changed(site: tuple[httpx.AsyncClient, LivesearchApp]) -> None:
    client, app = site
    url = await poll_url(client, "/c/games?q=zelda&page=1")
    documents = app.services.documents

    await documents.put("games", "new", {"title": "Zelda returns"})
    await documents.put("games", "nes/zelda2", {**GAMES[1], "year": 1989})
    await documents.delete("games", "cdi/zelda")

    answer = await client.get(url, headers=POLL)
    assert answer.status_code == 200
    assert re.sub(r"<[^>]*>", "", answer.text).strip() == "1 new, 1 changed, 1 gone — show"
    assert 'href="/c/games?q=zelda"' in answer.text
    assert 'hx-get="/c/games?q=zelda"' in answer.text
    gone = re.search(r'data-gone="([^"]+)"', answer.text)
    assert gone is not None
    page = await client.get("/c/games")
    rows = re.findall(r'<a id="(result-[^"]+)"', page.text)
    assert len(rows) == len(set(rows)) == 6
    assert gone[1] not in rows


async def test_row_that_is_gone_has_the_id_it_was_shown_with(site: tuple[httpx.AsyncClient, LivesearchApp]) -> None:
    client, app = site
    page = await client.get("/c/games?q=adventure")
    shown = re.findall(r'<a id="(result-[^"]+)"', page.text)
    url = await poll_url(client, "/c/games?q=adventure")

    await app.services.documents.delete("games", "cdi/zelda")

    assert f'data-gone="{shown[0]}"' in (await client.get(url, headers=POLL)).text
    assert len(shown) == 1


async def test_poll_tells_from_which_version_on_to_ask(site: tuple[httpx.AsyncClient, LivesearchApp]) -> None:
    client, app = site
    url = await poll_url(client, "/c/games?q=zelda")
    written = await app.services.documents.put("games", "other", {"title": "Tetris"})

    answer = await client.get(url, headers=POLL)

    assert (answer.status_code, answer.headers["Livesearch-Version"]) == (204, str(written.version))


@pytest.mark.parametrize(("title", "status"), [("Zelda returns", 200), ("Tetris", 204)])
async def test_answer_to_many_polls_is_computed_once(
    site: tuple[httpx.AsyncClient, LivesearchApp], title: str, status: int
) -> None:
    client, app = site
    url = await poll_url(client, "/c/games?q=zelda")
    await app.services.documents.put("games", "new", {"title": title})

    answers = [await client.get(url, headers=POLL) for _ in range(3)]

    assert [(answer.status_code, answer.text) for answer in answers] == 3 * [(status, answers[0].text)]
    assert {answer.headers.get("Livesearch-Version") for answer in answers} == {
        answers[0].headers.get("Livesearch-Version")
    }
    assert [re.findall(r"cache;desc=(\w+)", answer.headers["Server-Timing"]) for answer in answers] == [
        ["miss"],
        ["hit"],
        ["hit"],
    ]


async def test_many_lists_that_ask_at_once_are_all_answered(site: tuple[httpx.AsyncClient, LivesearchApp]) -> None:
    client, app = site
    urls = [await poll_url(client, f"/c/games?q=zelda&min.year={1900 + number}") for number in range(40)]
    await app.services.documents.put("games", "new", {"title": "Zelda returns", "year": 1990})

    answers = await asyncio.gather(*(client.get(url, headers=POLL) for url in urls))

    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/htmx/c/games/changes", 400),
        ("/htmx/c/games/changes?v=abc", 400),
        ("/htmx/c/games/changes?v=-1", 400),
        ("/htmx/c/games/changes?v=0&n=x", 400),
        ("/htmx/c/nowhere/changes?v=1", 404),
    ],
)
async def test_poll_that_makes_no_sense_is_refused(
    site: tuple[httpx.AsyncClient, LivesearchApp], address: str, status: int
) -> None:
    assert (await site[0].get(address, headers=POLL)).status_code == status


async def test_poll_is_for_htmx_alone(site: tuple[httpx.AsyncClient, LivesearchApp]) -> None:
    client, _ = site
    url = await poll_url(client, "/c/games")

    assert (await client.get(url)).status_code == 400
    assert (await client.get(url, headers={"X-Poll": "1"})).status_code == 400


async def test_list_that_may_have_changed_in_any_way_is_not_counted(
    site: tuple[httpx.AsyncClient, LivesearchApp],
) -> None:
    client, app = site
    url = await poll_url(client, "/c/games?q=zelda")
    await app.services.synonyms.add("games", "zelda", ["link"])

    answer = await client.get(url, headers=POLL)

    assert re.sub(r"<[^>]*>", "", answer.text).strip() == "The list has changed — show"


async def test_poll_of_whoever_may_not_search_says_nothing(store: Settings) -> None:
    async with as_served(store.model_copy(update={"public_search": False})) as (client, app):
        version = (await app.services.collections.get("games")).version
        urls = [f"/htmx/c/{name}/changes?v={number}" for name in ("games", "nowhere") for number in (version, 0)]

        polled = [await client.get(url, headers=POLL) for url in urls]
        asked = [await client.get(url, headers=HTMX) for url in urls]

    assert [answer.status_code for answer in polled] == [204] * 4
    assert all("Livesearch-Version" not in answer.headers for answer in polled)
    assert [answer.status_code for answer in asked] == [401] * 4


async def test_polls_are_counted(site: tuple[httpx.AsyncClient, LivesearchApp]) -> None:
    client, _ = site
    url = await poll_url(client, "/c/games")
    for _ in range(3):
        await client.get(url, headers=POLL)

    metrics = (await client.get("/metrics")).text

    labels = 'face="fragment",method="GET",route="/htmx/c/<name>/changes",status="204"'
    assert f"livesearch_requests_total{{{labels}}} 3.0" in metrics


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (ListChange(1, 2, new=3, changed=1), "3 new, 1 changed"),
        (ListChange(1, 2, gone=1_200), "1,200 gone"),
        (ListChange(1, 2, is_counted=False), "The list has changed"),
    ],
)
def test_change_is_described_in_words(change: ListChange, words: str) -> None:
    assert describe(change) == words
