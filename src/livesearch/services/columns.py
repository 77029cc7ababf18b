"""Facet postings and numeric values, kept in memory for as long as they are true."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection
from livesearch.search import keys
from livesearch.store.doc_values import Numbers, load_values
from livesearch.store.postings import chunks_of, load_range

# Collections whose columns are kept; the least recently searched goes first.
_COLLECTION_COUNT = 8


@dataclass(slots=True)
class Columns:
    """The columns of one collection at one version; filled field by field as searches ask."""

    version: int
    facets: dict[str, tuple[tuple[str, BitMap], ...]] = field(default_factory=dict)
    values: dict[str, Numbers] = field(default_factory=dict)
    extents: dict[str, tuple[float, float] | None] = field(default_factory=dict)

    def extent(self, name: str) -> tuple[float, float] | None:
        """Smallest and largest of a loaded field's values; None where no document has one."""
        if name not in self.extents:
            numbers = self.values[name]
            held = numbers[~np.isnan(numbers)]
            self.extents[name] = (float(held.min()), float(held.max())) if len(held) else None
        return self.extents[name]


class ColumnCache:
    """Columns by collection. The version read in the caller's own snapshot decides whether they are still true."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Columns] = OrderedDict()

    async def load(
        self, conn: AsyncConnection, collection: Collection, *, facets: Iterable[str] = (), values: Iterable[str] = ()
    ) -> Columns:
        """The collection's columns, with at least these fields in them."""
        columns = self._kept.get(collection.id)
        if columns is None or columns.version != collection.version:
            columns = Columns(collection.version)
        for name in facets:
            if name not in columns.facets:
                columns.facets[name] = await self._facet(conn, collection, name)
        missing = [name for name in values if name not in columns.values]
        if missing:
            columns.values.update(await load_values(conn, collection.id, missing, collection.next_number))
        self._keep(collection.id, columns)
        return columns

    @staticmethod
    async def _facet(conn: AsyncConnection, collection: Collection, name: str) -> tuple[tuple[str, BitMap], ...]:
        found = await load_range(conn, collection.id, keys.facet_range(name), chunks_of(collection.next_number))
        return tuple((keys.facet_value(key), documents) for key, documents in found.items())

    def _keep(self, collection_id: int, columns: Columns) -> None:
        kept = self._kept.get(collection_id)
        # A slow reader of an older snapshot must not put back what a newer one has replaced.
        if kept is None or kept.version <= columns.version:
            self._kept[collection_id] = columns
        self._kept.move_to_end(collection_id)
        while len(self._kept) > _COLLECTION_COUNT:
            self._kept.popitem(last=False)
