"""Live lists: what an open page is told is exactly what another search would show differently."""

import asyncio
import json
import random
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from livesearch.domain import ListChange, Range, Role, SearchQuery
from livesearch.errors import CollectionNotFoundError, DocumentNotFoundError, OverloadedError
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from tests.services.conftest import LoadRows
from tests.services.foreign_program import ForeignProgram

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROLES = {"title": Role.TITLE, "maker": Role.FACET, "year": Role.SORT}
GAMES: list[dict[str, object]] = [
    {"id": "1", "title": "Zelda the beginning", "maker": "Nintendo", "year": 1986},
    {"id": "2", "title": "Mario World", "maker": "Nintendo", "year": 1990},
    {"id": "3", "title": "Sonic", "maker": "Sega", "year": 1991},
]


async def version_of(store: Services, name: str) -> int:
    return (await store.collections.get(name)).version


def counts(change: ListChange) -> tuple[int, int, int]:
    assert change.is_counted
    return change.new, change.changed, change.gone


async def test_changes_of_an_untouched_collection_are_nothing(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, ROLES)

    change = await store.live.changes(name, SearchQuery("zelda"), since=await version_of(store, name))

    assert not change


async def test_changes_are_counted_for_the_search_alone(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, ROLES)
    since = await version_of(store, name)

    await store.documents.put(name, "4", {"title": "Zelda again", "maker": "Nintendo", "year": 2000})
    await store.documents.put(name, "1", {"title": "Zelda the first", "maker": "Nintendo", "year": 1986})
    await store.documents.delete(name, "3")

    assert counts(await store.live.changes(name, SearchQuery("zelda"), since=since)) == (1, 1, 0)
    assert counts(await store.live.changes(name, SearchQuery(""), since=since)) == (1, 1, 1)
    assert counts(await store.live.changes(name, SearchQuery("sonic"), since=since)) == (0, 0, 1)
    assert not await store.live.changes(name, SearchQuery("mario"), since=since)
    of_sega = SearchQuery(filters={"maker": ("Sega",)})
    assert counts(await store.live.changes(name, of_sega, since=since)) == (0, 0, 1)
    recent = SearchQuery(ranges={"year": Range(minimum="1995")})
    assert counts(await store.live.changes(name, recent, since=since)) == (1, 0, 0)


async def test_changes_name_the_rows_that_are_gone(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, ROLES)
    since = await version_of(store, name)

    await store.documents.delete(name, "3")
    await store.documents.put(name, "2", {"title": "Luigi World", "maker": "Nintendo", "year": 1990})

    assert (await store.live.changes(name, SearchQuery(), since=since)).gone_keys == ("3",)
    assert (await store.live.changes(name, SearchQuery("mario"), since=since)).gone_keys == ("2",)


async def test_document_that_is_what_it_was_has_not_changed(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, ROLES)
    since = await version_of(store, name)

    await store.documents.put(name, "3", {"title": "Sonic 2", "maker": "Sega", "year": 1991})
    await store.documents.put(name, "3", {"title": "Sonic", "maker": "Sega", "year": 1991})
    await store.documents.put(name, "4", {"title": "Tetris", "maker": "Atari", "year": 1988})
    await store.documents.delete(name, "4")

    assert not await store.live.changes(name, SearchQuery(), since=since)


async def test_changes_of_the_second_half_are_those_of_the_second_half(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, ROLES)
    await store.documents.put(name, "3", {"title": "Sonic 2", "maker": "Sega", "year": 1991})
    since = await version_of(store, name)

    await store.documents.put(name, "2", {"title": "Mario Kart", "maker": "Nintendo", "year": 1992})

    assert counts(await store.live.changes(name, SearchQuery(), since=since)) == (0, 1, 0)


async def test_import_tells_new_and_changed_rows(store: Services, load_rows: LoadRows, tmp_path: Path) -> None:
    name = await load_rows(store, GAMES, ROLES)
    since = await version_of(store, name)
    rows = [{**GAMES[0], "title": "Ganon"}, GAMES[1], {"id": "9", "title": "Zelda", "maker": "Sega", "year": 1999}]
    path = tmp_path / "later.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    await store.imports.run(str(path), ImportOptions(name=name))

    assert counts(await store.live.changes(name, SearchQuery(), since=since)) == (1, 1, 0)
    assert counts(await store.live.changes(name, SearchQuery("zelda"), since=since)) == (1, 0, 1)


async def test_large_import_counts_new_rows_exactly_and_updates_where_they_are(
    store: Services, load_rows: LoadRows, tmp_path: Path
) -> None:
    filling = "word " * 100
    rows: list[dict[str, object]] = [{"id": str(n), "title": f"Game {n}", "text": filling} for n in range(700)]
    name = await load_rows(store, rows, {"title": Role.TITLE, "text": Role.TEXT})
    since = await version_of(store, name)
    changed = [{**row, "title": f"Toy {row['id']}"} for row in rows[:650]]
    path = tmp_path / "later.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [*changed, {"id": "new", "title": "Toy", "text": ""}]))

    await store.imports.run(str(path), ImportOptions(name=name))

    # Half a megabyte of what they were is not kept: they are told as changed where they are now.
    assert counts(await store.live.changes(name, SearchQuery("toy"), since=since)) == (1, 650, 0)
    # Who knows how many it showed is told that some have gone.
    assert not (await store.live.changes(name, SearchQuery("game"), since=since, total=700)).is_counted
    assert not await store.live.changes(name, SearchQuery("game 699"), since=since, total=1)


