"""Vocabularies in memory, on both stores."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from string import ascii_lowercase
from threading import Event

import pytest

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import Collection
from livesearch.search.vocabulary import Vocabulary
from livesearch.services.transactions import Transactions
from livesearch.services.vocabularies import VocabularyCache
from livesearch.store.collections import create_collection
from livesearch.store.vocabulary import apply_frequencies


@pytest.fixture
async def transactions(store_url: str) -> AsyncIterator[Transactions]:
    database = Database(Settings(store_url=store_url, query_timeout_ms=20_000))
    transactions = Transactions(database)
    await transactions.upgrade()
    yield transactions
    await database.close()


@pytest.fixture
async def cache() -> AsyncIterator[VocabularyCache]:
    cache = VocabularyCache()
    yield cache
    await cache.close()


@pytest.fixture
async def hold() -> AsyncIterator[Callable[[], Event]]:
    """Make the thread that puts vocabularies in order wait until an event is set."""
    pool = ThreadPoolExecutor(1)
    asyncio.get_running_loop().set_default_executor(pool)
    events: list[Event] = []

    def hold() -> Event:
        events.append(Event())
        pool.submit(events[-1].wait)
        return events[-1]

    yield hold
    for event in events:
        event.set()


async def new_collection(transactions: Transactions, name: str, terms: Mapping[str, int]) -> Collection:
    async with transactions.write() as conn:
        collection = await create_collection(conn, name, fields=(), key_field=None, popularity_field=None, source=None)
    return await write(transactions, collection, terms)


async def write(
    transactions: Transactions, collection: Collection, deltas: Mapping[str, int], *, document_count: int = 0
) -> Collection:
    """The collection after one more change."""
    changed = replace(collection, version=collection.version + 1, document_count=document_count)
    async with transactions.write() as conn:
        await apply_frequencies(conn, collection.id, deltas, changed.version)
    return changed


async def get(transactions: Transactions, cache: VocabularyCache, collection: Collection) -> Vocabulary:
    async with transactions.read() as conn:
        return await cache.get(conn, collection)


async def held(cache: VocabularyCache, collection: Collection, transactions: Transactions) -> Vocabulary:
    """What is in memory: nothing can be read from this connection."""
    async with transactions.read() as conn:
        pass
    return await cache.get(conn, collection)


def many(count: int) -> dict[str, int]:
    """So many terms that are unlike each other's neighbours."""
    letters = ascii_lowercase
    return {f"q{letters[n // 676]}{letters[n // 26 % 26]}{letters[n % 26]}": 1 for n in range(count)}


async def until(cache: VocabularyCache, *, is_busy: bool) -> None:
    """Wait for something to be put in order, or for all to be."""
    while cache.is_busy != is_busy:  # noqa: ASYNC110  # the cache has nobody to tell of it
        await asyncio.sleep(0)


async def test_get_reads_the_terms(transactions: Transactions, cache: VocabularyCache) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3, "zürich": 2, "москва": 1, "zen": 12})

    vocabulary = await get(transactions, cache, games)

    assert (len(vocabulary), vocabulary.version) == (4, 1)
    assert [vocabulary.frequency(term) for term in ("zelda", "zürich", "москва", "zen", "zebra")] == [3, 2, 1, 12, 0]
    assert vocabulary.corrections("zedla", is_prefix=False)[0].term == "zelda"
    assert await get(transactions, cache, games) is vocabulary


async def test_get_of_a_collection_without_terms(transactions: Transactions, cache: VocabularyCache) -> None:
    games = await new_collection(transactions, "games", {})

    vocabulary = await get(transactions, cache, games)

    assert len(vocabulary) == 0
    assert vocabulary.corrections("zelda", is_prefix=True) == ()


async def test_get_finds_a_term_as_soon_as_it_is_committed(transactions: Transactions, cache: VocabularyCache) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3})
    before = await get(transactions, cache, games)

    games = await write(transactions, games, {"zorro": 1})
    after = await get(transactions, cache, games)

    assert (after.version, after.frequency("zorro"), after.frequency("zelda")) == (2, 1, 3)
    assert before.frequency("zorro") == 0


async def test_get_reads_no_more_than_what_came_since(transactions: Transactions, cache: VocabularyCache) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3})
    await get(transactions, cache, games)

    games = await write(transactions, games, {"zelda": 5})

    assert (await get(transactions, cache, games)).frequency("zelda") == 3


