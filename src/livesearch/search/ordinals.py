"""Which of a field's values each document has, as small numbers, and how many documents of a result have each.

An ordinal is a value's number within its field, from 1. Three ways lead to the same counts, and the cheapest is taken:
looking up the ordinals of a result's documents; looking up those of all other documents, to be taken from the counts of
the whole collection; or intersecting the result with the bitmaps of the most frequent values.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heappush, heappushpop
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS
from livesearch.search.selections import CHUNK_SIZE, Base, Places, Selection, bitmap_of, ids_of

# Any: uint8, uint16 or uint32, whichever holds the largest of a chunk.
OrdinalArray = NDArray[Any]
Counts = NDArray[np.int64]
# A document's place in its chunk above, an ordinal in the low 32 bits.
Pairs = NDArray[np.int64]

_LOW = 0xFFFFFFFF

# Values that have bitmaps of their own, and the fewest documents for which they are worth their memory: below, looking
# up all ordinals takes 0.6 ms.
FREQUENT_COUNT = 256
_FREQUENT_SIZE = 131_072
# Bitmaps are made anew when one of so many most frequent values has none.
_FIRST_COUNT = 64
# Measured: nanoseconds to look up and count one ordinal; to intersect a block of 65,536 documents with another, and for
# each document in it.
_LOOK_UP_NS = 4.5
_BLOCK_NS = 300
_MEMBER_NS = 0.6
# Ordinals that are looked up for one answer: 5 ms. Past them, counts are lower bounds.
LOOK_UP_LIMIT = 1 << 20
# Ordinals looked up to learn about how many values there are, where only the most frequent are counted.
_SAMPLE_SIZE = 1 << 14
# Chosen values without a bitmap that are counted one by one, 0.3 ms each.
_FEW = 4


@dataclass(frozen=True, slots=True)
class Part:
    """The ordinals of one chunk.

    Attributes:
        ordinals: One a document, 0 for none; or where ``offsets`` are given, those of all documents in a row.
        offsets: Where each document's ordinals begin, and the end of all; None where none has more than one.
    """

    ordinals: OrdinalArray
    offsets: NDArray[np.int32] | None = None

    @classmethod
    def of_pairs(cls, pairs: Pairs) -> "Part":
        """From pairs in any order, each once."""
        pairs = np.sort(pairs)
        places, ordinals = pairs >> 32, pairs & _LOW
        narrow = _narrowest(ordinals)
        if (places[1:] == places[:-1]).any():
            offsets = np.zeros(CHUNK_SIZE + 1, np.int32)
            np.cumsum(np.bincount(places, minlength=CHUNK_SIZE), out=offsets[1:])
            return cls(ordinals.astype(narrow), offsets)
        flat = np.zeros(CHUNK_SIZE, narrow)
        flat[places] = ordinals
        return cls(flat)

    def pairs(self) -> Pairs:
        """Every pair, sorted."""
        if self.offsets is None:
            places = np.flatnonzero(self.ordinals)
            return places << 32 | self.ordinals[places].astype(np.int64)
        places = np.repeat(np.arange(CHUNK_SIZE), np.diff(self.offsets))
        return places << 32 | self.ordinals.astype(np.int64)

    def with_documents(self, pairs: Pairs, places: Places) -> "Part":
        """The same with some documents' ordinals replaced by those that the pairs give."""
        ordinals = pairs & _LOW
        if self.offsets is None and len(np.unique(pairs >> 32)) == len(pairs):
            flat = self.ordinals.astype(np.promote_types(self.ordinals.dtype, _narrowest(ordinals)))
            flat[places] = 0
            flat[pairs >> 32] = ordinals
            return Part(flat)
        before = self.pairs()
        return Part.of_pairs(np.concatenate((before[~np.isin(before >> 32, places)], pairs)))

    def look_up(self, places: Places) -> OrdinalArray:
        """The ordinals of some documents, in a row; 0 may stand for none."""
        if self.offsets is None:
            return self.ordinals.take(places, mode="clip")
        begins = self.offsets.take(places, mode="clip")
        lengths = self.offsets.take(places + 1, mode="clip") - begins
        ends = np.cumsum(lengths)
        if not len(ends) or not ends[-1]:
            return self.ordinals[:0]
        return self.ordinals.take(np.repeat(begins - (ends - lengths), lengths) + np.arange(ends[-1]), mode="clip")

    def holders(self, ordinal: int) -> Places:
        """The documents that have an ordinal."""
        return self._documents_at(np.flatnonzero(self.ordinals == ordinal))

    def holders_of(self, is_wanted: NDArray[np.bool_]) -> Places:
        """The documents that have any of the ordinals that are wanted; one that has several may come again."""
        return self._documents_at(np.flatnonzero(is_wanted[self.ordinals]))

    def _documents_at(self, found: Places) -> Places:
        return found if self.offsets is None else np.searchsorted(self.offsets, found, side="right") - 1

    @property
    def size(self) -> int:
        """Bytes."""
        return self.ordinals.nbytes + (0 if self.offsets is None else self.offsets.nbytes)


