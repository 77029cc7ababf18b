"""Which documents a query finds: bitmap arithmetic, exact."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_

from pyroaring import BitMap

from livesearch.search import keys
from livesearch.search.query import Alternative, Clause, Kind, ParsedQuery, Term

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

    def with_word(self, term: Term, *, in_title: bool = False, is_whole: bool = False) -> BitMap:
        """Documents with the word, or where it is unfinished with a word that begins so.

        Args:
            is_whole: Only those with the word itself.
        """
        if is_whole or not term.is_prefix:
            return self.get(keys.word(term.text, in_title=in_title))
        if len(term.text) <= keys.PREFIX_LENGTH:
            return self.get(keys.prefix(term.text, in_title=in_title))
        return self.by_range.get(keys.word_range(term.text, in_title=in_title), _NOTHING)

    def with_all(self, terms: Sequence[Term], *, in_title: bool = False, is_whole: bool = False) -> BitMap:
        """Documents with every one of the words; see ``with_word``."""
        return _intersection([self.with_word(term, in_title=in_title, is_whole=is_whole) for term in terms])


@dataclass(frozen=True, slots=True)
class Match:
    """The documents that satisfy every clause of a query.

    Attributes:
        all: Every match.
        tiers: The same, disjoint, best first: all words whole in titles; in titles, the last unfinished; whole
            anywhere; anywhere, the last unfinished; then those that hold corrected words where others hold typed ones.
            One tier when no word was asked for.
        literal: The documents that hold every word in titles, or as it was typed or as an owner wrote its synonyms;
            None where all do. They may be more than ``all``.
    """

    all: BitMap
    tiers: tuple[BitMap, ...]
    literal: BitMap | None = None

    def within(self, allowed: BitMap) -> "Match":
        """The part of it that filters leave."""
        return Match(self.all & allowed, tuple(tier & allowed for tier in self.tiers), self.literal)


_NOTHING = BitMap()


def needs(
    clauses: Iterable[Clause], filters: Mapping[str, Iterable[str]] | None = None, *, has_titles: bool = True
) -> Needs:
    """The postings that ``match``, ``satisfying`` and ``filter_documents`` will ask for.

    Args:
        has_titles: Whether any field is a title: where none is, no document holds a word in one.
    """
    places = (False, True) if has_titles else (False,)
    wanted = {keys.ALL} | {keys.facet(name, value) for name, values in (filters or {}).items() for value in values}
    ranges = set()
    for term in {term for clause in clauses for way in clause.alternatives for term in way.terms}:
        for in_title in places:
            wanted.add(keys.word(term.text, in_title=in_title))
            if term.is_prefix and len(term.text) <= keys.PREFIX_LENGTH:
                wanted.add(keys.prefix(term.text, in_title=in_title))
            elif term.is_prefix:
                ranges.add(keys.word_range(term.text, in_title=in_title))
    return Needs(frozenset(wanted), frozenset(ranges))


def satisfying(clause: Clause, postings: Postings) -> BitMap:
    """The documents that satisfy a clause in any of its ways, as far as postings tell."""
    return _union(postings.with_all(way.terms) for way in clause.alternatives)


def unsure_of(query: ParsedQuery, found: Match, postings: Postings) -> BitMap:
    """The documents found that must be looked at, as postings do not tell whether they satisfy the query."""
    if any(clause.must_be_checked for clause in query.clauses):
        return found.all
    # What does not even hold the words of an excluded phrase does not hold the phrase.
    return found.all & _union(satisfying(clause, postings) for clause in query.excluded if clause.must_be_checked)


def match(query: ParsedQuery, postings: Postings) -> Match:
    """Find the documents that satisfy every clause, as far as postings tell."""
    everything = postings.get(keys.ALL)
    excluded = _union(satisfying(clause, postings) for clause in query.excluded if not clause.must_be_checked)
    if not query.clauses:
        found = _without(everything, excluded)
        return Match(found, (found,))
    grades = [_graded(clause, postings) for clause in query.clauses]
    found = _without(_intersection([grade.anyhow for grade in grades]), excluded)
    titled_whole = _intersection([grade.title_whole for grade in grades]) & found
    titled = _intersection([grade.title for grade in grades]) & found
    whole = _intersection([grade.whole for grade in grades]) & found
    close, corrected = found, _NOTHING
    if any(grade.close is not grade.anyhow for grade in grades):
        close = _intersection([grade.close for grade in grades]) & found
        corrected = found - close
    tiers = titled_whole, titled - titled_whole, whole - titled, _without(close, whole | titled), corrected
    has_forms = any(way.kind is Kind.FORM for clause in query.clauses for way in clause.alternatives)
    return Match(found, tiers, titled | _written(query, postings) if has_forms else None)


def _written(query: ParsedQuery, postings: Postings) -> BitMap:
    """The documents that hold every word in no other form than it was typed in, unless nothing holds it so."""
    return _intersection(
        [
            _held([way for way in clause.alternatives if way.kind is not Kind.FORM], postings)
            or _held(clause.alternatives, postings)
            for clause in query.clauses
        ]
    )


@dataclass(frozen=True, slots=True)
class _Grades:
    """The documents that satisfy a clause: anyhow; by words not corrected; those whole; the same in titles."""

    anyhow: BitMap
    close: BitMap
    whole: BitMap
    title: BitMap
    title_whole: BitMap


def _graded(clause: Clause, postings: Postings) -> _Grades:
    near = [way for way in clause.alternatives if way.kind is not Kind.CORRECTED]
    if len(near) < len(clause.alternatives) and not _held(near, postings):
        # Nothing holds what was typed: what was meant instead is all there is.
        near = list(clause.alternatives)
    close, whole = _held(near, postings), _held(near, postings, is_whole=True)
    title, title_whole = _held(near, postings, in_title=True), _held(near, postings, in_title=True, is_whole=True)
    if len(near) == len(clause.alternatives):
        return _Grades(close, close, whole, title, title_whole)
    anyhow = close | _held([way for way in clause.alternatives if way.kind is Kind.CORRECTED], postings)
    return _Grades(anyhow, close, whole, title, title_whole)


def _held(ways: Iterable[Alternative], postings: Postings, *, in_title: bool = False, is_whole: bool = False) -> BitMap:
    return _union(postings.with_all(way.terms, in_title=in_title, is_whole=is_whole) for way in ways)


def _union(bitmaps: Iterable[BitMap]) -> BitMap:
    found = list(bitmaps)
    return found[0] if len(found) == 1 else BitMap.union(_NOTHING, *found)


def _intersection(bitmaps: Sequence[BitMap]) -> BitMap:
    # Rarest first: an intersection costs what its smaller side has.
    return bitmaps[0] if len(bitmaps) == 1 else reduce(and_, sorted(bitmaps, key=len))


def _without(documents: BitMap, others: BitMap) -> BitMap:
    # A copy of what a single letter finds takes as long as an intersection.
    return documents - others if others else documents


def filter_documents(filters: Mapping[str, Iterable[str]], postings: Postings) -> dict[str, BitMap]:
    """By field: the documents that hold any of its chosen values."""
    return {
        name: BitMap.union(_NOTHING, *(postings.get(keys.facet(name, value)) for value in values))
        for name, values in filters.items()
    }
