"""The words of a collection, in memory: what begins so, what is a form of what, and what may have been meant.

ADR 0012 says how, and with which figures.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from livesearch.search.beginnings import Beginnings
from livesearch.search.terms import SortedTerms
from livesearch.search.typos import Correction, best_beginnings, best_terms, edit_budget
from livesearch.search.word_forms import WordForms, languages

__all__ = ["Correction", "Vocabulary"]

# A term and how many documents hold it.
Row = tuple[str, int]

# Terms that came since stand beside the others, and are put in order anew whenever some come: 1,000 take 3 ms. They are
# put among the others when there are more, and more than so large a share of them.
_RECENT_COUNT, _RECENT_SHARE = 1000, 1 / 64
_FORM_COUNT = 8
_SPLIT_COUNT = 3
# Documents that each half of a split word must be in (count): of 100 misspelled single words 14 could be split in terms
# of one document, 10 in terms of two; and of 100 pairs of words that were written as one, 98 are found.
_SPLIT_FREQUENCY = 2


class Vocabulary:
    """Terms and how many documents hold them, true for one version of the collection. It never changes.

    Its calls take microseconds, except ``corrections``, which takes about a millisecond.

    Attributes:
        version: The collection's version that it is true for. Frequencies of terms may be of an earlier one, and terms
            that no document holds any more may linger.
        language: Of the word forms.
    """

    def __init__(self, main: "_Part", recent: "_Part | None", *, version: int, language: str) -> None:
        self._main, self._recent = main, recent
        self._parts = (main,) if recent is None else (main, recent)
        self.version = version
        self.language = language

    @classmethod
    def build(cls, terms: str, frequencies: NDArray[np.uint32], *, version: int, language: str) -> Self:
        """Put terms in order; about a second for 300,000, so call it in a thread.

        Args:
            terms: With spaces between, in the order of code points, which is that of UTF-8's bytes; each once.
            frequencies: Of each, documents that hold it (count).
            language: A Snowball stemmer, as ``english``; words have no other forms in one that there is none for.
        """
        return cls(_Part(SortedTerms(terms), frequencies, language), None, version=version, language=language)

    def extended(self, rows: Iterable[Row], *, version: int) -> "Vocabulary":
        """This vocabulary with some more terms; those that it had when it was built keep their frequency."""
        new = {term: frequency for term, frequency in rows if self._main.terms.find(term) is None}
        if not new:
            return Vocabulary(self._main, self._recent, version=version, language=self.language)
        recent_rows = () if self._recent is None else self._recent.rows()
        rows = sorted((dict(recent_rows) | new).items())
        counts = np.array([frequency for _, frequency in rows], np.uint32)
        recent = _Part(SortedTerms(" ".join(term for term, _ in rows)), counts, self.language)
        return Vocabulary(self._main, recent, version=version, language=self.language)

    def compacted(self) -> "Vocabulary":
        """The same with all terms put among each other; takes as long as ``build``."""
        if self._recent is None:
            return self
        text, places = self._main.terms.merged(self._recent.terms)
        frequencies = np.insert(self._main.frequencies, places, self._recent.frequencies)
        return Vocabulary.build(text, frequencies, version=self.version, language=self.language)

    @property
    def is_lopsided(self) -> bool:
        """Whether so many terms are recent that ``compacted`` is worth its time."""
        return self.recent_count > max(_RECENT_COUNT, _RECENT_SHARE * len(self._main.terms))

    @property
    def recent_count(self) -> int:
        """Terms that came since it was built."""
        return 0 if self._recent is None else len(self._recent.terms)

    @property
    def size(self) -> int:
        """Bytes it takes, about."""
        return sum(part.size for part in self._parts)

    def __len__(self) -> int:
        return sum(len(part.terms) for part in self._parts)

    def frequency(self, term: str) -> int:
        """Documents that hold the term; 0 when it is none."""
        return sum(part.frequency(term) for part in self._parts)

    def beginning(self, prefix: str, limit: int) -> list[str]:
        """Terms that begin so, most frequent first."""
        found = [row for part in self._parts for row in part.most_frequent(part.terms.beginning(prefix), limit)]
        return _most_frequent(found, limit)

    def count_beginning(self, prefix: str) -> int:
        """How many terms begin so."""
        return sum(len(part.terms.beginning(prefix)) for part in self._parts)

    def forms(self, term: str) -> tuple[str, ...]:
        """Other terms with the same stem, most frequent first, at most 8; ``term`` itself need be none."""
        found = [row for part in self._parts for row in part.forms(term) if row[0] != term]
        return tuple(_most_frequent(found, _FORM_COUNT))

    def corrections(self, word: str, *, is_prefix: bool, limit: int = 5) -> tuple[Correction, ...]:
        """What may have been meant by a word that few documents or none hold, best first.

        Args:
            word: Folded.
            is_prefix: Whether the word is unfinished: then beginnings are given, of which none begins with another.

        Returns:
            Neither the word itself nor, for an unfinished one, what begins with it. Nothing for a word with a digit, or
            of fewer than 4 or more than 32 letters.
        """
        budget = edit_budget(word)
        if not budget:
            return ()
        if is_prefix:
            return best_beginnings(word, self._beginnings_near(word, budget), limit)
        near = [found for part in self._parts for found in part.terms_near(word, budget) if found.term != word]
        return best_terms(word, near, limit)

    def _beginnings_near(self, word: str, budget: int) -> list[Correction]:
        distances: dict[str, int] = {}
        totals: dict[str, int] = {}
        for part in self._parts:
            for text, distance, total in part.beginnings.beginnings_near(word, budget):
                distances[text] = distance
                totals[text] = totals.get(text, 0) + total
        return [Correction(text, distance, totals[text], is_prefix=True) for text, distance in distances.items()]

    def splits(self, word: str) -> tuple[tuple[str, str], ...]:
        """The pairs of terms that the word is made of, best first, at most 3."""
        found = []
        for end in range(1, len(word)):
            first = self.frequency(word[:end])
            second = self.frequency(word[end:]) if first >= _SPLIT_FREQUENCY else 0
            if second >= _SPLIT_FREQUENCY:
                found.append((-first * second, (word[:end], word[end:])))
        return tuple(pair for _, pair in sorted(found)[:_SPLIT_COUNT])

    def joined(self, first: str, second: str) -> str | None:
        """The term that two words make together; None when that is none."""
        return first + second if self.frequency(first + second) else None


class _Part:
    """Terms that were put in order together."""

    def __init__(self, terms: SortedTerms, frequencies: NDArray[np.uint32], language: str) -> None:
        self.terms = terms
        self.frequencies = frequencies
        self.beginnings = Beginnings(terms, frequencies)
        self._forms = WordForms(terms, language) if language in languages() else None

    @property
    def size(self) -> int:
        """Bytes it takes, about."""
        forms = 0 if self._forms is None else self._forms.size
        return self.terms.size + self.frequencies.nbytes + self.beginnings.size + forms

    def rows(self) -> Iterator[Row]:
        """The terms with their frequencies, in order."""
        return zip(self.terms, self.frequencies.data, strict=True)

    def frequency(self, term: str) -> int:
        """Documents that hold the term."""
        place = self.terms.find(term)
        return 0 if place is None else int(self.frequencies[place])

    def most_frequent(self, places: range, limit: int) -> list[Row]:
        """The most frequent of neighbouring terms, in no order."""
        frequencies = self.frequencies[places.start : places.stop]
        chosen = np.arange(len(frequencies))
        if len(frequencies) > limit:
            least = np.partition(frequencies, -limit)[-limit]
            more = np.flatnonzero(frequencies > least)
            # Of equals, the first ones in order.
            equal = np.flatnonzero(frequencies == least)[: limit - len(more)]
            chosen = np.concatenate([more, equal])
        return self._rows_at((chosen + places.start).tolist())

    def forms(self, term: str) -> list[Row]:
        """The terms with the same stem."""
        return [] if self._forms is None else self._rows_at(self._forms.places(term))

    def terms_near(self, word: str, budget: int) -> list[Correction]:
        """The terms within a number of edits of a word."""
        return [
            Correction(self.terms[place], distance, int(self.frequencies[place]), is_prefix=False)
            for place, distance in self.beginnings.terms_near(word, budget)
        ]

    def _rows_at(self, places: Sequence[int]) -> list[Row]:
        return [(self.terms[place], int(self.frequencies[place])) for place in places]


def _most_frequent(rows: list[Row], limit: int) -> list[str]:
    return [term for term, _ in sorted(rows, key=lambda row: (-row[1], row[0]))[:limit]]
