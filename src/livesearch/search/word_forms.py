"""Words that are forms of one another: those that have the same stem."""

from collections.abc import Iterable
from functools import cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from Stemmer import Stemmer, algorithms

from livesearch.search.terms import SortedTerms

# Stemming holds the interpreter's lock: a thousand words at a time, one millisecond.
_BATCH = 1000


@cache
def languages() -> frozenset[str]:
    """The languages that there are stemmers for, as ``english``."""
    return frozenset(algorithms())


class WordForms:
    """Some terms by their stems; 12 bytes a term."""

    def __init__(self, terms: SortedTerms, language: str) -> None:
        # Without a cache of its own: no word is asked for again soon.
        self._stemmer = Stemmer(language, 0)
        hashes = np.fromiter(_hashes(terms, self._stemmer), np.int64, len(terms))
        self._places = np.argsort(hashes, kind="stable").astype(np.uint32)
        self._hashes: NDArray[np.int64] = hashes[self._places]

    @property
    def size(self) -> int:
        """Bytes it takes, about."""
        return self._hashes.nbytes + self._places.nbytes

    def places(self, word: str) -> list[int]:
        """Places of the terms that have the stem of a word, in their order; the word may be one of them, or none.

        Stems are told apart by hashes of 64 bits.
        """
        stem = np.int64(hash(self._stemmer.stemWord(word)))
        first, end = np.searchsorted(self._hashes, stem, "left"), np.searchsorted(self._hashes, stem, "right")
        return [int(place) for place in self._places[first:end]]


def _hashes(terms: Iterable[str], stemmer: Stemmer) -> Iterable[int]:
    remaining = iter(terms)
    while batch := list(islice(remaining, _BATCH)):
        yield from map(hash, stemmer.stemWords(batch))
