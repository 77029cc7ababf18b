"""Columns kept in memory: what they say is what the store says in the same snapshot."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import orjson
import pytest
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS, Collection, Document, Field, FieldType, Role
from livesearch.search import faceting
from livesearch.search.faceting import FacetColumn
from livesearch.search.selections import Base
from livesearch.services import Services, column_reading
from livesearch.services.columns import ColumnCache, Columns
from livesearch.services.writing import Change, index_changes
from livesearch.store import chunks
from livesearch.store.chunk_postings import load_chunk
from livesearch.store.collections import create_collection, find_collection
from livesearch.store.documents import delete_documents, digest_of, put_documents

_FIELDS = (
    Field("id", FieldType.TEXT, Role.KEY),
    Field("maker", FieldType.TEXT, Role.FACET),
    Field("tags", FieldType.TEXT, Role.FACET, is_list=True),
    Field("year", FieldType.NUMBER, Role.SORT),
    Field("sales", FieldType.NUMBER, Role.SORT),
)
# Places in three chunks, at their ends and in between.
_NUMBERS = [0, 1, 7, 32_767, 32_768, 40_000, 70_000, 70_001]
_NOW = 1.7e9


@dataclass
class Rows:
    """A collection whose documents have chosen numbers, and what they are."""

    services: Services
    documents: dict[int, Document] = field(default_factory=dict)

    async def write(self, changes: Mapping[int, Document | None]) -> None:
        """Create, change and delete documents in one transaction."""
        async with self.services.transactions.write() as conn:
            collection = await self.read(conn)
            put = {number: document for number, document in changes.items() if document is not None}
            bodies = {number: orjson.dumps(document) for number, document in put.items()}
            await put_documents(
                conn, collection.id, [(number, str(number), body, digest_of(body)) for number, body in bodies.items()]
            )
            gone = [number for number, document in changes.items() if document is None]
            await delete_documents(conn, collection.id, gone)
            changed = [Change(number, self.documents.get(number), changes[number]) for number in changes]
            await index_changes(conn, collection, changed, next_number=_NUMBERS[-1] + 1)
        self.documents = {
            number: document for number, document in (self.documents | dict(changes)).items() if document is not None
        }

    @staticmethod
    async def read(conn: AsyncConnection) -> Collection:
        """The collection."""
        found = await find_collection(conn, "rows")
        assert found is not None
        return found


@pytest.fixture
async def rows(services: Services) -> Rows:
    async with services.transactions.write() as conn:
        await create_collection(conn, "rows", fields=_FIELDS, key_field="id", popularity_field="sales", source=None)
    return Rows(services)


def _document(number: int, chance: random.Random) -> Document:
    document: dict[str, object] = {
        "id": str(number),
        "maker": chance.choice(["Sega", "Atari", "Nintendo"]),
        "tags": chance.sample(["old", "new", "rare", "late"], k=chance.randint(0, 3)),
        "sales": chance.randint(0, 1000),
    }
    if chance.random() < 0.7:
        document["year"] = chance.randint(1980, 1999)
    return document


async def _load(cache: ColumnCache, rows: Rows, conn: AsyncConnection) -> Columns:
    return await cache.load(
        conn,
        await rows.read(conn),
        facets=["maker", "tags"],
        values=["year"],
        orders=["year"],
        bins=["year", "sales"],
        now=_NOW,
    )


def _check(columns: Columns, documents: Mapping[int, Document]) -> None:
    """Assert that everything in the columns is what the documents say."""
    assert columns.everything == BitMap(documents)
    for name in ("maker", "tags"):
        held: defaultdict[str, list[int]] = defaultdict(list)
        for number, document in documents.items():
            value = document.get(name, [])
            for text in [value] if isinstance(value, str) else value:
                held[text].append(number)
        column = columns.facets[name]
        for value in column.names.values[1:]:
            ordinal = column.names.find(value)
            assert ordinal is not None
            assert column.ordinals.holders(ordinal) == BitMap(held.pop(value, []))
        assert not held
        counted = column.ordinals.count(Base(columns.everything, columns.everything))
        assert counted.counts.sum() == column.ordinals.counts.sum()
    for name in ("year", "sales"):
        column_numbers = [columns.numbers[name].at(number) for number in _NUMBERS]
        np.testing.assert_array_equal(
            column_numbers, [float(documents.get(number, {}).get(name, np.nan)) for number in _NUMBERS]
        )
        bins = columns.bins[name].count(_FIELDS[-1], Base(columns.everything, columns.everything))
        assert sum(bin_.count for bin_ in bins) == sum(name in document for document in documents.values())
    best = sorted(documents, key=lambda number: (-documents[number]["sales"], number))
    assert columns.rank.best(columns.everything, 100) == best
    years = sorted(documents, key=lambda number: (documents[number].get("year", 9999), number))
    assert columns.order("year").best(columns.everything, 100) == years


async def test_columns_follow_every_commit(rows: Rows) -> None:
    chance, cache = random.Random(1), ColumnCache()  # noqa: S311  # rows, not secrets
    for _ in range(30):
        some = chance.sample(_NUMBERS, k=chance.randint(1, 4))
        await rows.write({number: _document(number, chance) if chance.random() < 0.8 else None for number in some})
        async with rows.services.transactions.read() as conn:
            columns = await _load(cache, rows, conn)

        _check(columns, rows.documents)


async def test_columns_follow_commits_that_tell_only_their_chunks(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "_PLACES_SIZE", 0)
    chance, cache = random.Random(2), ColumnCache()  # noqa: S311  # rows, not secrets
    for _ in range(10):
        await rows.write({number: _document(number, chance) for number in chance.sample(_NUMBERS, k=3)})
        async with rows.services.transactions.read() as conn:
            columns = await _load(cache, rows, conn)

        _check(columns, rows.documents)


async def test_search_on_an_older_snapshot_is_not_served_newer_columns(rows: Rows) -> None:
    chance, cache = random.Random(3), ColumnCache()  # noqa: S311  # rows, not secrets
    await rows.write({number: _document(number, chance) for number in _NUMBERS[:6]})
    async with rows.services.transactions.read() as conn:
        await _load(cache, rows, conn)
    for _ in range(3):
        before = dict(rows.documents)
        async with rows.services.transactions.read() as older:
            await rows.read(older)
            await rows.write({number: _document(number, chance) for number in (1, 70_000)})
            await rows.write({7: None, 40_000: None} if 7 in rows.documents else {7: _document(7, chance)})
            async with rows.services.transactions.read() as newer:
                _check(await _load(cache, rows, newer), rows.documents)

            _check(await _load(cache, rows, older), before)
        async with rows.services.transactions.read() as conn:
            _check(await _load(cache, rows, conn), rows.documents)


async def test_first_search_on_an_older_snapshot_than_any_is_served_its_own_columns(rows: Rows) -> None:
    chance, cache = random.Random(4), ColumnCache()  # noqa: S311  # rows, not secrets
    await rows.write({number: _document(number, chance) for number in _NUMBERS[:4]})
    before = dict(rows.documents)
    async with rows.services.transactions.read() as older:
        await rows.read(older)
        await rows.write({0: None, 70_001: _document(70_001, chance)})
        async with rows.services.transactions.read() as newer:
            await _load(cache, rows, newer)

        _check(await _load(cache, rows, older), before)
    async with rows.services.transactions.read() as conn:
        _check(await _load(cache, rows, conn), rows.documents)


async def test_searches_at_the_same_time_each_have_their_own_columns(rows: Rows) -> None:
    chance, cache = random.Random(5), ColumnCache()  # noqa: S311  # rows, not secrets
    await rows.write({number: _document(number, chance) for number in _NUMBERS})

    async def search() -> None:
        async with rows.services.transactions.read() as conn:
            collection = await rows.read(conn)
            columns = await _load(cache, rows, conn)
            assert columns.version == collection.version
            _check(columns, at_version[collection.version])

    async with rows.services.transactions.read() as conn:
        at_version = {(await rows.read(conn)).version: dict(rows.documents)}
    for _ in range(8):
        version = max(at_version) + 1
        searches = [asyncio.create_task(search()) for _ in range(3)]
        chosen = {number: _document(number, chance) for number in chance.sample(_NUMBERS, k=2)}
        at_version[version] = rows.documents | chosen
        await rows.write(chosen)
        searches += [asyncio.create_task(search()) for _ in range(3)]
        await asyncio.gather(*searches)


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_one_search_reads_for_all_that_come_meanwhile(
    rows: Rows, monkeypatch: pytest.MonkeyPatch, *, is_cancelled: bool
) -> None:
    chance, cache = random.Random(7), ColumnCache()  # noqa: S311  # rows, not secrets
    await rows.write({number: _document(number, chance) for number in _NUMBERS})
    begun, going_on, read = asyncio.Event(), asyncio.Event(), list[int]()

    async def slow(conn: AsyncConnection, collection_id: int, chunk: int, ranges: object) -> object:
        begun.set()
        await going_on.wait()
        read.append(chunk)
        return await load_chunk(conn, collection_id, chunk, ranges)  # type: ignore[arg-type]  # passed on

    async def search() -> None:
        async with rows.services.transactions.read() as conn:
            _check(await _load(cache, rows, conn), rows.documents)

    monkeypatch.setattr(column_reading, "load_chunk", slow)
    first = asyncio.create_task(search())
    await begun.wait()
    others = [asyncio.create_task(search()) for _ in range(3)]
    if is_cancelled:
        first.cancel()
    going_on.set()
    await asyncio.gather(*others, *([] if is_cancelled else [first]))

    assert read == [0, 1, 2]


async def test_cancelled_search_leaves_what_it_has_read(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, cache = random.Random(6), ColumnCache()  # noqa: S311  # rows, not secrets
    await rows.write({number: _document(number, chance) for number in _NUMBERS})
    read: list[int] = []

    async def interrupted(conn: AsyncConnection, collection_id: int, chunk: int, ranges: object) -> object:
        read.append(chunk)
        if len(read) == 2:
            raise asyncio.CancelledError
        return await load_chunk(conn, collection_id, chunk, ranges)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(column_reading, "load_chunk", interrupted)
    async with rows.services.transactions.read() as conn:
        with pytest.raises(asyncio.CancelledError):
            await _load(cache, rows, conn)
    async with rows.services.transactions.read() as conn:
        columns = await _load(cache, rows, conn)

    _check(columns, rows.documents)
    assert read == [0, 1, 1, 2]


async def test_one_changed_document_is_all_that_is_read_again(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, cache = random.Random(7), ColumnCache()  # noqa: S311  # rows, not secrets
    await rows.write({number: _document(number, chance) for number in _NUMBERS})
    async with rows.services.transactions.read() as conn:
        before = await _load(cache, rows, conn)
    await rows.write({40_000: _document(40_000, chance)})
    monkeypatch.delattr(column_reading, "load_chunk")
    monkeypatch.delattr(column_reading, "load_blocks")
    async with rows.services.transactions.read() as conn:
        after = await _load(cache, rows, conn)

    _check(after, rows.documents)
    shared = [
        old is new for old, new in zip(before.numbers["sales"].chunks, after.numbers["sales"].chunks, strict=True)
    ]
    assert shared == [True, False, True]


async def test_columns_of_no_change_are_the_same(rows: Rows) -> None:
    cache = ColumnCache()
    await rows.write({0: {"maker": "Sega"}})
    async with rows.services.transactions.read() as conn:
        first = await cache.load(conn, await rows.read(conn), facets=["maker"])
        second = await cache.load(conn, await rows.read(conn), facets=["maker"])

    assert first.facets["maker"] is second.facets["maker"]


async def test_facet_whose_values_come_and_go_is_read_anew(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faceting, "_WORN_COUNT", 3)
    cache, lengths = ColumnCache(), []
    for at in range(12):
        await rows.write({0: {"maker": f"maker {at}"}})
        async with rows.services.transactions.read() as conn:
            column = (await cache.load(conn, await rows.read(conn), facets=["maker"])).facets["maker"]
        lengths.append(len(column.names) - 1)
        assert column.ordinals.holders(column.names.find(f"maker {at}") or 0) == BitMap([0])

    assert lengths == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2]


async def test_empty_collection_has_empty_columns(rows: Rows) -> None:
    async with rows.services.transactions.read() as conn:
        columns = await _load(ColumnCache(), rows, conn)

    assert columns.everything == BitMap()
    assert columns.bins["year"].count(_FIELDS[-1], Base(BitMap(), BitMap())) == ()
    assert columns.rank.best(BitMap(), 10) == []


async def test_least_recently_searched_columns_go_first(services: Services) -> None:
    async with services.transactions.write() as conn:
        for name in "abc":
            created = await create_collection(
                conn, name, fields=_FIELDS, key_field="id", popularity_field=None, source=None
            )
            await index_changes(conn, created, [Change(0, None, {"maker": "Sega"})], next_number=1)
    # Two of them have room: a chunk's ordinals take 32 kB.
    cache = ColumnCache(kept_size=80_000)
    async with services.transactions.read() as conn:

        async def load(name: str) -> FacetColumn:
            collection = await find_collection(conn, name)
            assert collection is not None
            return (await cache.load(conn, collection, facets=["maker"])).facets["maker"]

        loaded = {name: await load(name) for name in "abac"}
        is_kept = {name: await load(name) is loaded[name] for name in "acb"}

    assert is_kept == {"a": True, "c": True, "b": False}


def test_chunk_bits_fit_the_numbers_of_these_tests() -> None:
    assert {number >> CHUNK_BITS for number in _NUMBERS} == {0, 1, 2}
