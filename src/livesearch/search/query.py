"""From what was typed to what is looked for. Any text whatever is a valid query.

A query is words, all of them required. Beyond that people may write ``"a phrase"``, ``-word``, ``this OR that``,
``field:value`` and ``year:1990..1995``. What does not fit that form is taken as words: nothing is an error.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import NamedTuple

from livesearch.domain import NUMERIC_ROLES, Collection, Field, Range, Role
from livesearch.search.analysis import query_terms

# A search box holds a question, not a page: longer text costs time and finds nothing more.
QUERY_LENGTH = 512
TERM_COUNT = 32


class Kind(IntEnum):
    """Where words that are looked for come from; smaller is closer to what was typed."""

    TYPED = 0
    FORM = 1
    SYNONYM = 2
    CORRECTED = 3


class Term(NamedTuple):
    """One word that is looked for; where ``is_prefix``, a word that begins so is enough. A tuple: quickly compared."""

    text: str
    is_prefix: bool = False

    def fits(self, word: str) -> bool:
        """Whether a folded word is what is looked for."""
        return word == self.text or (self.is_prefix and word.startswith(self.text))


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to satisfy a clause: a document that holds all of its words.

    Attributes:
        words: Folded, in order; at least one.
        is_prefix: The last word may be the beginning of one.
        is_phrase: The words must stand side by side, in order, in one field.
        distance: Edits from what was typed; 0 unless corrected.
    """

    words: tuple[str, ...]
    is_prefix: bool = False
    kind: Kind = Kind.TYPED
    is_phrase: bool = False
    distance: int = 0

    @property
    def text(self) -> str:
        """The words with single spaces between them."""
        return " ".join(self.words)

    @property
    def terms(self) -> tuple[Term, ...]:
        """Its words, one by one."""
        last = len(self.words) - 1
        return tuple([Term(word, self.is_prefix and at == last) for at, word in enumerate(self.words)])


@dataclass(frozen=True, slots=True)
class Clause:
    """What a document must hold, one way or another.

    Attributes:
        alternatives: At least one; those that were typed come first.
        field_name: The only field that counts; None for all that are searched.
        span: Where it stands in the text, start and end.
        is_quoted: The words are meant as they stand.
    """

    alternatives: tuple[Alternative, ...]
    field_name: str | None = None
    span: tuple[int, int] = field(default=(0, 0), compare=False)
    is_quoted: bool = False

    @property
    def typed(self) -> Alternative:
        """What was typed; of words joined by OR, the first."""
        return self.alternatives[0]

    @property
    def is_plain(self) -> bool:
        """Whether it is one word for any field, which other words may stand for."""
        return self.field_name is None and self.is_word

    @property
    def is_word(self) -> bool:
        """Whether it is one word that is not meant as it stands, for any field or for one."""
        return self.is_run and len(self.typed.words) == 1

    @property
    def is_run(self) -> bool:
        """Whether it is one word, or what stands for one in a script without spaces, not meant as it stands."""
        return not (self.is_quoted or self.has_choice)

    @property
    def has_choice(self) -> bool:
        """Whether more than one alternative was typed."""
        return sum(found.kind is Kind.TYPED for found in self.alternatives) > 1

    @property
    def must_be_checked(self) -> bool:
        """Whether postings alone do not tell: the text of a document has to be looked at."""
        return self.field_name is not None or any(found.is_phrase for found in self.alternatives)

    def with_alternatives(self, further: Iterable[Alternative]) -> "Clause":
        """The clause with more ways to satisfy it; words that are there already are left out."""
        known = {(found.words, found.is_prefix) for found in self.alternatives}
        fresh = tuple(found for found in further if (found.words, found.is_prefix) not in known)
        return replace(self, alternatives=self.alternatives + fresh) if fresh else self


_OPEN = Range()


@dataclass(frozen=True, slots=True)
class Condition:
    """``field:value`` on a facet, number or date.

    Attributes:
        value: Text that a facet's value has; None where a range is asked for.
        is_last: The value may be unfinished.
        is_open: The ends of the range themselves do not count.
        is_excluded: Documents that fulfil it are left out.
        typed: The whole of it as typed.
    """

    field: Field
    typed: str
    value: str | None
    range: Range = _OPEN
    is_last: bool = False
    is_open: bool = False
    is_excluded: bool = False


