"""Which documents a query finds: bitmap arithmetic, exact."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from livesearch.search import keys
from livesearch.search.query import ParsedQuery, Term

KeyRange = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Needs:
    """The postings a search must have before it can be answered.

    Attributes:
        keys: Postings wanted one by one.
        ranges: First key and end (exclusive) of postings wanted as one union.
    """

    keys: frozenset[str]
    ranges: frozenset[KeyRange]


@dataclass(frozen=True, slots=True)
class Postings:
    """What the store had: a key or range that is missing stands for no document."""

    by_key: Mapping[str, BitMap]
    by_range: Mapping[KeyRange, BitMap] = field(default_factory=dict)

    def get(self, key: str) -> BitMap:
        """The documents of a key; not to be changed."""
        return self.by_key.get(key, _NOTHING)


@dataclass(frozen=True, slots=True)
class Match:
    """The documents that hold every word of a query.

    Attributes:
        all: Every match.
        tiers: The same, disjoint, best first: all words whole in titles; in titles, the last unfinished; whole
            anywhere; the rest. One tier when no word was asked for.
    """

    all: BitMap
    tiers: tuple[BitMap, ...]

    def within(self, allowed: BitMap) -> "Match":
        """The part of it that filters leave."""
        return Match(self.all & allowed, tuple(tier & allowed for tier in self.tiers))


_NOTHING = BitMap()


def needs(query: ParsedQuery, filters: Mapping[str, Iterable[str]]) -> Needs:
    """The postings that ``match`` and ``filter_documents`` will ask for."""
    wanted = {keys.ALL} | {keys.facet(name, value) for name, values in filters.items() for value in values}
    ranges = set()
    for term in query.terms:
        for in_title in (False, True):
            wanted.add(keys.word(term.text, in_title=in_title))
            if term.is_prefix and len(term.text) <= keys.PREFIX_LENGTH:
                wanted.add(keys.prefix(term.text, in_title=in_title))
            elif term.is_prefix:
                ranges.add(keys.word_range(term.text, in_title=in_title))
    return Needs(frozenset(wanted), frozenset(ranges))


def match(query: ParsedQuery, postings: Postings) -> Match:
    """Find the documents that hold every word."""
    everything = postings.get(keys.ALL)
    if not query.terms:
        return Match(everything, (everything,))
    *whole, last = query.terms
    found = _all_of(postings, whole, in_title=False, start=_begins(postings, last, in_title=False))
    titled = _all_of(postings, whole, in_title=True, start=_begins(postings, last, in_title=True))
    titled_whole = titled & postings.get(keys.word(last.text, in_title=True))
    found_whole = found & postings.get(keys.word(last.text, in_title=False))
    return Match(found, (titled_whole, titled - titled_whole, found_whole - titled, found - found_whole - titled))


def _all_of(postings: Postings, terms: Iterable[Term], *, in_title: bool, start: BitMap) -> BitMap:
    found = start
    # Rarest first: an intersection costs what its smaller side has.
    for bitmap in sorted((postings.get(keys.word(term.text, in_title=in_title)) for term in terms), key=len):
        found = found & bitmap
    return found


def _begins(postings: Postings, term: Term, *, in_title: bool) -> BitMap:
    """Documents with the word, or where it is unfinished with a word that begins so."""
    if not term.is_prefix:
        return postings.get(keys.word(term.text, in_title=in_title))
    if len(term.text) <= keys.PREFIX_LENGTH:
        return postings.get(keys.prefix(term.text, in_title=in_title))
    return postings.by_range.get(keys.word_range(term.text, in_title=in_title), _NOTHING)


def filter_documents(filters: Mapping[str, Iterable[str]], postings: Postings) -> dict[str, BitMap]:
    """By field: the documents that hold any of its chosen values."""
    return {
        name: BitMap.union(_NOTHING, *(postings.get(keys.facet(name, value)) for value in values))
        for name, values in filters.items()
    }


def in_range(numbers: NDArray[np.float64], minimum: float | None, maximum: float | None) -> BitMap:
    """The documents whose number lies between the two, ends included; documents without a number never do."""
    held: Any = ~np.isnan(numbers)
    if minimum is not None:
        held &= numbers >= minimum
    if maximum is not None:
        held &= numbers <= maximum
    return BitMap(np.flatnonzero(held).astype(np.uint32))
