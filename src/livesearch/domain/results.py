"""What a search answers: hits and why they are there, facets, ranges, suggestions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from livesearch.domain.collections import Collection
from livesearch.domain.documents import Document, Field
from livesearch.domain.queries import Range, SearchQuery


class Segment(NamedTuple):
    """A run of a field's text, and whether the query matched it. A tuple: a page has hundreds."""

    text: str
    is_match: bool = False


Highlight = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class ScorePart:
    """One summand of a score.

    Attributes:
        label: What earned it, in words for people, as ``“zelda” whole in the title``.
    """

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a document is where it is in a result, or why it is not there.

    Attributes:
        parts: Summands of the score; empty for a document that is not found.
        reasons: Why it is not found, in words for people; empty for one that is.
        rank: Place in the result, from 1; None when not found, or past the places that are looked at.
        is_pinned: An owner has pinned it to its place, whatever its score.
    """

    parts: tuple[ScorePart, ...] = ()
    reasons: tuple[str, ...] = ()
    rank: int | None = None
    is_pinned: bool = False

    @property
    def score(self) -> float:
        """The score that the parts sum to."""
        return sum(part.value for part in self.parts)


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that a query found.

    Attributes:
        title: The title with the matched runs told apart; never empty (the key stands in).
        snippets: Runs of other searched fields around a match, by field name; only fields that matched, or the
            first text field.
        score: Comparable within one query only; 0.0 when sorted by a field.
        parts: What the score is made of, where the query asked for it.
    """

    key: str
    document: Document
    title: Highlight
    snippets: Mapping[str, Highlight]
    score: float = 0.0
    parts: tuple[ScorePart, ...] = ()
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value one can choose, and how many documents choosing it would give."""

    value: str
    count: int
    is_selected: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    """The values of a field within a result, its own selection left aside (disjunctive).

    Attributes:
        values: Chosen values first, then by count; at most the number asked for.
        value_count: Distinct values with at least one document, shown or not; at least so many unless
            ``is_exact``.
        is_exact: Whether everything was counted.
        counts_are_exact: Whether the counts of the values given are exact; otherwise they are lower bounds.
    """

    field: Field
    values: tuple[FacetValue, ...]
    value_count: int
    is_exact: bool = True
    counts_are_exact: bool = True


@dataclass(frozen=True, slots=True)
class Bin:
    """How many documents have a value from ``minimum`` to below ``maximum``; the last bin holds its maximum too."""

    minimum: str
    maximum: str
    count: int


@dataclass(frozen=True, slots=True)
class RangeFacet:
    """A numeric or date field one can narrow.

    Attributes:
        minimum: Smallest value in the collection, as text for a form field; empty when no document has one.
        maximum: Largest value, likewise.
        selected: What the query asks for.
        histogram: Documents of the result by value, this field's own range left aside; equal widths, in order.
    """

    field: Field
    minimum: str
    maximum: str
    selected: Range
    histogram: tuple[Bin, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultPage:
    """The answer to one search.

    Attributes:
        total: Matching documents; at least so many unless ``total_is_exact``.
        corrected_query: What was searched instead of the query's text, where words of it were taken for misspelled.
        notices: What was left out of the query and why, in words for people.
        version: The collection's change token this answer was computed at.
        next_cursor: Where the next page begins; None after the last hit.
    """

    query: SearchQuery
    collection: Collection
    hits: tuple[Hit, ...]
    total: int
    facets: tuple[Facet, ...] = ()
    ranges: tuple[RangeFacet, ...] = ()
    total_is_exact: bool = True
    corrected_query: str | None = None
    notices: tuple[str, ...] = ()
    took_ms: float = 0.0
    version: int = 0
    next_cursor: str | None = None

    @property
    def page_count(self) -> int:
        """Pages in all; at least 1."""
        return max(1, math.ceil(self.total / self.query.page_size))


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A completion of what was typed, or a document to go to.

    Attributes:
        text: What the search box would hold.
        label: The same with the typed runs told apart.
        key: The document to open; None for a completion.
    """

    text: str
    label: Highlight
    key: str | None = None
