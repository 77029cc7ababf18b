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

# Bytes of columns that are kept; those of the least recently searched collection go first.
_KEPT_SIZE = 256_000_000
# Bytes a facet value takes beside its bitmap.
_VALUE_SIZE = 200


@dataclass(slots=True)
class Columns:
    """The columns of one collection at one version; filled field by field as searches ask."""

    version: int
    facets: dict[str, tuple[tuple[str, BitMap], ...]] = field(default_factory=dict)
    values: dict[str, Numbers] = field(default_factory=dict)
    extents: dict[str, tuple[float, float] | None] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """About how many bytes they take."""
        facets = sum(_VALUE_SIZE + 2 * len(documents) for found in self.facets.values() for _, documents in found)
        return facets + sum(numbers.nbytes for numbers in self.values.values())

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
        missing = [name for name in values if name not in columns.values]
        if missing:
            columns.values.update(await load_values(conn, collection.id, missing, collection.next_number))
        unknown = [name for name in facets if name not in columns.facets]
        for name in unknown:
            columns.facets[name] = await self._facet(conn, collection, name)
        self._keep(collection.id, columns, has_grown=bool(missing or unknown))
        return columns

    @staticmethod
    async def _facet(conn: AsyncConnection, collection: Collection, name: str) -> tuple[tuple[str, BitMap], ...]:
        found = await load_range(conn, collection.id, keys.facet_range(name), chunks_of(collection.next_number))
        return tuple((keys.facet_value(key), documents) for key, documents in found.items())

    def _keep(self, collection_id: int, columns: Columns, *, has_grown: bool) -> None:
        kept = self._kept.get(collection_id)
        # A slow reader of an older snapshot must not put back what a newer one has replaced.
        if kept is None or kept.version <= columns.version:
            self._kept[collection_id] = columns
        self._kept.move_to_end(collection_id)
        while has_grown and len(self._kept) > 1 and sum(held.size for held in self._kept.values()) > _KEPT_SIZE:
            self._kept.popitem(last=False)
