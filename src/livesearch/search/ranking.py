"""The order of results: tiers first, then a score over the best candidates.

Only the first documents of each tier, by popularity, are scored. All others follow in (tier, popularity) order, so a
page is the same however one comes to it.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from livesearch.domain import Collection, Document, Role
from livesearch.search.analysis import words
from livesearch.search.matching import Match
from livesearch.search.query import ParsedQuery, Term
from livesearch.search.values import display_text, is_searched

# Scored documents a tier, and in all before the next tier is passed over. On a million rows 100 find what 1,000 do, at
# a third of the cost.
CANDIDATE_COUNT = 100

# What a word adds where it is found whole in a title. The other constants of this file are relative to it; they were
# set by the share of a known name one has to type until its row is in the top 5.
_TITLE_WORD = 10.0
_TITLE_COVERAGE = 6.0
_TITLE_BEGINS = 2.0
_TITLE_EQUALS = 4.0
# A word that only the far part of a long text holds.
_LONG_TEXT_WORD = 1.0
# Characters of a field that are read to score it: a hundred candidates of 100 kB would hold up everybody.
_READ_LENGTH = 4000

Numbers = NDArray[np.float64]


def candidates(match: Match, popularity: Numbers | None, *, limit: int = CANDIDATE_COUNT) -> list[int]:
    """The documents worth scoring: the first of each tier, best tier first, until there are ``limit``."""
    found: list[int] = []
    for tier in match.tiers:
        if len(found) >= limit:
            break
        found += largest(tier, popularity, limit)
    return found


def remaining(match: Match, popularity: Numbers | None, scored: Sequence[int], *, offset: int, limit: int) -> list[int]:
    """The documents after the scored ones, in (tier, popularity) order.

    Args:
        offset: How many of them to pass over.
    """
    found: list[int] = []
    without = BitMap(scored)
    for tier in match.tiers:
        rest = tier - without
        if offset >= len(rest):
            offset -= len(rest)
            continue
        found += largest(rest, popularity, offset + limit - len(found))[offset:]
        offset = 0
        if len(found) >= limit:
            break
    return found[:limit]


def largest(documents: BitMap, numbers: Numbers | None, limit: int) -> list[int]:
    """The documents with the largest numbers, largest first; ties and missing numbers in document order, missing last.

    Args:
        numbers: By document number, NaN where missing; None gives document order.
    """
    if numbers is None:
        return documents[:limit].to_array().tolist() if len(documents) > limit else list(documents)
    ids = np.frombuffer(documents.to_array(), np.uint32) if documents else np.empty(0, np.uint32)
    values = np.nan_to_num(numbers[ids], nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    if len(ids) > limit > 0:
        threshold = np.partition(values, len(values) - limit)[len(values) - limit]
        above = np.flatnonzero(values > threshold)
        level = np.flatnonzero(values == threshold)[: limit - len(above)]
        chosen = np.concatenate((above, level))
        ids, values = ids[chosen], values[chosen]
    order = np.lexsort((ids, -values))[:limit]
    result: list[int] = ids[order].tolist()
    return result


class Scorer:
    """Scores documents of one collection for one query."""

    def __init__(self, query: ParsedQuery, collection: Collection) -> None:
        self._terms = query.terms
        self._folded = query.folded
        self._titles = [f.name for f in collection.by_role(Role.TITLE)] or [
            f.name for f in collection.by_role(Role.KEY)
        ]
        # Heaviest first: a word counts once, where it weighs most.
        self._others = sorted(
            ((f.weight, f.name) for f in collection.fields if f.name not in self._titles and is_searched(f)),
            reverse=True,
        )

    def score(self, document: Document, popularity: float) -> float:
        """How well a matching document fits; larger is better.

        Args:
            popularity: 0 or more; counts by its logarithm. NaN counts as none.
        """
        shape = 0.0
        closeness: dict[Term, float] = {}
        for name in self._titles:
            value: Any = document.get(name)  # Any: a JSON value
            if value:
                title = words(value if type(value) is str else display_text(value))
                shape = max(shape, self._title_score(title, closeness))
        total = shape + _TITLE_WORD * sum(closeness.values())
        missing = [term for term in self._terms if term not in closeness]
        if missing:
            total += self._other_score(document, missing)
        return total + (math.log10(1 + popularity) if popularity > 0 else 0.0)

    def _title_score(self, title: list[str], closeness: dict[Term, float]) -> float:
        """What a whole title adds: how much of it was asked for, and in which order.

        Args:
            title: Its words.
            closeness: By term, the best fit in the titles so far; this title's are put in.
        """
        covered = 0
        for word in title:
            fits = False
            for term in self._terms:
                found = _closeness(term, word)
                if found:
                    fits = True
                    if found > closeness.get(term, 0.0):
                        closeness[term] = found
            covered += fits
        if not covered:
            return 0.0
        joined = " ".join(title)
        return (
            _TITLE_COVERAGE * covered / len(title)
            + _TITLE_BEGINS * joined.startswith(self._folded)
            + _TITLE_EQUALS * (joined == self._folded)
        )

    def _other_score(self, document: Document, terms: list[Term]) -> float:
        """What words add that no title has: the weight of the heaviest field each stands in."""
        total = 0.0
        for weight, name in self._others:
            value: Any = document.get(name)  # Any: a JSON value
            if not value:
                continue
            held = words((value if type(value) is str else display_text(value))[:_READ_LENGTH])
            found = [term for term in terms if any(map(term.fits, held))]
            total += weight * len(found)
            terms = [term for term in terms if term not in found]
            if not terms:
                return total
        # The index has found them: they stand past what was read, in a long text.
        return total + _LONG_TEXT_WORD * len(terms)


def _closeness(term: Term, word: str) -> float:
    """1.0 for the word itself, 0.5 to 1.0 for a beginning by how much of the word it covers, 0.0 otherwise."""
    text = term.text
    if word == text:
        return 1.0
    return 0.5 + 0.5 * len(text) / len(word) if term.is_prefix and word.startswith(text) else 0.0