async def test_searches_at_once_wait_for_one_reading(
    transactions: Transactions, cache: VocabularyCache, hold: Callable[[], Event]
) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3})
    release = hold()
    first = asyncio.create_task(get(transactions, cache, games))
    await until(cache, is_busy=True)
    later = [asyncio.create_task(held(cache, games, transactions)) for _ in range(3)]

    await asyncio.wait(later, timeout=0.1)
    release.set()

    assert all([await search is await first for search in later])


@pytest.mark.parametrize("terms", [{"zorro": 1}, {"zorro": 1, **many(1500)}], ids=["few", "many"])
async def test_a_newer_search_that_waited_gets_the_newer_terms(
    transactions: Transactions, cache: VocabularyCache, terms: dict[str, int]
) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3})
    async with transactions.read() as older, transactions.read() as newer:
        await older.exec_driver_sql("SELECT count(*) FROM vocabulary")  # from here on it sees the first version
        changed = await write(transactions, games, terms)

        first, second = await asyncio.gather(cache.get(older, games), cache.get(newer, changed))

    assert (first.version, first.frequency("zorro")) == (1, 0)
    assert (second.version, second.frequency("zorro"), second.frequency("zelda")) == (2, 1, 3)


async def test_an_older_search_leaves_the_newer_terms(transactions: Transactions, cache: VocabularyCache) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3})
    async with transactions.read() as older:
        await older.exec_driver_sql("SELECT count(*) FROM vocabulary")
        changed = await write(transactions, games, {"zorro": 1})
        newer = await get(transactions, cache, changed)

        assert await cache.get(older, games) is newer
    assert await get(transactions, cache, changed) is newer


@pytest.mark.parametrize("extends", [False, True], ids=["load", "extend"])
async def test_a_cancelled_search_takes_nothing_from_the_others(transactions: Transactions, extends: bool) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3} if extends else {"zelda": 3, **many(3000)})
    changed = await write(transactions, games, {"zorro": 1, **many(3000)}) if extends else games
    for step_count in range(0, 40, 2):
        cache = VocabularyCache()
        if extends:
            await get(transactions, cache, games)
        cancelled = asyncio.create_task(get(transactions, cache, changed))
        waiting = asyncio.create_task(get(transactions, cache, changed))
        for _ in range(step_count):
            await asyncio.sleep(0)
        cancelled.cancel()

        vocabulary = await waiting

        assert (len(vocabulary), vocabulary.frequency("zelda")) == (3001 + extends, 3)
        await asyncio.wait([cancelled])
        await cache.close()


async def test_what_a_cancelled_search_has_read_is_kept(
    transactions: Transactions, cache: VocabularyCache, hold: Callable[[], Event]
) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3})
    release = hold()
    search = asyncio.create_task(get(transactions, cache, games))
    await until(cache, is_busy=True)

    search.cancel()
    await asyncio.wait([search])
    release.set()

    assert (await held(cache, games, transactions)).frequency("zelda") == 3


async def test_a_search_without_patience_gets_what_there_is(
    transactions: Transactions, cache: VocabularyCache, hold: Callable[[], Event]
) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3})
    async with transactions.read() as conn:
        first = hold()
        none = await cache.get(conn, games, patience=0.01)
        still_none = await cache.get(conn, games, patience=0.01)
    first.set()
    await until(cache, is_busy=False)

    changed = await write(transactions, games, many(1001))
    async with transactions.read() as conn:
        second = hold()
        older = await cache.get(conn, changed, patience=0.01)
        still_older = await cache.get(conn, changed, patience=0.01)
    second.set()

    assert [len(vocabulary) for vocabulary in (none, still_none, older, still_older)] == [0, 0, 1, 1]
    assert len(await held(cache, changed, transactions)) == 1002


async def test_many_new_terms_are_put_in_order_beside(transactions: Transactions, cache: VocabularyCache) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3})
    await get(transactions, cache, games)

    games = await write(transactions, games, many(1500))
    now = await get(transactions, cache, games)
    games = await write(transactions, games, {"zorro": 1})
    meanwhile = await get(transactions, cache, games)
    await until(cache, is_busy=False)
    later = await get(transactions, cache, games)

    assert (now.recent_count, now.frequency("qaaa")) == (1500, 1)
    assert (meanwhile.version, meanwhile.frequency("zorro")) == (3, 1)
    assert (later.version, len(later), later.frequency("zorro"), later.recent_count) == (3, 1502, 1, 1)


