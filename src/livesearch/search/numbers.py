"""A numeric field's values in memory, chunk by chunk, with what is derived from them."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest

import numpy as np
from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS
from livesearch.search.bands import Bands, Numbers
from livesearch.search.selections import CHUNK_SIZE, Selection, bitmap_of

# Smallest and largest number; None where there is none.
Ends = tuple[float, float] | None

NO_NUMBERS: Numbers = np.full(CHUNK_SIZE, np.nan)
NO_NUMBERS.setflags(write=False)

# Bands are chosen anew when so many times the documents have come: they are still right, but no longer narrow.
_GROWTH = 2
# Documents that are looked up rather than searched for in bands.
FEW = 16_384


def narrowed(chunk: Numbers) -> Numbers:
    """The same numbers in half the space where that holds them: years, counts, and dates without a time."""
    # Infinity stands for a damaged block, which is told elsewhere; here its documents have no number.
    numbers = np.where(np.isinf(chunk), np.nan, chunk)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is told below
        narrow = numbers.astype(np.float32)
    return narrow if np.array_equal(narrow, numbers, equal_nan=True) else numbers


class NumberColumn:
    """One number a document, NaN for none; never changed, another version shares the chunks that are the same."""

    def __init__(
        self,
        chunks: Sequence[Numbers] = (),
        bands: Bands | None = None,
        ends: Sequence[Ends] | None = None,
        wholes: Sequence[bool | None] = (),
    ) -> None:
        """Take chunks of CHUNK_SIZE numbers, in order; and what is known of them, or it is found out."""
        self.chunks = tuple(chunks)
        self._bands = bands
        self._ends = tuple(map(_ends_of, chunks)) if ends is None else tuple(ends)
        # By chunk, whether all its numbers are whole; None until somebody asks.
        self._wholes = [*wholes, *[None] * (len(self.chunks) - len(wholes))]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return sum(chunk.nbytes for chunk in self.chunks) + (self._bands.byte_count if self._bands else 0)

    def with_chunks(self, changed: Mapping[int, Numbers]) -> "NumberColumn":
        """The same with some chunks replaced."""
        chunks = list(self.chunks)
        chunks += [NO_NUMBERS] * (max(changed, default=-1) + 1 - len(chunks))
        more = [None] * (len(chunks) - len(self._ends))
        bands, ends, wholes = self._bands, [*self._ends, *more], [*self._wholes, *more]
        for chunk, numbers in changed.items():
            bands = bands and bands.moved(chunk, chunks[chunk], numbers)
            chunks[chunk], ends[chunk], wholes[chunk] = numbers, _ends_of(numbers), None
        if bands and sum(map(len, bands.documents)) > _GROWTH * max(bands.size, CHUNK_SIZE):
            bands = None
        return NumberColumn(chunks, bands, ends, wholes)

    def with_documents(self, chunk: int, numbers: Mapping[int, float]) -> "NumberColumn":
        """The same with the numbers of some documents of a chunk replaced, by their places in it."""
        before = self.chunks[chunk] if chunk < len(self.chunks) else NO_NUMBERS
        after = before.astype(np.float64)
        after[list(numbers)] = list(numbers.values())
        return self.with_chunks({chunk: narrowed(after)})

    def within(self, documents: BitMap) -> "NumberColumn":
        """The numbers of some documents alone. Takes 0.03 s a million."""
        chunks = [NO_NUMBERS] * len(self.chunks)
        for chunk, places in Selection(documents).parts:
            if chunk < len(chunks):
                chunks[chunk] = np.full(CHUNK_SIZE, np.nan, self.chunks[chunk].dtype)
                chunks[chunk][places] = self.chunks[chunk][places]
        return NumberColumn(chunks)

    @property
    def bands(self) -> Bands:
        """Its documents in bands of values; made at the first call, see ``prepare``."""
        if self._bands is None:
            self._bands = Bands.of(self.chunks)
        return self._bands

    @property
    def is_prepared(self) -> bool:
        """Whether the bands are there."""
        return self._bands is not None

    def prepare(self) -> None:
        """Make the bands, in a thread: 0.2 s a million documents."""
        self._bands = self.bands

    @property
    def extent(self) -> Ends:
        """Smallest and largest number; None where no document has one."""
        found = [ends for ends in self._ends if ends]
        return (min(low for low, _ in found), max(high for _, high in found)) if found else None

    @property
    def is_whole(self) -> bool:
        """Whether all numbers are whole. Looks through a chunk once: 0.1 ms."""
        for at, chunk in enumerate(self.chunks):
            if self._wholes[at] is None:
                self._wholes[at] = bool(np.all(np.isnan(chunk) | (chunk == np.floor(chunk))))
        return all(self._wholes)

    def at(self, number: int) -> float:
        """A document's number; NaN for none."""
        chunk = number >> CHUNK_BITS
        return float(self.chunks[chunk][number & (CHUNK_SIZE - 1)]) if chunk < len(self.chunks) else np.nan

    def at_all(self, numbers: Sequence[int]) -> Numbers:
        """Some documents' numbers, in the order given."""
        places = np.array(numbers, np.int64)
        order = np.argsort(places)
        found = np.empty(len(places))
        found[order] = self.take(Selection(places[order].astype(np.uint32)))
        return found

    def take(self, documents: Selection) -> Numbers:
        """The documents' numbers, in their order."""
        found = np.empty(len(documents))
        begin = 0
        for chunk, places in documents.parts:
            end = begin + len(places)
            numbers = self.chunks[chunk] if chunk < len(self.chunks) else NO_NUMBERS
            found[begin:end] = numbers.take(places, mode="clip")
            begin = end
        return found

    def between(self, minimum: float | None, maximum: float | None) -> BitMap:
        """The documents whose number lies between the two, ends included; those without a number never do."""
        low = -np.inf if minimum is None else minimum
        high = np.inf if maximum is None else maximum
        if not low <= high:
            return BitMap()
        bands = self.bands
        begins, ends = bands.thresholds, np.append(bands.thresholds[1:], np.inf)
        is_whole = (begins >= low) & (ends <= np.nextafter(high, np.inf))
        found = [bands.documents[band] for band in np.flatnonzero(is_whole).tolist()]
        for band in {bands.band_of(low), bands.band_of(high)}:
            if not is_whole[band]:
                documents = Selection(bands.documents[band])
                numbers = self.take(documents)
                found.append(bitmap_of(documents.ids[(numbers >= low) & (numbers <= high)]))
        return BitMap.union(BitMap(), *found)


def changed_count(before: Sequence[object], after: Sequence[object]) -> int:
    """How many chunks of a column are not those of another version; it costs no look into them."""
    return sum(old is not new for old, new in zip_longest(before, after))


def _ends_of(chunk: Numbers) -> Ends:
    low = float(np.fmin.reduce(chunk))
    return None if np.isnan(low) else (low, float(np.fmax.reduce(chunk)))