async def test_replaced_collection_may_have_changed_in_any_way(
    store: Services, load_rows: LoadRows, tmp_path: Path
) -> None:
    name = await load_rows(store, GAMES, ROLES)
    since = await version_of(store, name)
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps(GAMES[0]) + "\n")

    await store.imports.run(str(path), ImportOptions(name=name, replace=True))

    change = await store.live.changes(name, SearchQuery(), since=since)
    assert change
    assert not change.is_counted


async def test_tuning_may_have_changed_any_list(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, ROLES)
    since = await version_of(store, name)

    await store.synonyms.add(name, "zelda", ["link"])

    assert not (await store.live.changes(name, SearchQuery("zelda"), since=since)).is_counted


async def test_version_that_is_not_there_yet_is_another_list(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, ROLES)

    change = await store.live.changes(name, SearchQuery(), since=await version_of(store, name) + 7)

    assert not change.is_counted


async def test_rows_of_other_programs_are_told(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, ROLES)
    collection = await store.collections.get(name)
    stranger = ForeignProgram(store.transactions.database.settings.store_url)
    statement = "INSERT INTO documents (collection_id, key, body) VALUES ($1, $2, $3)"

    await stranger.execute(statement, collection.id, "7", json.dumps({"title": "Zelda of a stranger"}).encode())

    change = await store.live.changes(name, SearchQuery("zelda"), since=collection.version)
    assert counts(change) == (1, 0, 0)


async def test_changes_of_a_collection_that_is_not_there(store: Services) -> None:
    with pytest.raises(CollectionNotFoundError):
        await store.live.changes("nowhere", SearchQuery(), since=1)


async def test_pages_that_ask_all_at_once_leave_room_for_others(store: Services, load_rows: LoadRows) -> None:
    name = await load_rows(store, GAMES, ROLES)
    since = await version_of(store, name)
    await store.documents.put(name, "4", {"title": "Zelda again", "maker": "Nintendo", "year": 2000})

    asked = (store.live.changes(name, SearchQuery(f"zelda {number}"), since=since) for number in range(20))
    found = await asyncio.gather(*asked, return_exceptions=True)

    refused = [one for one in found if isinstance(one, OverloadedError)]
    assert len(refused) == 15
    assert all(isinstance(one, ListChange) for one in found if one not in refused)
    assert await store.live.changes(name, SearchQuery("zelda"), since=since)


WORDS = ["zelda", "link", "mario", "sonic", "tails", "kart", "world", "legend"]
QUERIES = [
    SearchQuery(),
    SearchQuery("zelda"),
    SearchQuery("zeldo"),
    SearchQuery("legend zelda link"),
    SearchQuery('"mario kart"'),
    SearchQuery("world -mario"),
    SearchQuery("son"),
    SearchQuery("year:1990..1995 kart"),
    SearchQuery("maker:sega"),
    SearchQuery("link", filters={"maker": ("Sega", "Atari")}),
    SearchQuery("world", ranges={"year": Range(minimum="1993", maximum="1997")}),
]


@pytest.mark.parametrize("seed", range(4))
async def test_changes_are_the_difference_of_two_searches(store: Services, load_rows: LoadRows, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # games to edit, not secrets

    def game(key: str) -> dict[str, object]:
        title = " ".join(chance.sample(WORDS, 3))
        return {
            "id": key,
            "title": title,
            "maker": chance.choice(["Sega", "Atari", "Nintendo"]),
            "year": chance.randrange(1988, 2000),
        }

    name = await load_rows(store, [game(str(n)) for n in range(40)], ROLES)

    async def shown(query: SearchQuery) -> Mapping[str, object]:
        page = await store.search.search(name, query)
        assert page.total <= 200
        whole = SearchQuery(query.text, query.filters, query.ranges, page_size=200)
        return {hit.key: hit.document for hit in (await store.search.search(name, whole)).hits}

    for _ in range(3):
        since = await version_of(store, name)
        before = [await shown(query) for query in QUERIES]
        for _ in range(6):
            key = str(chance.randrange(48))
            with suppress(DocumentNotFoundError):
                if chance.random() < 0.3:
                    await store.documents.delete(name, key)
                else:
                    await store.documents.put(name, key, game(key))
        for query, then in zip(QUERIES, before, strict=True):
            now = await shown(query)
            change = await store.live.changes(name, query, since=since)
            changed = sum(now[key] != then[key] for key in now.keys() & then.keys())
            assert counts(change) == (len(now.keys() - then.keys()), changed, len(then.keys() - now.keys())), query
            assert set(change.gone_keys) == then.keys() - now.keys()
