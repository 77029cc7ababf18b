"""Facet counts: how many documents each value would leave."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from livesearch.domain import Facet, FacetValue, Field
from livesearch.search.analysis import fold
from livesearch.search.ordinals import Counted, Ordinals
from livesearch.search.selections import Base


def leave_out(match: BitMap, allowed: Mapping[str, BitMap], field: str | None = None) -> BitMap:
    """The matches that all filters but one field's own leave: disjunctive counts are taken over these."""
    found = match
    for name, bitmap in allowed.items():
        if name != field:
            found = found & bitmap
    return found


class Names:
    """The values of a facet by ordinal. New ones come at the end, so that all versions of a column can share them."""

    def __init__(self) -> None:
        self.values = [""]  # no document has ordinal 0
        self._ordinals: dict[str, int] = {}
        self._in_order: list[str] = []
        self._ranks: NDArray[np.int64] = np.zeros(1, np.int64)
        self._folded: list[str] = []

    def __len__(self) -> int:
        return len(self.values)

    def find(self, value: str) -> int | None:
        """The ordinal of a value; None for one that no document has ever had."""
        return self._ordinals.get(value)

    def take(self, values: Sequence[str]) -> NDArray[np.int64]:
        """The ordinals of some values; new ones for new values."""
        if not self._ordinals.keys() >= set(values):
            self._add(value for value in values if value not in self._ordinals)
        return np.fromiter(map(self._ordinals.__getitem__, values), np.int64, len(values))

    def _add(self, values: Iterable[str]) -> None:
        for value in values:
            self._ordinals[value] = len(self.values)
            self.values.append(value)

    @property
    def ranks(self) -> NDArray[np.int64]:
        """By ordinal, a value's place among all in the order of their letters."""
        new = self.values[len(self._ranks) :]
        if len(new) > _FEW_NAMES:
            self._in_order = sorted(self._ordinals)
            ordinals = np.fromiter(map(self._ordinals.__getitem__, self._in_order), np.int64, len(self._in_order))
            self._ranks = np.zeros(len(self.values), np.int64)
            self._ranks[ordinals] = np.arange(1, len(self.values))
        else:
            for value in new:
                place = bisect_left(self._in_order, value)
                self._in_order.insert(place, value)
                self._ranks = np.append(self._ranks + (self._ranks > place), place + 1)
        return self._ranks

    def holding(self, text: str) -> NDArray[np.int64]:
        """The ordinals of values that hold a folded text."""
        self._folded += map(fold, self.values[len(self._folded) :])
        return np.array([at for at, value in enumerate(self._folded) if at and text in value], np.int64)


# New values that are put into the order one by one; sorting thousands takes as long.
_FEW_NAMES = 64


@dataclass(frozen=True, slots=True)
class FacetColumn:
    """A facet's values, and which of them each document has."""

    names: Names = field(default_factory=Names)
    ordinals: Ordinals = field(default_factory=Ordinals)

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return self.ordinals.size + _NAME_SIZE * len(self.names)

    @property
    def is_worn(self) -> bool:
        """Whether most of the values it names are gone, so that it had better be read anew."""
        return len(self.names) > 2 * self.ordinals.value_count + _WORN_COUNT

    def holders(self, values: Iterable[str]) -> BitMap:
        """The documents that have any of some values, however many those are. Takes 3 ms a million documents."""
        is_wanted = np.zeros(len(self.names), np.bool_)
        is_wanted[[ordinal for value in values if (ordinal := self.names.find(value))]] = True
        return self.ordinals.holders_of(is_wanted)

    def values_of(self, documents: BitMap, everything: BitMap) -> list[str]:
        """The values that some documents have."""
        counts = self.ordinals.count(Base(documents, everything)).counts
        return [self.names.values[ordinal] for ordinal in np.flatnonzero(counts[: len(self.names)]).tolist()]

    def with_documents(self, chunk: int, values: Mapping[int, Sequence[str]]) -> "FacetColumn":
        """The same with the values of some documents of a chunk replaced, by their places in it."""
        ordinals = {place: self.names.take(held).tolist() for place, held in values.items()}
        return FacetColumn(self.names, self.ordinals.with_documents(chunk, ordinals))

    def with_frequent(self) -> "FacetColumn":
        """The same, made ready to be counted over many documents. Takes 0.1 s a million."""
        return FacetColumn(self.names, self.ordinals.with_frequent())


# Values that are gone which are not worth reading a column anew.
_WORN_COUNT = 1000
# Bytes of a value's text, with its places in a list and a dictionary.
_NAME_SIZE = 200


def count_values(
    field: Field, column: FacetColumn, base: Base, *, selected: Iterable[str] = (), limit: int = 10, contains: str = ""
) -> Facet:
    """Count a field's values over some documents.

    Args:
        selected: Chosen values; they are kept even where their count is 0.
        limit: Values to give, besides chosen ones.
        contains: Give only values that hold this text, case and diacritics aside.
    """
    chosen = {value: column.names.find(value) for value in selected}
    ordinals = {ordinal for ordinal in chosen.values() if ordinal and ordinal < len(column.ordinals.counts)}
    needle = fold(contains.strip())
    counted = column.ordinals.count(base) if needle else column.ordinals.count_most(base, limit, ordinals)
    counts = {value: int(counted.counts[ordinal]) if ordinal in ordinals else 0 for value, ordinal in chosen.items()}
    kept = sorted(counts, key=lambda value: (-counts[value], value))
    best = _most(counted, column.names, ordinals, limit=limit, needle=needle)
    names, best_counts = column.names.values, counted.counts[best].tolist()
    return Facet(
        field,
        tuple(FacetValue(value, counts[value], is_selected=True) for value in kept)
        + tuple(FacetValue(names[ordinal], count) for ordinal, count in zip(best, best_counts, strict=True)),
        counted.value_count,
        is_exact=counted.is_exact and counted.is_complete,
        counts_are_exact=counted.is_exact,
    )


def _most(counted: Counted, names: Names, chosen: set[int], *, limit: int, needle: str) -> list[int]:
    """The ordinals with most documents, by count, then by name: the order must not depend on how they came."""
    # Methods: numpy's functions of the same names take twice as long for so few values.
    counts = counted.counts
    if chosen:
        counts = counts.copy()
        counts[list(chosen)] = 0
    held = counts.nonzero()[0]
    if needle:
        held = np.intersect1d(held, names.holding(needle), assume_unique=True)
    # One number to sort by: the count, and below it the place among the names.
    keys = -counts[held] * len(names) + names.ranks[held]
    if len(held) > limit:
        best = keys.argpartition(limit)[:limit]
        held, keys = held[best], keys[best]
    found: list[int] = held[keys.argsort()].tolist()
    return found
