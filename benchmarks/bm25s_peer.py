"""A peer: bm25s, Okapi BM25 over one text in NumPy arrays, as retrieval papers use it."""

from collections import Counter
from collections.abc import Iterable

import bm25s  # type: ignore[import-untyped]  # it ships no types
import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA
from Stemmer import Stemmer

from benchmarks.peers import KeyedRow
from livesearch.search.analysis import words

# Edits within which a word counts as a misspelling of another.
_EDIT_LIMIT = 2


class Bm25s:
    """Rows in a bm25s index: all columns as one text, English stems, k1 = 1.2, b = 0.75."""

    def __init__(self, rows: Iterable[KeyedRow]) -> None:
        self._stemmer = Stemmer("english")
        split = [(key, words(" ".join(texts))) for key, texts in rows]
        self._keys = [key for key, _ in split]
        self._counts = Counter(word for _, text in split for word in set(text))
        self._index = bm25s.BM25(k1=1.2, b=0.75)
        self._index.index([self._stemmer.stemWords(text) for _, text in split], show_progress=False)

    def rank(self, text: str, limit: int) -> list[str]:
        """Keys of the best documents that hold any word."""
        return self._rank(words(text), limit)

    def rank_corrected(self, text: str, limit: int) -> list[str]:
        """The same, with every word that no document has replaced by the nearest one, the most frequent first."""
        return self._rank([self._nearest(word) for word in words(text)], limit)

    def _rank(self, typed: list[str], limit: int) -> list[str]:
        known = [stem for stem in self._stemmer.stemWords(typed) if stem in self._index.vocab_dict]
        if not known:
            return []
        numbers, scores = self._index.retrieve([known], k=min(limit, len(self._keys)), show_progress=False)
        return [
            self._keys[number] for number, score in zip(numbers[0], scores[0], strict=True) if score > np.float32(0)
        ]

    def _nearest(self, word: str) -> str:
        if word in self._counts or not word.isalpha():
            return word
        near = process.extract(word, self._counts.keys(), scorer=OSA.distance, score_cutoff=_EDIT_LIMIT, limit=None)
        best = min(near, key=lambda found: (found[1], -self._counts[found[0]]), default=None)
        return str(best[0]) if best else word
