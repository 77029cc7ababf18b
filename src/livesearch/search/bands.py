"""The documents of a numeric column in bands of values: the best few are found without looking at all.

Bands share no document and leave out those without a number. They are narrow at both ends, where results are read; and
a number that very many documents have is a band of its own, whose documents need no sorting.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS
from livesearch.search.selections import CHUNK_SIZE, bitmap_of

# By document number; NaN where there is none. Any: float64, or float32 where it holds the very same numbers.
Numbers = NDArray[np.floating[Any]]

# Documents from an end to its narrow cuts: enough for a page of anything, and of what few documents match. The last is
# also the width of all bands between.
_CUTS = (512, 8192, 131_072)
# Bands between the narrow ones, at most; with those of a number of their own they are fewer than 256.
_INNER_COUNT = 64
# A number is a band of its own where more than a 64th of the documents have it.
_OWN_SHARE = 64
_OWN_LEAST = 512
# Numbers that the thresholds are told from. They need not be exact: what is in a band is.
_SAMPLE_SIZE = 1 << 17


@dataclass(frozen=True)
class Bands:
    """Bands from the smallest numbers to the largest; never changed, another version shares what it can.

    Attributes:
        thresholds: Where each band begins; it ends below the next. Increasing, the first is -infinity.
        documents: Of each band.
        size: Documents in all of them when the thresholds were chosen.
    """

    thresholds: Numbers
    documents: tuple[BitMap, ...]
    size: int

    @classmethod
    def of(cls, chunks: Sequence[Numbers]) -> "Bands":
        """Choose thresholds, and put every document into its band. Takes 0.1 s a million."""
        thresholds = _thresholds(chunks)
        found: list[list[NDArray[np.intp]]] = [[] for _ in thresholds]
        for chunk, numbers in enumerate(chunks):
            places = np.flatnonzero(~np.isnan(numbers))
            # Of small numbers a stable sort is a radix sort: documents stay in order.
            bands = _band_of(thresholds, numbers[places]).astype(np.uint8)
            ids = places[np.argsort(bands, kind="stable")] + (chunk << CHUNK_BITS)
            ends = np.cumsum(np.bincount(bands, minlength=len(thresholds))).tolist()
            for band, (begin, end) in enumerate(pairwise([0, *ends])):
                found[band].append(ids[begin:end])
        documents = tuple(bitmap_of(np.concatenate(parts)) if parts else BitMap() for parts in found)
        return cls(thresholds, documents, sum(map(len, documents)))

    def moved(self, chunk: int, before: Numbers, after: Numbers) -> "Bands":
        """The same with the numbers of one chunk changed."""
        places = changed_places(before, after)
        ids = places + (chunk << CHUNK_BITS)
        old, new = (_band_of(self.thresholds, numbers[places]) for numbers in (before, after))
        documents = list(self.documents)
        for band in {*np.unique(old).tolist(), *np.unique(new).tolist()} - {-1}:
            documents[band] = documents[band] - bitmap_of(ids[old == band]) | bitmap_of(ids[new == band])
        return Bands(self.thresholds, tuple(documents), self.size)

    def band_of(self, number: float) -> int:
        """The band a number is in; -1 for NaN."""
        return int(_band_of(self.thresholds, np.array([number]))[0])

    @cached_property
    def levels(self) -> frozenset[int]:
        """The bands that hold one number only."""
        return frozenset(np.flatnonzero(np.nextafter(self.thresholds[:-1], np.inf) == self.thresholds[1:]).tolist())

    def position(self, band: int, *, is_descending: bool) -> int:
        """A band's place among all, best first; what has no number comes last."""
        count = len(self.documents)
        return count if band < 0 else count - 1 - band if is_descending else band

    def within(self, documents: BitMap, *, is_descending: bool) -> Iterator[tuple[int, BitMap]]:
        """The bands that have some of the documents, best first, and -1 with those that have no number."""
        left = len(documents)
        bands = range(len(self.documents))
        for band in reversed(bands) if is_descending else bands:
            if left and (found := documents & self.documents[band]):
                left -= len(found)
                yield band, found
        if left:
            yield -1, documents - BitMap.union(*self.documents)

    @property
    def byte_count(self) -> int:
        """About how many bytes they take."""
        return sum(2 * len(documents) for documents in self.documents)


def changed_places(before: Numbers, after: Numbers) -> NDArray[np.intp]:
    """Where two chunks differ."""
    return np.flatnonzero(~((before == after) | (np.isnan(before) & np.isnan(after))))


def _thresholds(chunks: Sequence[Numbers]) -> Numbers:
    """Where bands begin: about at the cuts, told from some of the numbers."""
    step = len(chunks) * CHUNK_SIZE // _SAMPLE_SIZE + 1
    values = np.concatenate([chunk[::step] for chunk in chunks]) if chunks else np.empty(0)
    values = np.sort(values[~np.isnan(values)])
    count = len(values)
    last = max(1, _CUTS[-1] // step, count // _INNER_COUNT)
    cuts = {*range(last, count, last)}.union(*((cut // step, count - cut // step) for cut in _CUTS))
    chosen = values[sorted(cut for cut in cuts if 0 < cut < count)]
    # Runs of one number: each begins where it differs from the one before.
    begins = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1]))) if count else np.empty(0, np.intp)
    lengths = np.diff(begins, append=count)
    own = values[begins[lengths > max(_OWN_LEAST // step, count // _OWN_SHARE)]]
    return np.unique(np.concatenate((np.array([-np.inf]), chosen, own, np.nextafter(own, np.inf))))


def _band_of(thresholds: Numbers, numbers: Numbers) -> NDArray[np.intp]:
    """The band of each number; -1 where there is none."""
    bands = np.searchsorted(thresholds, numbers, side="right") - 1
    bands[np.isnan(numbers)] = -1
    return bands
