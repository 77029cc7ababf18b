"""Facets and numbers of documents, kept in memory and brought up to date chunk by chunk.

A commit changes few chunks; only these are read again. A search is answered from what its own snapshot of the store
holds, also when others have read newer ones meanwhile: columns are never changed, versions share what is the same.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, Field
from livesearch.search.faceting import FacetColumn
from livesearch.search.histograms import Bins
from livesearch.search.numbers import NumberColumn, changed_count
from livesearch.search.ordering import DOCUMENT_ORDER, ColumnOrder, Order
from livesearch.search.static_rank import RankRule, StaticRank
from livesearch.services.column_reading import FEW_CHUNKS, ColumnReading
from livesearch.services.column_state import EVERYTHING, Column, ColumnName, ColumnState, Held, Kind
from livesearch.store.chunks import changes_since
from livesearch.store.postings import chunks_of

T = TypeVar("T")

# Bytes of columns that are kept; those of the least recently searched collection go first. A million documents with two
# numbers and three facets take 50 MB.
_KEPT_SIZE = 192_000_000
# Ways to ask for columns of one version whose answers are kept: by what searches are filtered and sorted by.
_ANSWER_COUNT = 64


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of one collection at one version.

    Attributes:
        everything: The documents there are.
        bins: By numeric field, where they were asked for.
        rank: Static rank, where it was asked for.
    """

    version: int
    everything: BitMap
    facets: Mapping[str, FacetColumn]
    numbers: Mapping[str, NumberColumn]
    bins: Mapping[str, Bins]
    rank: Order = DOCUMENT_ORDER

    def order(self, sort: str) -> Order:
        """The order that a query's ``sort`` names; static rank where it names none."""
        name = sort.removeprefix("-")
        return ColumnOrder(self.numbers[name], is_descending=sort != name) if name else self.rank


class _Asked(NamedTuple):
    """What a search wants of the columns: a rule for static rank, and names of fields."""

    rule: RankRule | None
    facets: frozenset[str]
    values: frozenset[str]
    orders: frozenset[str]
    bins: frozenset[str]


