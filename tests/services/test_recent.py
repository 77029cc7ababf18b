"""Suggestions take what a search for the same text finds, while that is still true, and never wait in vain."""

import asyncio

import pytest

from livesearch.domain import ANYBODY, OPERATOR, Role, SearchQuery, Viewer
from livesearch.services import Services, build_services, recent
from livesearch.services.finding import Finder
from livesearch.services.imports import ImportOptions
from livesearch.services.ranking import RankingChange
from tests.conftest import WriteRows

TITLES = ("The Legend of Zelda", "Zelda II", "Zen Garden", "Zen Bound", "Zen Pinball", "Legend of Zorro")
TEXTS = ("z", "ze", "zelda", "legend z", "zedla", '"legend of" z', "")


@pytest.fixture
async def site(services: Services, write_rows: WriteRows) -> Services:
    rows: list[dict[str, object]] = [
        {"id": str(n), "title": title, "notes": title[::-1]} for n, title in enumerate(TITLES)
    ]
    await services.imports.run(
        write_rows("games", rows), ImportOptions(key="id", roles={"title": Role.TITLE, "notes": Role.TEXT})
    )
    return services


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "_KEPT_SECONDS", 60.0)


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were looked for."""
    texts: list[str] = []
    find = Finder.find

    async def spy(self: Finder, conn: object, collection: object, query: SearchQuery, *rest: object) -> object:
        texts.append(query.text)
        return await find(self, conn, collection, query, *rest)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Finder, "find", spy)
    return texts


async def _keystroke(site: Services, text: str, viewer: Viewer = ANYBODY) -> object:
    await site.search.search("games", SearchQuery(text), viewer=viewer)
    return await site.suggestions.suggest("games", text, viewer=viewer)


@pytest.mark.parametrize("text", TEXTS)
async def test_suggestions_are_the_same_beside_a_search(site: Services, finds: list[str], text: str) -> None:
    alone = await build_services(site.transactions.database.settings, site.transactions.database).suggestions.suggest(
        "games", text
    )
    finds.clear()

    assert await _keystroke(site, text) == alone
    assert finds == [text]


async def test_a_change_is_suggested_at_once(site: Services) -> None:
    await _keystroke(site, "zebr")
    await site.documents.put("games", "new", {"id": "new", "title": "Zebras"})

    assert [found.key for found in await site.suggestions.suggest("games", "zebr")] == [None, "new"]


async def test_another_viewer_or_way_to_rank_is_not_taken(site: Services, finds: list[str]) -> None:
    await _keystroke(site, "zen", OPERATOR)
    assert finds == ["zen", "zen"]

    await site.search.compare("games", SearchQuery("zel"), RankingChange(weights={"title": 1}))
    finds.clear()
    await site.suggestions.suggest("games", "zel")
    assert finds == ["zel"]


@pytest.mark.parametrize("query", [SearchQuery("zen", sort="-year"), SearchQuery("zen", page=2), SearchQuery("ze")])
async def test_another_search_is_not_taken(site: Services, finds: list[str], query: SearchQuery) -> None:
    await asyncio.gather(site.search.search("games", query), return_exceptions=True)
    finds.clear()

    await site.suggestions.suggest("games", "zen")
    assert finds == ["zen"]


@pytest.mark.parametrize("is_cancelled", [True, False])
async def test_suggestions_go_on_without_the_search_they_wait_for(
    site: Services, monkeypatch: pytest.MonkeyPatch, *, is_cancelled: bool
) -> None:
    begun, may_go_on = asyncio.Event(), asyncio.Event()
    find = Finder.find

    async def hold(*_: object) -> object:
        monkeypatch.setattr(Finder, "find", find)
        begun.set()
        await may_go_on.wait()
        raise ValueError("broken")

    monkeypatch.setattr(Finder, "find", hold)
    searching = asyncio.create_task(site.search.search("games", SearchQuery("zen")))
    await begun.wait()
    suggesting = asyncio.create_task(site.suggestions.suggest("games", "zen"))
    await asyncio.sleep(0.2)
    assert not suggesting.done()
    if is_cancelled:
        searching.cancel()
    may_go_on.set()

    assert len(await suggesting) == 3
    assert isinstance((await asyncio.gather(searching, return_exceptions=True))[0], BaseException)
