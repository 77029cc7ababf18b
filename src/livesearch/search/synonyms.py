"""Synonyms: which runs of a query's words stand for others."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from livesearch.domain import Synonym
from livesearch.search.analysis import words

Words = tuple[str, ...]

# Of one side of a synonym, and of a query that is curated: nobody types longer ones twice.
WORD_COUNT = 12


def folded_words(text: str) -> str:
    """A text as synonyms and curations hold it: its folded words with single spaces; empty when it has none."""
    return " ".join(words(text, with_last=False))


@dataclass(frozen=True, slots=True)
class SynonymSpan:
    """A run of a query's words that stands for others.

    Attributes:
        start: Index of its first word, from 0.
        length: Words in it (count, at least 1).
        alternatives: What else to look for in its place, each as folded words; never the run itself.
    """

    start: int
    length: int
    alternatives: tuple[Words, ...]


class SynonymMap:
    """The synonyms of a collection, ready to be looked up.

    They are not chained: where ``a`` stands for ``b`` and ``b`` for ``c``, ``a`` does not find ``c``.
    """

    def __init__(self, synonyms: Iterable[Synonym] = ()) -> None:
        found: dict[Words, dict[Words, None]] = {}  # a dict keeps the order, and each alternative once
        for synonym in synonyms:
            for key, alternatives in _directions(synonym):
                found.setdefault(key, {}).update(dict.fromkeys(words for words in alternatives if words != key))
        self._alternatives: dict[Words, tuple[Words, ...]] = {key: tuple(kept) for key, kept in found.items() if kept}
        lengths: dict[str, set[int]] = {}
        for key in self._alternatives:
            lengths.setdefault(key[0], set()).add(len(key))
        self._lengths = {first: sorted(counts, reverse=True) for first, counts in lengths.items()}

    def __len__(self) -> int:
        """How many runs of words stand for others."""
        return len(self._alternatives)

    def alternatives(self, words: Words) -> tuple[SynonymSpan, ...]:
        """Find what stands for other words in a query.

        Args:
            words: The folded words of the query, in order.

        Returns:
            Every run that has alternatives, longest first, then from the left. Runs may overlap.
        """
        if not self._lengths:
            return ()
        found = [
            SynonymSpan(start, length, alternatives)
            for start, word in enumerate(words)
            for length in self._lengths.get(word, ())
            # A slice at the end is shorter than asked for, and may be another entry.
            if start + length <= len(words)
            and (alternatives := self._alternatives.get(words[start : start + length])) is not None
        ]
        return tuple(sorted(found, key=lambda span: -span.length))

    def widest(self) -> tuple[str, int]:
        """The words with the most alternatives, and how many those are; an empty text and 0 where there are none."""
        widest = max(self._alternatives, key=lambda key: len(self._alternatives[key]), default=())
        return " ".join(widest), len(self._alternatives.get(widest, ()))


def _directions(synonym: Synonym) -> Iterator[tuple[Words, list[Words]]]:
    """What stands for what: one direction, or each of a group for all of it."""
    key, *alternatives = (tuple(text.split()) for text in (synonym.words, *synonym.alternatives))
    yield key, alternatives
    if synonym.is_two_way:
        for words in alternatives:
            yield words, [key, *alternatives]