def _narrowest(ordinals: NDArray[np.int64]) -> np.dtype[Any]:
    return np.min_scalar_type(int(ordinals.max(initial=0)))


_NO_DOCUMENTS = BitMap()
NOTHING = Part(np.zeros(CHUNK_SIZE, np.uint8))


class Counted(NamedTuple):
    """How many documents have each ordinal.

    Attributes:
        counts: By ordinal; where not ``is_complete``, 0 also stands for one that was not looked at.
        is_exact: Whether the counts of all that was looked at are exact; lower bounds otherwise.
        is_complete: Whether all ordinals were looked at.
        value_count: Ordinals with a document; at least so many unless exact and complete.
    """

    counts: Counts
    is_exact: bool
    is_complete: bool
    value_count: int


@dataclass(frozen=True)
class Ordinals:
    """The ordinals of a collection's documents; never changed, another version shares what it can.

    Attributes:
        parts: By chunk.
        counts: Documents of the whole collection by ordinal; [0] says nothing.
        frequent: The documents of the most frequent ordinals, where there are enough of both to be worth it.
        frequent_ns: About how many nanoseconds it takes to intersect documents with one of them.
    """

    parts: tuple[Part, ...] = ()
    counts: Counts = field(default_factory=lambda: np.zeros(1, np.int64))
    frequent: Mapping[int, BitMap] = field(default_factory=dict)
    frequent_ns: float = 0.0

    @property
    def size(self) -> int:
        """About how many bytes they take."""
        bitmaps = sum(2 * len(documents) + 40 * len(self.parts) for documents in self.frequent.values())
        return sum(part.size for part in self.parts) + self.counts.nbytes + bitmaps

    def with_parts(self, parts: Mapping[int, Part]) -> "Ordinals":
        """The same with some chunks replaced."""
        return self._changed(
            (chunk, part, *_difference(self._part(chunk).pairs(), part.pairs())) for chunk, part in parts.items()
        )

    def with_documents(self, chunk: int, ordinals: Mapping[int, Iterable[int]]) -> "Ordinals":
        """The same with some documents of a chunk replaced.

        Args:
            ordinals: By place in the chunk; each once.
        """
        part, places = self._part(chunk), np.array(list(ordinals), np.intp)
        gone = [place << 32 | int(held) for place in ordinals for held in part.look_up(np.array([place])) if held]
        come = np.array([place << 32 | held for place, some in ordinals.items() for held in some], np.int64)
        return self._changed([(chunk, part.with_documents(come, places), np.array(gone, np.int64), come)])

    def _part(self, chunk: int) -> Part:
        return self.parts[chunk] if chunk < len(self.parts) else NOTHING

    def _changed(self, changes: Iterable[tuple[int, Part, Pairs, Pairs]]) -> "Ordinals":
        """The same with other parts; of each the pairs that go and those that come."""
        merged = list(self.parts)
        counts, frequent = self.counts, dict(self.frequent)
        for chunk, part, gone, come in changes:
            merged += [NOTHING] * (chunk + 1 - len(merged))
            merged[chunk] = part
            counts = _added(counts, come & _LOW, gone & _LOW)
            for ordinal in np.unique(np.concatenate((gone, come)) & _LOW).tolist() if frequent else []:
                if ordinal in frequent or (len(frequent) < FREQUENT_COUNT and self._is_new(ordinal)):
                    documents = frequent.get(ordinal, _NO_DOCUMENTS) - _documents(gone, ordinal, chunk)
                    frequent[ordinal] = documents | _documents(come, ordinal, chunk)
        return Ordinals(tuple(merged), counts, frequent, self.frequent_ns)

    def with_frequent(self) -> "Ordinals":
        """The same with bitmaps for the most frequent ordinals, where documents are many. Takes 0.1 s a million."""
        if len(self.parts) * CHUNK_SIZE <= _FREQUENT_SIZE:
            return self
        frequent = dict(zip(self.by_count.tolist(), self._bitmaps(self.by_count), strict=True))
        blocks = [int(documents.get_statistics()["n_containers"]) for documents in frequent.values()]
        nanoseconds = _BLOCK_NS * sum(blocks) + _MEMBER_NS * sum(map(len, frequent.values()))
        return replace(self, frequent=frequent, frequent_ns=nanoseconds / max(1, len(frequent)))

    def _bitmaps(self, ordinals: NDArray[np.int64]) -> Iterator[BitMap]:
        """The documents of each of at most 256 ordinals."""
        at = np.zeros(len(self.counts), np.uint8)
        at[ordinals] = np.arange(len(ordinals))
        is_wanted = np.zeros(len(self.counts), np.bool_)
        is_wanted[ordinals] = True
        found: list[list[Places]] = [[] for _ in ordinals]
        for chunk, part in enumerate(self.parts):
            pairs = part.pairs()
            pairs = pairs[is_wanted[pairs & _LOW]]
            # Of small numbers a stable sort is a radix sort: documents stay in order.
            groups = at[pairs & _LOW]
            order = np.argsort(groups, kind="stable")
            ids, ends = (
                (pairs[order] >> 32) + (chunk << CHUNK_BITS),
                np.cumsum(np.bincount(groups, minlength=len(ordinals))),
            )
            for group, end in enumerate(ends.tolist()):
                found[group].append(ids[int(ends[group - 1]) if group else 0 : end])
        return (bitmap_of(np.concatenate(parts)) for parts in found)

    @property
    def lacks_frequent(self) -> bool:
        """Whether ``with_frequent`` would make counting quicker."""
        if len(self.parts) * CHUNK_SIZE <= _FREQUENT_SIZE:
            return False
        return not self.frequent.keys() >= set(self.by_count[:_FIRST_COUNT].tolist())

    @cached_property
    def by_count(self) -> NDArray[np.int64]:
        """The most frequent ordinals, most frequent first, as many as may have bitmaps."""
        held = np.flatnonzero(self.counts[1:]) + 1
        if len(held) > FREQUENT_COUNT:
            held = held[np.argpartition(-self.counts[held], FREQUENT_COUNT)[:FREQUENT_COUNT]]
        return held[np.argsort(-self.counts[held], kind="stable")]

    @cached_property
    def value_count(self) -> int:
        """Ordinals that some document has."""
        return int(np.count_nonzero(self.counts[1:]))

    def holders(self, ordinal: int) -> BitMap:
        """The documents that have an ordinal."""
        if ordinal in self.frequent:
            return self.frequent[ordinal]
        return bitmap_of(
            np.concatenate([part.holders(ordinal) + (chunk << CHUNK_BITS) for chunk, part in enumerate(self.parts)])
        )

    def holders_of(self, is_wanted: NDArray[np.bool_]) -> BitMap:
        """The documents that have any of the ordinals that are wanted; 0 must not be."""
        return bitmap_of(
            np.concatenate(
                [
                    np.empty(0, np.intp),
                    *(part.holders_of(is_wanted) + (chunk << CHUNK_BITS) for chunk, part in enumerate(self.parts)),
                ]
            )
        )

    def count(self, base: Base) -> Counted:
        """Count every ordinal."""
        if self._is_intersected(base):
            return self._intersected(base, self.by_count.tolist(), is_complete=True)
        if self._look_ups(base) <= LOOK_UP_LIMIT:
            return _complete(self._looked_up(base), is_exact=True)
        share = LOOK_UP_LIMIT / self._look_ups(base)
        return _complete(self._tally(Selection(base.documents[: int(share * base.smaller_size)])), is_exact=False)

    def count_most(self, base: Base, limit: int, chosen: set[int]) -> Counted:
        """Count at least the ``limit`` ordinals that most documents have, and those that are chosen.

        All others too, unless that takes longer.
        """
        is_much = self.value_count > FREQUENT_COUNT and self._look_ups(base) > _FREQUENT_SIZE
        can_walk = is_much and self.frequent and len(chosen - self.frequent.keys()) <= _FEW
        found = self._walk(base, limit, chosen) if can_walk or self._is_intersected(base) else None
        return found or self.count(base)

    def _walk(self, base: Base, limit: int, chosen: set[int]) -> Counted | None:
        """Count from the most frequent on, until no other can be among the first; None where that takes too many."""
        # Walking in vain costs half as much again as looking up at once would have; where all have bitmaps, it is not.
        affordable = int(_LOOK_UP_NS * self._look_ups(base) / (2 * self.frequent_ns))
        ordinals = self.by_count if self._has_all else self.by_count[: affordable + 1]
        counts: dict[int, int] = {}
        best: list[int] = []
        for ordinal in ordinals.tolist():
            if len(best) == limit and best[0] > self.counts[ordinal]:
                return self._walked(base, counts, chosen)
            if ordinal not in self.frequent:
                return None
            counts[ordinal] = base.documents.intersection_cardinality(self.frequent[ordinal])
            if ordinal not in chosen:
                (heappush if len(best) < limit else heappushpop)(best, counts[ordinal])
        return self._walked(base, counts, chosen) if self._has_all else None

    def _walked(self, base: Base, counts: Mapping[int, int], chosen: set[int]) -> Counted:
        """What is known when some ordinals were counted, which are the first."""
        found = self._intersected(base, chosen - counts.keys(), is_complete=self._has_all)
        found.counts[list(counts)] = list(counts.values())
        if self._has_all:
            # Whether a document has one of the others is seen at the first that does.
            others = self.frequent.keys() - counts.keys()
            held = sum(base.documents.intersect(self.frequent[ordinal]) for ordinal in others)
            return found._replace(value_count=held + sum(map(bool, counts.values())))
        # From all over: neighbours often have the same values.
        sample = self._tally(Selection(ids_of(base.documents)[:: base.size // _SAMPLE_SIZE + 1]))
        return found._replace(value_count=int(np.count_nonzero(sample[1:] + found.counts[1 : len(sample)])))

    def _intersected(self, base: Base, ordinals: Iterable[int], *, is_complete: bool) -> Counted:
        counts = np.zeros(len(self.counts), np.int64)
        for ordinal in ordinals:
            counts[ordinal] = base.documents.intersection_cardinality(self.holders(ordinal))
        return Counted(counts, is_exact=True, is_complete=is_complete, value_count=int(np.count_nonzero(counts)))

    def _is_intersected(self, base: Base) -> bool:
        """Whether all ordinals have bitmaps, and going through them takes less than looking up."""
        return self._has_all and self.value_count * self.frequent_ns < _LOOK_UP_NS * self._look_ups(base)

    def _is_new(self, ordinal: int) -> bool:
        return ordinal >= len(self.counts) or not self.counts[ordinal]

    def _look_ups(self, base: Base) -> float:
        """About how many ordinals the smaller side has."""
        return base.smaller_size * max(1.0, self._pair_count / max(1, len(base.everything)))

    @cached_property
    def _pair_count(self) -> int:
        return int(self.counts.sum())

    @cached_property
    def _has_all(self) -> bool:
        return 0 < self.value_count <= FREQUENT_COUNT and self.frequent.keys() >= set(self.by_count.tolist())

    def _looked_up(self, base: Base) -> Counts:
        counts = self._tally(base.smaller)
        return self.counts - counts if base.is_most else counts

    def _tally(self, documents: Selection) -> Counts:
        found = [self.parts[chunk].look_up(places) for chunk, places in documents.parts if chunk < len(self.parts)]
        ordinals = np.concatenate(found) if found else np.empty(0, np.uint8)
        return np.bincount(ordinals, minlength=len(self.counts))


def _complete(counts: Counts, *, is_exact: bool) -> Counted:
    counts[0] = 0
    return Counted(counts, is_exact, is_complete=True, value_count=int(np.count_nonzero(counts)))


def _difference(before: Pairs, after: Pairs) -> tuple[Pairs, Pairs]:
    """What only the first and what only the second has; both are sorted."""
    if not len(before) or not len(after):
        return before, after
    length = min(len(before), len(after))
    # An edit changes one document of thousands: only what lies between the first and the last difference is compared.
    begin = _agreement(before[:length], after[:length])
    end = _agreement(before[::-1][: length - begin], after[::-1][: length - begin])
    before, after = before[begin : len(before) - end], after[begin : len(after) - end]
    return np.setdiff1d(before, after, assume_unique=True), np.setdiff1d(after, before, assume_unique=True)


def _agreement(first: Pairs, second: Pairs) -> int:
    """How many pairs are the same from the beginning on; both are equally long."""
    differs = first != second
    at = int(differs.argmax()) if len(differs) else 0
    return at if len(differs) and differs[at] else len(differs)


def _added(counts: Counts, come: Pairs, gone: Pairs) -> Counts:
    length = max(len(counts), int(come.max(initial=0)) + 1)
    changed = np.bincount(come, minlength=length) - np.bincount(gone, minlength=length)
    changed[: len(counts)] += counts
    return changed


def _documents(pairs: Pairs, ordinal: int, chunk: int) -> BitMap:
    return bitmap_of((pairs[(pairs & _LOW) == ordinal] >> 32) + (chunk << CHUNK_BITS))