async def test_frequencies_are_read_anew_when_the_collection_has_doubled(
    transactions: Transactions, cache: VocabularyCache
) -> None:
    games = replace(await new_collection(transactions, "games", {"zelda": 3, "zorro": 1}), document_count=10)
    await get(transactions, cache, games)

    games = await write(transactions, games, {"zelda": 5, "zorro": -1}, document_count=21)
    now = await get(transactions, cache, games)
    await until(cache, is_busy=False)
    later = await get(transactions, cache, games)

    assert (now.frequency("zelda"), now.frequency("zorro")) == (3, 1)
    assert (later.version, later.frequency("zelda"), later.frequency("zorro")) == (2, 8, 0)


async def test_a_term_that_comes_while_all_is_put_in_order_is_not_lost(
    transactions: Transactions, cache: VocabularyCache, hold: Callable[[], Event]
) -> None:
    games = replace(await new_collection(transactions, "games", {"zelda": 3, "zorro": 1}), document_count=10)
    await get(transactions, cache, games)
    release = hold()
    games = await write(transactions, games, {"zorro": -1}, document_count=21)
    await get(transactions, cache, games)

    games = await write(transactions, games, {"zorro": 7, "zorba": 2}, document_count=21)
    await get(transactions, cache, games)
    games = await write(transactions, games, {}, document_count=21)
    await get(transactions, cache, games)
    release.set()
    await until(cache, is_busy=False)

    found = await held(cache, games, transactions)
    assert (found.version, found.frequency("zorro"), found.frequency("zorba")) == (4, 7, 2)


async def test_many_terms_that_come_while_all_is_put_in_order_do_not_undo_it(
    transactions: Transactions, cache: VocabularyCache, hold: Callable[[], Event]
) -> None:
    games = replace(await new_collection(transactions, "games", {"zelda": 3}), document_count=10)
    await get(transactions, cache, games)
    release = hold()
    games = await write(transactions, games, {"zelda": 5}, document_count=21)
    await get(transactions, cache, games)

    games = await write(transactions, games, many(1001), document_count=21)
    search = asyncio.create_task(get(transactions, cache, games))
    await asyncio.wait([search], timeout=0.2)
    release.set()
    await search
    await until(cache, is_busy=False)

    found = await held(cache, games, transactions)
    assert (len(found), found.frequency("zelda"), found.recent_count) == (1002, 8, 0)


async def test_the_collections_used_last_are_kept(transactions: Transactions) -> None:
    cache = VocabularyCache(kept_size=1)
    games = await new_collection(transactions, "games", {"zelda": 3})
    books = await new_collection(transactions, "books", {"zorba": 2})

    first = await get(transactions, cache, games)
    other = await get(transactions, cache, books)

    assert await get(transactions, cache, books) is other
    again = await get(transactions, cache, games)
    assert again is not first
    assert again.frequency("zelda") == 3


@pytest.mark.parametrize("change", [{"name": "other"}, {"language": "german"}])
async def test_another_name_or_language_is_another_vocabulary(
    transactions: Transactions, cache: VocabularyCache, change: dict[str, str]
) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3})
    first = await get(transactions, cache, games)

    changed = (
        replace(games, name=change["name"])
        if "name" in change
        else replace(games, settings=replace(games.settings, language=change["language"]))
    )
    other = await get(transactions, cache, changed)

    assert other is not first
    assert (other.language, other.frequency("zelda")) == (changed.settings.language, 3)


async def test_warm_reads_all_collections(transactions: Transactions, cache: VocabularyCache) -> None:
    await new_collection(transactions, "books", {"zorba": 2})
    games = await new_collection(transactions, "games", {"zelda": 3})

    async with transactions.read() as conn:
        await cache.warm(conn)

    assert (await held(cache, replace(games, version=0), transactions)).frequency("zelda") == 3


async def test_close_stops_what_is_under_way(
    transactions: Transactions, cache: VocabularyCache, hold: Callable[[], Event]
) -> None:
    games = await new_collection(transactions, "games", {"zelda": 3})
    hold()
    search = asyncio.create_task(get(transactions, cache, games))
    await until(cache, is_busy=True)

    async with asyncio.timeout(10):
        await cache.close()
    await asyncio.wait([search])

    assert search.cancelled()