class ColumnCache:
    """Columns by collection. The version read in the caller's own snapshot decides what is true; use it on one loop.

    One search reads for all of its version that come meanwhile; when it is cancelled, another of them does.
    """

    def __init__(self, *, kept_size: int = _KEPT_SIZE) -> None:
        """Keep about so many bytes, and the collection that was searched last."""
        self._kept_size = kept_size
        self._kept: OrderedDict[int, ColumnState] = OrderedDict()
        # By collection and version that a search is reading: done when those who wait may look again.
        self._loading: dict[tuple[int, int], asyncio.Future[None]] = {}

    async def load(
        self,
        conn: AsyncConnection,
        collection: Collection,
        *,
        facets: Iterable[str] = (),
        values: Iterable[str] = (),
        orders: Iterable[str] = (),
        bins: Iterable[str] = (),
        now: float | None = None,
    ) -> Columns:
        """The collection's columns, with at least these fields in them.

        Args:
            conn: A snapshot of the store.
            collection: As that snapshot has it.
            values: Numeric fields.
            orders: Numeric fields by whose values documents are found or put in order: without it, that takes long at
                first.
            bins: Numeric fields that histograms are made of.
            now: Unix seconds, where static rank is wanted.
        """
        rule = None if now is None else RankRule.of(collection, now)
        asked = _Asked(rule, frozenset(facets), frozenset(values), frozenset(orders), frozenset(bins))
        key = collection.id, collection.version
        while True:
            state = await self._state(conn, collection)
            answer: Columns | None = state.answered.get(asked)
            if answer is not None and answer.version == collection.version:
                return answer
            if key not in self._loading:
                break
            await asyncio.wait([self._loading[key]])
        self._loading[key] = asyncio.get_running_loop().create_future()
        try:
            columns = await self._load(conn, collection, state, asked)
        finally:
            self._loading.pop(key).set_result(None)
        if state.version == collection.version and len(state.answered) < _ANSWER_COUNT:
            state.answered[asked] = columns
        self._trim()
        return columns

    async def _load(
        self, conn: AsyncConnection, collection: Collection, state: ColumnState, asked: "_Asked"
    ) -> Columns:
        rule, facets, values, orders, bins = asked
        names = [EVERYTHING, *(ColumnName(Kind.FACET, name) for name in sorted(facets))]
        numeric = {*values, *orders, *bins, *(rule.names if rule else ())}
        names += [ColumnName(Kind.NUMBER, name) for name in sorted(numeric)]
        found = await self._read(conn, collection, state, names)
        numbers = {name.field: column for name, column in found.items() if isinstance(column, NumberColumn)}
        for name in orders:
            await _prepare(numbers[name])
        everything = found[EVERYTHING]
        assert isinstance(everything, BitMap)  # noqa: S101  # columns are of their kind
        binned = [field for field in collection.fields if field.name in bins]
        return Columns(
            version=collection.version,
            everything=everything,
            facets={name.field: column for name, column in found.items() if isinstance(column, FacetColumn)},
            numbers=numbers,
            bins={field.name: await _bins(state, field, numbers[field.name]) for field in binned},
            rank=await _rank(state, rule, numbers) if rule else DOCUMENT_ORDER,
        )

    async def _state(self, conn: AsyncConnection, collection: Collection) -> ColumnState:
        """What is kept of the collection, at its version or a newer one."""
        while True:
            state = self._kept.get(collection.id)
            if state is None:
                state = self._kept[collection.id] = ColumnState(collection.version, since=collection.version)
            self._kept.move_to_end(collection.id)
            known = state.version
            if known >= collection.version:
                return state
            changed = await changes_since(conn, collection.id, known)
            # Another search may have been faster.
            if state.version == known and self._kept.get(collection.id) is state:
                state.advance(collection.version, changed)

    @staticmethod
    async def _read(
        conn: AsyncConnection, collection: Collection, state: ColumnState, names: Iterable[ColumnName]
    ) -> dict[ColumnName, Column]:
        version, chunks = collection.version, chunks_of(collection.next_number)
        found = {name: state.find(name, version, chunks) for name in names}
        incomplete = {name: held for name, held in found.items() if held.stale}
        if incomplete:
            reading = ColumnReading(conn, collection, incomplete)
            try:
                await reading.run()
            finally:
                for name, held in reading.held.items():
                    state.put(name, held, version)
            found |= reading.held
        for name, held in found.items():
            if isinstance(held.column, FacetColumn) and held.column.ordinals.lacks_frequent:
                found[name] = Held(await asyncio.to_thread(held.column.with_frequent), held.stale)
                state.put(name, found[name], version)
        return {name: held.column for name, held in found.items()}

    def _trim(self) -> None:
        """Let go of the collections that were searched longest ago, until what is kept has the size it may have."""
        while len(self._kept) > 1 and sum(state.size for state in self._kept.values()) > self._kept_size:
            self._kept.popitem(last=False)


async def _prepare(column: NumberColumn) -> None:
    if not column.is_prepared:
        await _call(column.prepare, chunk_count=len(column.chunks))


async def _bins(state: ColumnState, field: Field, column: NumberColumn) -> Bins:
    """The bins of a field's numbers, from those that are kept."""
    known = state.bins.get(field.name)
    if known is None or not known.fits(field, column):
        known = await _call(partial(Bins.of, field, column), chunk_count=len(column.chunks))
    # What is kept may be of any version: it tells by itself which chunks are others.
    state.bins[field.name] = found = await _call(
        partial(known.following, column), chunk_count=changed_count(known.sources, column.chunks)
    )
    return found


async def _rank(state: ColumnState, rule: RankRule, numbers: Mapping[str, NumberColumn]) -> Order:
    """Static rank by a rule, from what is kept."""
    if not rule.names:
        return DOCUMENT_ORDER
    known = state.rank if state.rank and state.rank.rule == rule else StaticRank(rule)
    columns = [numbers[name] if name else NumberColumn() for name in (rule.popularity_name, rule.recency_name)]
    changed = max(map(changed_count, known.sources, (column.chunks for column in columns)))
    state.rank = found = await _call(partial(known.following, *columns), chunk_count=changed)
    await _prepare(found.column)
    return found.order


async def _call(function: Callable[[], T], *, chunk_count: int) -> T:
    """Call in a thread what would block the loop for too many chunks."""
    return await asyncio.to_thread(function) if chunk_count > FEW_CHUNKS else function()
