"""Words that stand for what was typed: other forms of a word, synonyms, and words that were probably meant."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from livesearch.search.query import Alternative, Clause, Kind, ParsedQuery
from livesearch.search.synonyms import SynonymMap

# Other forms of one word, and alternatives of all kinds in one query: each is two more postings a chunk to read.
_FORM_COUNT = 4
_ALTERNATIVE_COUNT = 24
# A form that is fifty times rarer than the most frequent one adds nothing that one would miss.
_FORM_SHARE = 0.02
# Clauses of a query whose words may have run together: in prose a word that nobody wrote tells little.
SHORT_COUNT = 4
# A word that some documents hold was meant otherwise only where the other one is so many times as frequent.
_RATIO = 50.0
# Words that a misspelled one may have been; which of them others of the query go with is then counted.
_CORRECTION_COUNT = 5


class Candidate(Protocol):
    """A word that may have been meant; see `search.vocabulary.Correction`."""

    @property
    def term(self) -> str:
        """The word, or the beginning of one."""

    @property
    def distance(self) -> int:
        """Edits from what was typed."""

    @property
    def frequency(self) -> int:
        """Documents that hold it."""

    @property
    def is_prefix(self) -> bool:
        """Whether it is the beginning of words."""


class Words(Protocol):
    """What is known of a collection's words; see `search.vocabulary.Vocabulary`."""

    def frequency(self, term: str) -> int:
        """Documents that hold the word."""

    def forms(self, term: str) -> Sequence[str]:
        """Other forms of a word, most frequent first."""

    def corrections(self, word: str, *, is_prefix: bool, limit: int) -> Sequence[Candidate]:
        """Words that may have been meant, best first."""

    def splits(self, word: str) -> Sequence[tuple[str, str]]:
        """Pairs of words that the word consists of."""

    def joined(self, first: str, second: str) -> str | None:
        """The word that two words are together."""


def expand(query: ParsedQuery, words: Words, synonyms: SynonymMap) -> ParsedQuery:
    """Add the synonyms of a query's words, and their other forms.

    A word that is still being typed gets none of the forms: what begins with it is found anyhow.
    """
    clauses = list(query.clauses)
    for at, ways in _synonyms(query.clauses, synonyms):
        clauses[at] = clauses[at].with_alternatives(ways)
    for at, way in _joined(query.clauses, words):
        clauses[at] = clauses[at].with_alternatives([way])
    room = _ALTERNATIVE_COUNT - sum(len(clause.alternatives) - 1 for clause in clauses)
    for at, clause in enumerate(query.clauses):
        for word in _finished_words(clause):
            ways = _forms(word, words)[: max(room, 0)]
            clauses[at] = clauses[at].with_alternatives(ways)
            room -= len(ways)
    return replace(query, clauses=tuple(clauses))


def _finished_words(clause: Clause) -> list[str]:
    """The words of a clause that have other forms: its word, or each that is one of several ways."""
    typed = [] if clause.is_quoted else [way for way in clause.alternatives if way.kind is Kind.TYPED]
    return [way.words[0] for way in typed if len(way.words) == 1 and not way.is_prefix and not way.is_phrase]


def _synonyms(clauses: Sequence[Clause], synonyms: SynonymMap) -> Iterator[tuple[int, list[Alternative]]]:
    """What stands for the words of a clause; for words of several clauses, for each of them."""
    # A run of a script without spaces is several words of the index: a synonym is for all of them, or for none.
    runs = [at for at, clause in enumerate(clauses) if clause.is_run and clause.field_name is None]
    owners = [at for at in runs for _ in clauses[at].typed.words]
    typed = tuple(word for at in runs for word in clauses[at].typed.words)
    for span in synonyms.alternatives(typed):
        end = span.start + span.length
        if _is_border(owners, span.start) and _is_border(owners, end):
            ways = [Alternative(found, kind=Kind.SYNONYM) for found in span.alternatives]
            yield from ((at, ways) for at in dict.fromkeys(owners[span.start : end]))
    for at, clause in enumerate(clauses):
        if clause.has_choice:
            for word in _finished_words(clause):
                for span in synonyms.alternatives((word,)):
                    yield at, [Alternative(found, kind=Kind.SYNONYM) for found in span.alternatives]


def _is_border(owners: Sequence[int], at: int) -> bool:
    return not 0 < at < len(owners) or owners[at - 1] != owners[at]


def _forms(word: str, words: Words) -> list[Alternative]:
    found = words.forms(word)[:_FORM_COUNT]
    most = max((words.frequency(form) for form in (word, *found)), default=0)
    return [Alternative((form,), kind=Kind.FORM) for form in found if words.frequency(form) >= _FORM_SHARE * most]


@dataclass(frozen=True, slots=True)
class Correction:
    """What a clause may have been meant to be.

    Attributes:
        clause: Its place in the query.
        ways: Alternatives that take the place of what was typed, best first.
    """

    clause: int
    ways: tuple[Alternative, ...]


