"""What has become of a collection's documents since a version, and how they were then."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS, Collection, Document
from livesearch.ingest import number_of
from livesearch.search.former import FormerPostings
from livesearch.search.indexing import IndexSchema
from livesearch.search.numbers import NumberColumn
from livesearch.services.columns import Columns
from livesearch.store.journal import Former, JournalEntry, load_journal

# Former documents that are indexed, a tenth of a second of work; of more it is not known what they were.
_FORMER_COUNT = 1_000
# Those that are indexed on the event loop: some milliseconds.
_FEW = 20


@dataclass(frozen=True, slots=True)
class Past:
    """A collection as it was at a version, as far as it differs from now.

    Attributes:
        fresh: Numbers of documents that were not there.
        former: By number, those that were there and are changed or gone.
        unknown: Numbers of those changed of which it is not known what they were.
    """

    fresh: BitMap
    former: Mapping[int, Former]
    unknown: BitMap
    postings: FormerPostings

    @property
    def changed(self) -> BitMap:
        """All that have changed."""
        return self.fresh | BitMap(self.former) | self.unknown

    def columns(self, columns: Columns, collection: Collection) -> Columns:
        """The columns as they were: which documents there were, and their numbers."""
        former = BitMap(self.former)
        numbers = {name: self._numbers(column, name, collection) for name, column in columns.numbers.items()}
        return replace(columns, everything=(columns.everything - self.fresh) | former, numbers=numbers)

    def _numbers(self, column: NumberColumn, name: str, collection: Collection) -> NumberColumn:
        field = collection.field(name)
        by_chunk: dict[int, dict[int, float]] = {}
        for number, found in self.former.items():
            value = number_of(found.document.get(name), field.type) if field else None
            places = by_chunk.setdefault(number >> CHUNK_BITS, {})
            places[number & ((1 << CHUNK_BITS) - 1)] = np.nan if value is None else value
        for chunk, places in by_chunk.items():
            column = column.with_documents(chunk, places)
        return column

    def documents(
        self, numbers: Iterable[int], now: Mapping[int, tuple[str, Document]]
    ) -> dict[int, tuple[str, Document]]:
        """Keys and documents as they were, some of those of now among them."""
        former = ((number, self.former[number]) for number in numbers if number in self.former)
        return {**now, **{number: (found.key or "", found.document) for number, found in former}}


async def load_past(conn: AsyncConnection, collection: Collection, version: int) -> Past | None:
    """A collection as it was at an earlier version; None where that is not known any more."""
    if collection.tuning_version > version:
        return None
    entries = await load_journal(conn, collection.id, version)
    if entries is None:
        return None
    fresh, former, unknown = _folded(entries)
    documents = {number: found.document for number, found in former.items()}
    index = partial(FormerPostings, documents, fresh | BitMap(former), IndexSchema.of(collection))
    postings = index() if len(former) <= _FEW else await asyncio.to_thread(index)
    return Past(fresh, former, unknown, postings)


def _folded(entries: Sequence[JournalEntry]) -> tuple[BitMap, dict[int, Former], BitMap]:
    """What was not there at first, what was, and what was of which more is not known: the first change tells."""
    fresh, former, unknown = BitMap(), dict[int, Former](), BitMap()
    for entry in entries:
        seen = fresh | unknown | BitMap(former)
        fresh |= entry.created - seen
        changed = (entry.updated | entry.removed) - seen - entry.created
        if entry.before is None or len(former) + len(changed) > _FORMER_COUNT:
            unknown |= changed
        else:
            former |= {number: entry.before[number] for number in changed if number in entry.before}
    return fresh, former, unknown
