"""The beginnings of terms as a tree in arrays, and the walk to those that are near a word."""

from collections.abc import Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from livesearch.search.edits import FAR, EditTable, edit_table
from livesearch.search.terms import SortedTerms

N = TypeVar("N", bound=np.generic)

# What a beginning's frequencies sum up to stands in 32 bits; more counts as so much.
_MOST = 2**32 - 1


class Beginnings:
    """Every distinct beginning of some terms, shortest first, then in order; the empty one is number 0.

    The beginnings that go on from one by a letter stand together, and in the order of what they go on from: where the
    first of them stands is all that is kept of the tree. 18 bytes a beginning, of which 300,000 terms have 1.4 million.

    A walk goes from length to length, over all beginnings at once that are still near enough to the word. Most of them
    fall away at three to five letters, so its time hardly grows with the number of terms.
    """

    def __init__(self, terms: SortedTerms, frequencies: NDArray[np.uint32]) -> None:
        """Args: frequencies: Of each term."""
        self._terms = terms
        letters, alphabet = _numbered(terms.text)
        self._letter_numbers = {letter: number for number, letter in enumerate(alphabet)}
        levels = _Levels()
        levels.add_all(terms, letters, frequencies)
        self._letters = _joined(levels.letters)
        self._first_terms = _joined(levels.first_terms)
        self._totals = _joined(levels.totals)
        self._children = _joined(levels.children)
        # Whoever builds has time for it, a search has not.
        edit_table(1)
        edit_table(2)

    @property
    def size(self) -> int:
        """Bytes it takes, about; the terms left aside."""
        return sum(array.nbytes for array in (self._letters, self._first_terms, self._totals, self._children))

    def terms_near(self, word: str, budget: int) -> list[tuple[int, int]]:
        """Terms within a number of edits of the word: place and edits of each, in no order."""
        found: list[tuple[int, int]] = []
        starts = self._terms.starts
        for length, beginnings, distances in self._near(word, edit_table(budget)):
            # Of the terms that begin so, the beginning itself comes first.
            terms = self._first_terms[beginnings]
            is_whole = starts[terms + 1] - starts[terms] == length + 1
            found += zip(terms[is_whole].tolist(), distances[is_whole].tolist(), strict=True)
        return found

    def beginnings_near(self, word: str, budget: int) -> list[tuple[str, int, int]]:
        """Beginnings within a number of edits of the word: each with its edits and its terms' frequencies summed."""
        found: list[tuple[str, int, int]] = []
        for length, beginnings, distances in self._near(word, edit_table(budget)):
            terms, totals = self._first_terms[beginnings].tolist(), self._totals[beginnings].tolist()
            texts = [self._terms[term][:length] for term in terms]
            found += zip(texts, distances.tolist(), totals, strict=True)
        return found

    def _near(self, word: str, table: EditTable) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.uint8]]]:
        """By length: the beginnings of that length that are near the whole word, and their distances."""
        positions = self._positions(word, table.budget)
        window = (1 << table.width) - 1
        beginnings, states = np.zeros(1, np.intp), np.zeros(1, np.uint8)
        for length in range(1, len(word) + table.budget + 1):
            parents, beginnings = self._next(beginnings)
            bits = (positions >> np.uint64(length - 1) & np.uint64(window)).astype(np.intp)
            states = table.steps[(states[parents].astype(np.intp) << table.width) + bits[self._letters[beginnings]]]
            alive = np.flatnonzero(states != table.dead)
            if not len(alive):
                return
            beginnings, states = beginnings[alive], states[alive]
            if length >= len(word) - table.budget:
                distances = table.distances[states, len(word) - length + table.budget]
                is_near = distances != FAR
                yield length, beginnings[is_near], distances[is_near]

    def _positions(self, word: str, budget: int) -> NDArray[np.uint64]:
        """By letter: where the word has it, as bits; the first of them are before the word."""
        positions = np.zeros(len(self._letter_numbers) or 1, np.uint64)
        for position, letter in enumerate(word):
            number = self._letter_numbers.get(letter)
            if number is not None:
                positions[number] |= np.uint64(1 << (position + budget))
        return positions

    def _next(self, beginnings: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The beginnings one letter longer: which of the given ones each goes on from, and their numbers."""
        starts = self._children[beginnings].astype(np.intp)
        counts = self._children[beginnings + 1] - starts
        ends = np.cumsum(counts)
        parents = np.repeat(np.arange(len(beginnings)), counts)
        return parents, np.repeat(starts - ends + counts, counts) + np.arange(ends[-1])


class _Levels:
    """What `Beginnings` are made of, an array for each length, from 0."""

    def __init__(self) -> None:
        # The empty beginning has no last letter, and nobody asks for its terms.
        self.letters: list[NDArray[np.unsignedinteger]] = [np.zeros(1, np.uint8)]
        self.first_terms = [np.zeros(1, np.uint32)]
        self.totals = [np.zeros(1, np.uint32)]
        self.children: list[NDArray[np.uint32]] = []

    def add_all(
        self, terms: SortedTerms, letters: NDArray[np.unsignedinteger], frequencies: NDArray[np.uint32]
    ) -> None:
        """Go through the terms, a letter at a time.

        Args:
            letters: Of the terms' text, numbered.
        """
        starts, lengths = terms.starts[:-1], np.diff(terms.starts) - 1
        # Of the terms that are long enough: which they are, and which beginning they have that is a letter shorter.
        held, shorter = np.arange(len(terms), dtype=np.int32), np.zeros(len(terms), np.int32)
        shorter_count, count = 1, 1
        for length in range(1, int(lengths.max(initial=0)) + 1):
            is_long = lengths[held] >= length
            held, shorter = held[is_long], shorter[is_long]
            last = letters[starts[held] + np.int32(length - 1)]
            is_first = np.ones(len(held), np.bool_)
            is_first[1:] = (shorter[1:] != shorter[:-1]) | (last[1:] != last[:-1])
            firsts = np.flatnonzero(is_first)
            self._add(last[firsts], held[firsts], np.add.reduceat(frequencies[held], firsts, dtype=np.int64))
            children = np.searchsorted(shorter[firsts], np.arange(shorter_count, dtype=np.int32))
            self.children.append((children + count).astype(np.uint32))
            shorter = np.cumsum(is_first, dtype=np.int32) - np.int32(1)
            shorter_count = len(firsts)
            count += shorter_count
        self.children.append(np.full(shorter_count + 1, count, np.uint32))

    def _add(
        self, letters: NDArray[np.unsignedinteger], first_terms: NDArray[np.int32], totals: NDArray[np.int64]
    ) -> None:
        self.letters.append(letters)
        self.first_terms.append(first_terms.astype(np.uint32))
        self.totals.append(np.minimum(totals, _MOST).astype(np.uint32))


def _numbered(text: str) -> tuple[NDArray[np.unsignedinteger], str]:
    """The letters of a text by their numbers, and the letters that the numbers stand for: of all there are, few."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    is_used = np.zeros(int(codes.max(initial=0)) + 1, np.bool_)
    is_used[codes] = True
    alphabet = np.flatnonzero(is_used)
    numbers = np.zeros(len(is_used), np.min_scalar_type(len(alphabet)))
    numbers[alphabet] = np.arange(len(alphabet))
    return numbers[codes], "".join(map(chr, alphabet.tolist()))


def _joined(arrays: list[NDArray[N]]) -> NDArray[N]:
    """Arrays put together; they are freed, so that the next ones come to stand where they stood."""
    whole = np.concatenate(arrays)
    arrays.clear()
    return whole
