"""The order of documents that are not scored: by static rank, by a field, or as they are numbered.

All are total orders: what is equal stands in the order of document numbers. What has no number comes last.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np
from pyroaring import BitMap

from livesearch.search.bands import Numbers
from livesearch.search.cursors import Cursor
from livesearch.search.numbers import FEW, NumberColumn
from livesearch.search.selections import Selection, bitmap_of


class Order(Protocol):
    """An order of all documents."""

    def best(self, documents: BitMap, limit: int, *, offset: int = 0) -> list[int]:
        """The first of some documents, best first.

        Args:
            offset: How many to pass over.
        """

    def after(self, documents: BitMap, number: int, score: float, limit: int) -> list[int]:
        """The first of some documents that come after a place.

        Args:
            number: The document at that place; it need not be one of the documents, nor exist.
            score: What ``score_of`` said of it.
        """

    def score_of(self, number: int) -> float:
        """What a document is ordered by."""

    def scores_of(self, numbers: Sequence[int]) -> list[float]:
        """The same of many documents, in the order given."""


class DocumentOrder:
    """As documents are numbered, which is how they came."""

    def best(self, documents: BitMap, limit: int, *, offset: int = 0) -> list[int]:
        """The first of some documents."""
        return _first(documents, limit, offset=offset)

    def after(self, documents: BitMap, number: int, score: float, limit: int) -> list[int]:  # noqa: ARG002  # has none
        """The first of some documents after another."""
        return list(islice(documents.iter_equal_or_larger(number + 1), limit))

    def score_of(self, number: int) -> float:  # noqa: ARG002  # all are equal
        """Nothing."""
        return 0.0

    def scores_of(self, numbers: Sequence[int]) -> list[float]:
        """Nothing."""
        return [0.0] * len(numbers)


DOCUMENT_ORDER = DocumentOrder()


class ColumnOrder:
    """By a numeric column; what has no number there comes last."""

    def __init__(self, column: NumberColumn, *, is_descending: bool, missing: float = np.nan) -> None:
        """Order by a column.

        Args:
            missing: What ``score_of`` says of a document without a number; no number of the column.
        """
        self._column = column
        self._is_descending = is_descending
        self._missing = missing

    def best(self, documents: BitMap, limit: int, *, offset: int = 0) -> list[int]:
        """The first of some documents, best first."""
        found: list[int] = []
        for band, group in self._groups(documents):
            if offset < len(group):
                found += self._pick(band, group, limit - len(found), offset)
            offset = max(0, offset - len(group))
            if len(found) >= limit:
                break
        return found

    def after(self, documents: BitMap, number: int, score: float, limit: int) -> list[int]:
        """The first of some documents that come after a place."""
        if score == self._missing:
            score = np.nan
        own = _ALL if len(documents) <= FEW else self._column.bands.band_of(score)
        found: list[int] = []
        for band, group in self._groups(documents):
            if self._position(band) < self._position(own):
                continue
            wanted = limit - len(found)
            if band != own:
                found += self._pick(band, group, wanted, 0)
            elif self._is_level(band):
                found += DOCUMENT_ORDER.after(group, number, score, wanted)
            else:
                found += self._pick(band, self._behind(group, number, score), wanted, 0)
            if len(found) >= limit:
                break
        return found

    def score_of(self, number: int) -> float:
        """The document's number."""
        value = self._column.at(number)
        return self._missing if np.isnan(value) else value

    def scores_of(self, numbers: Sequence[int]) -> list[float]:
        """The documents' numbers."""
        values = self._column.at_all(numbers)
        found: list[float] = np.where(np.isnan(values), self._missing, values).tolist()
        return found

    def _groups(self, documents: BitMap) -> Iterator[tuple[int, BitMap]]:
        """The documents by band, best first; few of them are one group."""
        if len(documents) > FEW:
            return self._column.bands.within(documents, is_descending=self._is_descending)
        return iter([(_ALL, documents)])

    def _position(self, band: int) -> int:
        return 0 if band == _ALL else self._column.bands.position(band, is_descending=self._is_descending)

    def _pick(self, band: int, group: BitMap, limit: int, offset: int) -> list[int]:
        if self._is_level(band):
            return _first(group, limit, offset=offset)
        documents = Selection(group)
        ids, keys = documents.ids, self._keys(documents)
        if offset >= len(ids) or limit < 1:
            return []
        ends = offset, min(offset + limit, len(ids)) - 1
        # Only what is as good as the first and the last of the page, and what lies between, is sorted.
        first, last = np.partition(keys, ends)[list(ends)]
        chosen = np.flatnonzero((keys >= first) & (keys <= last))
        begin = offset - int(np.count_nonzero(keys < first))
        # A stable sort leaves what is equal in the order of numbers.
        order = np.argsort(keys[chosen], kind="stable")[begin : begin + limit]
        found: list[int] = ids[chosen[order]].tolist()
        return found

    def _is_level(self, band: int) -> bool:
        """Whether the documents of a group are all equal."""
        return band == _NONE or (band >= 0 and band in self._column.bands.levels)

    def _behind(self, group: BitMap, number: int, score: float) -> BitMap:
        """The documents that come after a place."""
        documents = Selection(group)
        ids, keys = documents.ids, self._keys(documents)
        key = np.inf if np.isnan(score) else -score if self._is_descending else score
        return bitmap_of(ids[(keys > key) | ((keys == key) & (ids > number))])

    def _keys(self, documents: Selection) -> Numbers:
        """What sorts from best to worst; values are finite."""
        values = self._column.take(documents)
        return np.nan_to_num(-values if self._is_descending else values, copy=False, nan=np.inf)


# Bands that are none: all documents together, and those without a number.
_ALL, _NONE = -2, -1


def _first(documents: BitMap, limit: int, *, offset: int = 0) -> list[int]:
    return list(documents[offset : offset + limit])


class Place(NamedTuple):
    """A document in the order of (tier, static rank, number)."""

    tier: int
    number: int


def remaining(
    tiers: Sequence[BitMap], order: Order, scored: Iterable[int], *, offset: int = 0, limit: int
) -> list[Place]:
    """The documents after the scored ones, tier by tier.

    Args:
        scored: Documents to leave out.
        offset: How many to pass over.
    """
    without = scored if isinstance(scored, BitMap) else BitMap(scored)
    found: list[Place] = []
    for tier, documents in enumerate(tiers if limit > 0 else ()):
        rest = documents - without if without else documents
        if offset < len(rest):
            found += [Place(tier, number) for number in order.best(rest, limit - len(found), offset=offset)]
        offset = max(0, offset - len(rest))
        if len(found) >= limit:
            break
    return found


def remaining_after(
    tiers: Sequence[BitMap], order: Order, scored: Iterable[int], after: Cursor, *, limit: int
) -> list[Place]:
    """The documents after the scored ones from a place on.

    Args:
        scored: Documents to leave out.
        after: The last one that was given. Where it is still there its place is what it is now: since then the
            collection, or the day, may have changed.
    """
    without = scored if isinstance(scored, BitMap) else BitMap(scored)
    at = next((tier for tier, documents in enumerate(tiers) if after.number in documents), None)
    score = after.score if at is None else order.score_of(after.number)
    at = after.tier if at is None else at
    if at >= len(tiers):
        return []
    begun = order.after(tiers[at] - without, after.number, score, limit)
    found = [Place(at, number) for number in begun]
    if len(found) < limit:
        rest = remaining(tiers[at + 1 :], order, without, limit=limit - len(found))
        found += [Place(at + 1 + tier, number) for tier, number in rest]
    return found
