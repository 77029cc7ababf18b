"""Reading what is missing of columns, chunk by chunk or document by document, within one snapshot of the store."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS, Collection, Document
from livesearch.ingest import number_of
from livesearch.models import BLOCK_SIZE
from livesearch.search import keys
from livesearch.search.bands import Numbers
from livesearch.search.faceting import FacetColumn, Names
from livesearch.search.numbers import NumberColumn, narrowed
from livesearch.search.ordinals import Part
from livesearch.search.selections import CHUNK_SIZE, bitmap_of
from livesearch.search.values import texts
from livesearch.services.column_state import Column, ColumnName, Held, Kind
from livesearch.store.chunk_postings import ChunkPostings, load_chunk
from livesearch.store.doc_values import load_blocks
from livesearch.store.documents import load_documents

# Chunks whose numbers are read at once, and that are put in on the event loop: 1 ms each. More take a thread.
FEW_CHUNKS = 4
# Changed documents that are read one by one; of more, their chunks are.
_FEW_DOCUMENTS = 256

_Chunk = BitMap | Part | Numbers


class ColumnReading:
    """Some columns on their way to a snapshot.

    Attributes:
        held: As they were found; ``run`` puts in what it has read, also where it is cancelled.
    """

    def __init__(self, conn: AsyncConnection, collection: Collection, held: dict[ColumnName, Held]) -> None:
        self._conn = conn
        self._collection = collection
        self.held = held
        self._read: defaultdict[ColumnName, dict[int, _Chunk]] = defaultdict(dict)

    async def run(self) -> None:
        """Read all that is stale, and put it in."""
        await self._read_documents()
        try:
            await self._read_numbers()
            await self._read_postings()
            await self._put_in()
        finally:
            # Cancelled, for want of time or of interest: the next search goes on from here.
            for name in list(self._read):
                self.held[name] = _with_chunks(self.held[name], self._read.pop(name))

    async def _read_documents(self) -> None:
        """Bring those chunks up to date of which it is known what has changed."""
        numbers = {
            chunk << CHUNK_BITS | place
            for held in self.held.values()
            for chunk, places in held.stale.items()
            for place in places or ()
        }
        if not numbers or len(numbers) > _FEW_DOCUMENTS:
            return
        found = await load_documents(self._conn, self._collection, numbers)
        documents = {number: document for number, (_, document) in found.items()}
        for name, held in self.held.items():
            self.held[name] = self._with_documents(name, held, documents)

    def _with_documents(self, name: ColumnName, held: Held, documents: Mapping[int, Document]) -> Held:
        column, left = held.column, dict(held.stale)
        for chunk, places in held.stale.items():
            if places is not None:
                numbers = {place: chunk << CHUNK_BITS | place for place in sorted(places)}
                found = {place: documents.get(number) for place, number in numbers.items()}
                column = self._edited(name, column, chunk, found)
                del left[chunk]
        return Held(column, left)

    def _edited(self, name: ColumnName, column: Column, chunk: int, documents: Mapping[int, Document | None]) -> Column:
        """A column with some documents of a chunk as they are now; None for those that are no more."""
        values = {place: (document or {}).get(name.field) for place, document in documents.items()}
        if isinstance(column, FacetColumn):
            held = {place: list(dict.fromkeys(filter(None, texts(value)))) for place, value in values.items()}
            return column.with_documents(chunk, held)
        if isinstance(column, NumberColumn):
            field = self._collection.field(name.field)
            numbers = {place: number_of(value, field.type) if field else None for place, value in values.items()}
            return column.with_documents(
                chunk, {place: np.nan if number is None else number for place, number in numbers.items()}
            )
        column = column.copy()
        for place, document in documents.items():
            (column.discard if document is None else column.add)(chunk << CHUNK_BITS | place)
        return column

    async def _put_in(self) -> None:
        for name in list(self._read):
            held = self.held[name]
            if len(self._read[name]) > FEW_CHUNKS:
                held = await asyncio.to_thread(_with_chunks, held, self._read[name])
            else:
                held = _with_chunks(held, self._read[name])
            del self._read[name]
            self.held[name] = held

    def _stale(self, *kinds: Kind) -> dict[ColumnName, frozenset[int]]:
        return {name: frozenset(held.stale) for name, held in self.held.items() if name.kind in kinds and held.stale}

    async def _read_numbers(self) -> None:
        stale = self._stale(Kind.NUMBER)
        chunks: frozenset[int] = frozenset().union(*stale.values())
        fields = [name.field for name in stale]
        for run in _runs(sorted(chunks)):
            blocks = await load_blocks(
                self._conn,
                self._collection.id,
                fields,
                first=run.start * _BLOCK_COUNT,
                count=len(run) * _BLOCK_COUNT,
            )
            for name, wanted in stale.items():
                numbers = np.split(blocks[name.field], len(run))
                self._read[name] |= {
                    chunk: narrowed(part) for chunk, part in zip(run, numbers, strict=True) if chunk in wanted
                }

    async def _read_postings(self) -> None:
        stale = self._stale(Kind.EVERYTHING, Kind.FACET)
        for chunk in sorted(set().union(*stale.values())):
            names = [name for name, wanted in stale.items() if chunk in wanted]
            ranges = [_range_of(name) for name in names]
            found = await load_chunk(self._conn, self._collection.id, chunk, ranges)
            for name, postings in zip(names, found, strict=True):
                column = self.held[name].column
                self._read[name][chunk] = (
                    _part(postings, name, column.names)
                    if isinstance(column, FacetColumn)
                    else bitmap_of(np.sort(postings.places) + (chunk << CHUNK_BITS))
                )


_BLOCK_COUNT = CHUNK_SIZE // BLOCK_SIZE


def _range_of(name: ColumnName) -> tuple[str, str]:
    """First key and end (exclusive) of a column's postings."""
    return keys.facet_range(name.field) if name.kind is Kind.FACET else (keys.ALL, chr(ord(keys.ALL) + 1))


def _runs(chunks: Iterable[int]) -> Iterator[range]:
    """Chunks that follow each other, a few together; they are given in order."""
    run = range(0)
    for chunk in chunks:
        if chunk != run.stop or len(run) == FEW_CHUNKS:
            if run:
                yield run
            run = range(chunk, chunk)
        run = range(run.start, chunk + 1)
    if run:
        yield run


def _part(postings: ChunkPostings, name: ColumnName, names: Names) -> Part:
    length = len(keys.facet(name.field, ""))
    ordinals = names.take([key[length:] for key in postings.keys])
    return Part.of_pairs(postings.places << 32 | np.repeat(ordinals, postings.counts))


def _with_chunks(held: Held, read: Mapping[int, _Chunk]) -> Held:
    """A column with chunks put in that were read."""
    left = {chunk: places for chunk, places in held.stale.items() if chunk not in read}
    return Held(_replaced(held.column, read), left)


def _replaced(column: Column, read: Mapping[int, _Chunk]) -> Column:
    # What was read for a column is of its kind.
    if isinstance(column, FacetColumn):
        parts = {chunk: part for chunk, part in read.items() if isinstance(part, Part)}
        return FacetColumn(column.names, column.ordinals.with_parts(parts))
    if isinstance(column, NumberColumn):
        return column.with_chunks(
            {chunk: numbers for chunk, numbers in read.items() if isinstance(numbers, np.ndarray)}
        )
    kept = column.copy()
    for chunk in read:
        kept.remove_range(chunk << CHUNK_BITS, (chunk + 1) << CHUNK_BITS)
    found = BitMap.union(kept, *(documents for documents in read.values() if isinstance(documents, BitMap)))
    found.run_optimize()
    return found