def propose(query: ParsedQuery, words: Words, at: int, *, frequency: int) -> Correction | None:
    """Say what a word may have been meant to be; None where nothing is near enough.

    A word that stands nowhere may be any that is near. One that some documents hold was meant otherwise only where
    another is far more frequent, and near: one edit away, and not in its first letter, which is hardly ever wrong.

    Args:
        at: The clause.
        frequency: Documents that hold the word as it was typed, or a form of it.
    """
    clause = query.clauses[at]
    if not clause.is_word:
        return None
    word, is_prefix = clause.typed.words[0], clause.typed.is_prefix
    if any(map(str.isdigit, word)):
        ways = _ways_of_parts(word, words, frequency)
        return Correction(at, tuple(ways)) if ways else None
    near = [
        found
        for found in words.corrections(word, is_prefix=is_prefix, limit=_CORRECTION_COUNT)
        if found.term != word and _is_likely(word, found, frequency)
    ]
    ways = [
        Alternative((found.term,), is_prefix=found.is_prefix, kind=Kind.CORRECTED, distance=found.distance)
        for found in near
    ]
    if not frequency and len(query.clauses) <= SHORT_COUNT and not any(way.distance == 1 for way in ways):
        ways[:0] = [Alternative(pair, kind=Kind.FORM) for pair in words.splits(word)]
    return Correction(at, tuple(ways)) if ways else None


_PART = re.compile(r"\d+|[^\W\d_]+")


def _ways_of_parts(word: str, words: Words, frequency: int) -> list[Alternative]:
    """What a word with digits may have been meant to be: its letters corrected, its digits as they are."""
    parts = _PART.findall(word)
    # Single letters beside digits are no words of the index. Where only digits are left, it would be another code.
    kept = [part for part in parts if len(part) > 1 or part.isdigit()]
    if frequency or len(parts) < 2 or (len(kept) < len(parts) and all(map(str.isdigit, kept))):  # noqa: PLR2004  # nothing to take apart
        return []
    ways = [Alternative(tuple(kept), kind=Kind.FORM)]
    for at, part in enumerate(kept):
        near = () if part.isdigit() else words.corrections(part, is_prefix=False, limit=_CORRECTION_COUNT)
        ways += [
            Alternative((*kept[:at], found.term, *kept[at + 1 :]), kind=Kind.CORRECTED, distance=found.distance)
            for found in near
            if found.term != part and _is_likely(part, found, 0)
        ]
    return ways


def _is_likely(word: str, found: Candidate, frequency: int) -> bool:
    begins_alike = found.term[0] == word[0]
    if frequency:
        return begins_alike and found.distance == 1 and found.frequency >= _RATIO * frequency
    return begins_alike or found.distance == 1


def with_forms(ways: Sequence[Alternative], words: Words) -> tuple[Alternative, ...]:
    """Corrections, and after them the most frequent other form of each."""
    whole = [way for way in ways if way.kind is Kind.CORRECTED and not way.is_prefix and len(way.words) == 1]
    forms = [replace(way, words=(form,)) for way in whole for form in words.forms(way.words[0])[:1]]
    return (*ways, *forms)


def _joined(clauses: Sequence[Clause], words: Words) -> list[tuple[int, Alternative]]:
    """What neighbouring words are together, as “play station” is “playstation”: it satisfies both their clauses."""
    found: list[tuple[int, Alternative]] = []
    if len(clauses) > SHORT_COUNT:
        return found
    for at, (first, second) in enumerate(pairwise(clauses)):
        if first.is_plain and second.is_plain and not first.typed.is_prefix:
            word = words.joined(first.typed.words[0], second.typed.words[0])
            if word is not None:
                found += [(at, Alternative((word,), kind=Kind.FORM)), (at + 1, Alternative((word,), kind=Kind.FORM))]
    return found


def corrected(query: ParsedQuery, corrections: Iterable[Correction]) -> ParsedQuery:
    """The query with its corrections as further alternatives."""
    clauses = list(query.clauses)
    for correction in corrections:
        clauses[correction.clause] = clauses[correction.clause].with_alternatives(correction.ways)
    return replace(query, clauses=tuple(clauses))


def rewritten(text: str, chosen: Iterable[tuple[Clause, Alternative]]) -> str:
    """The text with words replaced by what was searched instead.

    Args:
        chosen: Clauses and the alternative that stands for each; a word that stands for neighbours is written once.
    """
    parts: list[str] = []
    end, last = 0, ""
    for clause, way in sorted(chosen, key=lambda pair: pair[0].span):
        start, stop = clause.span
        if way.text != last or not text[end:start].isspace():
            parts += text[end:start], way.text
        end, last = stop, way.text
    return "".join(parts) + text[end:]
