"""What a misspelled word may have been meant to be."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

# The shortest words that may have one and two mistakes. On real misspellings this reaches 94 to 96 %, and 5 and 9
# letters 92 %; with more mistakes, nearly every word is near some other.
ONE_EDIT_LENGTH, TWO_EDITS_LENGTH = 4, 8
# Longer words than the vocabulary has are not corrected.
_LONGEST = 32

# What tells mistakes apart is worth that a word is so many times as frequent. Measured on lists of real misspellings:
# the first word proposed is right for 2 to 4 in 100 more of them, and the first five stay as good.
_EVIDENCE = 8.0
# So much more frequent must a beginning be for each letter that another is longer: the longer, the fewer begin so.
_LETTER = 3.0
# A longer beginning takes the place of a shorter one when so much of what begins with that begins with it.
_SHARE = 2 / 3

_REPEATED = re.compile(r"(.)\1+")


@dataclass(frozen=True, slots=True)
class Correction:
    """A word that may have been meant.

    Attributes:
        term: A term; or, for an unfinished word, the beginning of some.
        distance: Edits from what was typed (count, from 1).
        frequency: Documents that hold the term; for a beginning, the sum over its terms.
        is_prefix: Whether ``term`` is a beginning.
    """

    term: str
    distance: int
    frequency: int
    is_prefix: bool


def edit_budget(word: str) -> int:
    """How many mistakes a word may have: none, one or two. Nobody misspells a code: letters only."""
    if not ONE_EDIT_LENGTH <= len(word) <= _LONGEST or not word.isalpha():
        return 0
    return 2 if len(word) >= TWO_EDITS_LENGTH else 1


def best_terms(word: str, near: Iterable[Correction], limit: int) -> tuple[Correction, ...]:
    """The likeliest terms, best first: the fewer mistakes the better, then the more frequent."""
    signs = _Signs(word)
    return tuple(sorted(near, key=lambda found: (found.distance, -signs.weigh(found), found.term))[:limit])


def best_beginnings(word: str, near: Iterable[Correction], limit: int) -> tuple[Correction, ...]:
    """The likeliest beginnings, best first; none begins with another, nor with the word itself."""
    signs = _Signs(word)
    candidates = _told_apart({found.term: found for found in near if not found.term.startswith(word)})

    def order(found: Correction) -> tuple[int, float, str]:
        longer = len(found.term) - len(word)
        return found.distance, -signs.weigh(found) * _LETTER**longer, found.term

    chosen: list[Correction] = []
    for found in sorted(candidates, key=order):
        if len(chosen) == limit:
            break
        if not any(_are_nested(found.term, other.term) for other in chosen):
            chosen.append(found)
    return tuple(chosen)


class _Signs:
    """What speaks for a word beside its frequency."""

    def __init__(self, word: str) -> None:
        self._first = word[0]
        self._letters = sorted(word)
        self._single = _REPEATED.sub(r"\1", word)

    def weigh(self, found: Correction) -> float:
        """The frequency, as it were. Neighbours swapped and letters doubled are common, a wrong first letter is not."""
        weight = float(found.frequency)
        if found.term[0] != self._first:
            weight /= _EVIDENCE
        if sorted(found.term) == self._letters or _REPEATED.sub(r"\1", found.term) == self._single:
            weight *= _EVIDENCE
        return weight


def _told_apart(near: Mapping[str, Correction]) -> list[Correction]:
    """Of beginnings that begin with one another, those that say most.

    For “zelad” that is “zelda” rather than “zeld”, with which little else begins; for “plax” it is “pla” rather than
    “play”, “plan” and “plac”.
    """
    terms = sorted(near)
    dropped: set[str] = set()
    for place, term in enumerate(terms):
        if term in dropped:
            continue
        found = near[term]
        longer = [
            near[other]
            for other in takewhile(lambda other, term=term: other.startswith(term), terms[place + 1 :])  # type: ignore[misc]
            if near[other].distance <= found.distance
        ]
        if any(other.frequency >= _SHARE * found.frequency for other in longer):
            dropped.add(term)
        else:
            dropped.update(other.term for other in longer if other.distance == found.distance)
    return [found for term, found in near.items() if term not in dropped]


def _are_nested(first: str, second: str) -> bool:
    return first.startswith(second) or second.startswith(first)