@dataclass(frozen=True, slots=True)
class ParsedQuery:
    """What a query looks for.

    Attributes:
        clauses: In the order typed; a document must satisfy all. Empty when no word was typed.
        excluded: A document must satisfy none.
        conditions: On facets, numbers and dates.
        notices: What was left out and why, in words for people.
    """

    clauses: tuple[Clause, ...] = ()
    excluded: tuple[Clause, ...] = ()
    conditions: tuple[Condition, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every word that may be found, each once."""
        found = (term for clause in self.clauses for way in clause.alternatives for term in way.terms)
        return tuple(dict.fromkeys(found))

    @property
    def folded(self) -> str:
        """What was typed with single spaces between words, as titles are compared to."""
        return " ".join(clause.typed.text for clause in self.clauses)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not (self.clauses or self.excluded or self.conditions)

    @property
    def must_be_checked(self) -> bool:
        """Whether documents have to be looked at to know what is found."""
        return any(clause.must_be_checked for clause in (*self.clauses, *self.excluded))


# A sign, a field, and a phrase or a run of characters; each but the last may be missing.
_PIECE = re.compile(
    r"(?P<sign>(?<!\S)-(?=\S))?"
    r"(?:(?P<field>[\w.-]+):)?"
    r'(?:"(?P<phrase>[^"]*)(?P<end>"?)|(?P<word>[^\s"]+)|(?<=:))'
)
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»〝〞", '"'))
_OR = {"OR", "|", "||"}
_NO_CHOICE = "OR was left out beside a field: it joins words, and words in the same field."


def parse_query(text: str, collection: Collection | None = None) -> ParsedQuery:
    """Read a query. The last word may be unfinished, unless a blank stands after it.

    Args:
        text: As typed. Past 512 characters or 32 words the rest is left out, and a notice says so.
        collection: Whose fields can be named; None for no fields.
    """
    notices = []
    if len(text) > QUERY_LENGTH:
        text = text[:QUERY_LENGTH]
        notices.append(f"Only the first {QUERY_LENGTH} characters of the search were used.")
    fields = {field.name.casefold(): field for field in collection.fields} if collection else {}
    reader = _Reader(text.translate(_QUOTES), fields)
    notices += [_NO_CHOICE] if reader.has_ignored_choice else []
    clauses, excluded, conditions = _distinct(reader.clauses), _distinct(reader.excluded), reader.conditions
    if max(len(clauses), len(excluded), len(conditions)) > TERM_COUNT:
        notices.append(f"Only the first {TERM_COUNT} words of the search were used.")
    return ParsedQuery(
        tuple(clauses[:TERM_COUNT]), tuple(excluded[:TERM_COUNT]), tuple(conditions[:TERM_COUNT]), tuple(notices)
    )


class _Reader:
    """Reads a text piece by piece."""

    def __init__(self, text: str, fields: Mapping[str, Field]) -> None:
        self.clauses: list[Clause] = []
        self.excluded: list[Clause] = []
        self.conditions: list[Condition] = []
        self.has_ignored_choice = False
        self._text = text
        self._fields = fields
        # Clauses of the piece before, which an OR may join; None where none can be.
        self._before: int | None = None
        self._is_choice = False
        for piece in _PIECE.finditer(text):
            self._read(piece)

    def _read(self, piece: re.Match[str]) -> None:
        is_excluded, known = piece["sign"] is not None, self._fields.get((piece["field"] or "").casefold())
        if piece[0] in _OR and (self.clauses or self.excluded or self.conditions):
            self._is_choice = True
            # After a condition, which is not one of several ways, it says nothing.
            self.has_ignored_choice |= bool(self.conditions) and self._before is None
            return
        if piece["field"] and (known is None or known.role not in _NAMED_ROLES):
            # A colon in a text, as in a URL: the words on both sides.
            self._put(list(self._words(piece.start("field"), piece.end("field"))), is_excluded=is_excluded)
            known = None
        if known is not None and known.role in _CONDITION_ROLES:
            self._put_condition(piece, known, is_excluded=is_excluded)
            return
        found = self._phrase(piece) if piece["phrase"] is not None else list(self._words(*piece.span("word")))
        if known is not None or is_excluded:
            found = _as_one(found)
        if known is not None:
            found = [replace(clause, field_name=known.name) for clause in found]
        self._put(found, is_excluded=is_excluded)

    def _put(self, found: list[Clause], *, is_excluded: bool) -> None:
        if not found:
            return
        if is_excluded:
            # What is still being typed excludes nothing yet but itself.
            self.excluded += [
                replace(clause, alternatives=tuple(replace(way, is_prefix=_is_run(way)) for way in clause.alternatives))
                for clause in found
            ]
            return
        before = None if self._before is None else self.clauses[self._before :]
        if self._is_choice and before and before[0].field_name == found[0].field_name:
            ways = [clause.alternatives for clause in _as_one(before) + _as_one(found)]
            span = before[0].span[0], found[-1].span[1]
            is_quoted = any(clause.is_quoted for clause in (*before, *found))
            self.clauses[self._before :] = [Clause((*ways[0], *ways[1]), found[0].field_name, span, is_quoted)]
        else:
            self.has_ignored_choice |= self._is_choice and bool(before)
            self._before = len(self.clauses)
            self.clauses += found
        self._is_choice = False

    def _words(self, start: int, end: int) -> Iterator[Clause]:
        """A clause for each word between two places, and one for each run of a script without spaces."""
        if start < 0:
            return
        runs: list[tuple[list[str], bool, int, int]] = []
        for token in query_terms(self._text[start:end]):
            begin, stop = start + token.start, start + token.end
            if token.is_run and runs and runs[-1][1] and begin < runs[-1][3]:
                texts, _, first, _ = runs[-1]
                runs[-1] = [*texts, token.text], True, first, stop
            else:
                runs.append(([token.text], token.is_run, begin, stop))
        for texts, is_run, begin, stop in runs:
            # One character of such a script is the beginning of a pair wherever it stands.
            is_prefix = len(texts[0]) == 1 if is_run else stop == len(self._text)
            yield Clause((Alternative(tuple(texts), is_prefix=is_prefix and len(texts) == 1),), span=(begin, stop))

    def _phrase(self, piece: re.Match[str]) -> list[Clause]:
        start, end = piece.span("phrase")
        found = [token.text for token in query_terms(self._text[start:end])]
        if not found:
            return []
        way = Alternative(tuple(found), is_phrase=len(found) > 1)
        way = replace(way, is_prefix=_is_run(way) or (not piece["end"] and not self._text[-1:].isspace()))
        return [Clause((way,), span=(start - 1, piece.end()), is_quoted=True)]

    def _put_condition(self, piece: re.Match[str], known: Field, *, is_excluded: bool) -> None:
        value = piece["phrase"] if piece["phrase"] is not None else piece["word"] or ""
        if not value.strip():
            return  # still being typed
        self.has_ignored_choice |= self._is_choice
        self._before, self._is_choice = None, False
        is_last = piece.end() == len(self._text) and not (is_excluded or piece["end"] or self._text[-1:].isspace())
        condition = Condition(known, piece[0], value.strip(), is_last=is_last, is_excluded=is_excluded)
        self.conditions.append(_ranged(condition) if known.role in NUMERIC_ROLES else condition)


_CONDITION_ROLES = {Role.FACET, *NUMERIC_ROLES}
_NAMED_ROLES = _CONDITION_ROLES | {Role.TITLE, Role.TEXT, Role.KEY}
_FIELD_NAME = re.compile(r"[\w.-]+")


def can_be_named(field: Field) -> bool:
    """Whether people can write ``field:value`` with a field's name."""
    return field.role in _NAMED_ROLES and _FIELD_NAME.fullmatch(field.name) is not None


def _ranged(condition: Condition) -> Condition:
    """The condition with the range that its value writes: ``1990..1995``, ``>=1990``, ``<1995`` or one value."""
    value = unicodedata.normalize("NFKC", condition.value or "")  # of an input method, digits may be wide
    if dots := re.search(r"\.{2,}", value):
        low, high = value[: dots.start()], value[dots.end() :]
        return replace(condition, value=None, range=Range(low.strip() or None, high.strip() or None))
    if sign := re.match(r"[<>]=?", value):
        end = value[sign.end() :].strip() or None
        chosen = Range(minimum=end) if sign[0][0] == ">" else Range(maximum=end)
        return replace(condition, value=None, range=chosen, is_open="=" not in sign[0])
    return replace(condition, value=None, range=Range(value, value))


def _as_one(clauses: list[Clause]) -> list[Clause]:
    """Several words as one clause that asks for all of them."""
    if len(clauses) < 2:  # noqa: PLR2004  # one is one already
        return clauses
    ways = [clause.typed for clause in clauses]
    together = Alternative(tuple(word for way in ways for word in way.words), is_prefix=ways[-1].is_prefix)
    return [Clause((together,), clauses[0].field_name, (clauses[0].span[0], clauses[-1].span[1]))]


def _is_run(way: Alternative) -> bool:
    """Whether it ends in one character of a script without spaces: that begins a pair wherever it stands."""
    return len(way.words[-1]) == 1 and query_terms(way.words[-1])[0].is_run


def _distinct(clauses: Iterable[Clause]) -> list[Clause]:
    """Each clause once; “new york new” is still about two words, whether or not the last of them is finished."""
    found: dict[object, Clause] = {}
    for clause in clauses:
        ways = tuple((way.words, way.is_phrase) for way in clause.alternatives)
        found.setdefault((ways, clause.field_name, clause.is_quoted), clause)
    return list(found.values())
