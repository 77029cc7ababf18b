"""Value objects: what services take and give.

All are frozen. Counts are exact unless a field says otherwise; times are in milliseconds where a name ends in ``_ms``.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

# Documents of one chunk: 2^15. An import fills a chunk in one transaction, so that its postings are written once and
# never merged; a chunk twice as large would be read faster, but lose twice as much to an interruption.
CHUNK_BITS = 15

# A document is what the source held for one row: JSON values by field name, in the source's order.
Document = Mapping[str, Any]  # Any: JSON values, as deep as the source has them


class FieldType(StrEnum):
    """What the values of a field are."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    URL = "url"


class Role(StrEnum):
    """What a field is for.

    ``sort`` is a number one sorts and filters by; ``hidden`` is stored, but neither shown nor searched.
    """

    KEY = "key"
    TITLE = "title"
    TEXT = "text"
    FACET = "facet"
    SORT = "sort"
    DATE = "date"
    URL = "url"
    HIDDEN = "hidden"


SEARCHABLE_ROLES = frozenset({Role.KEY, Role.TITLE, Role.TEXT, Role.FACET})
NUMERIC_ROLES = frozenset({Role.SORT, Role.DATE})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a collection.

    Attributes:
        weight: What a word found here adds to a score, relative to 1.0 for a long text.
        is_list: Whether some rows hold more than one value.
        reason: Why the role was inferred, in words for people.
    """

    name: str
    type: FieldType
    role: Role
    weight: float = 1.0
    is_list: bool = False
    reason: str = ""

    @property
    def label(self) -> str:
        """The name as people read it: ``average_rating`` becomes ``Average rating``."""
        words = self.name.replace("_", " ").replace("-", " ").strip()
        return words[:1].upper() + words[1:] if words else self.name


@dataclass(frozen=True, slots=True)
class Collection:
    """Rows of one kind, searched together.

    Attributes:
        id: The store's number for it.
        version: The change token: grows with every committed change.
        key_field: The field that tells rows apart; None where a hash of the content does.
        popularity_field: The numeric field that breaks ties; None where there is none.
        source: What it was last imported from, as given.
        next_number: The internal number that the next new document gets; all numbers are below it.
    """

    id: int
    name: str
    version: int
    document_count: int
    fields: tuple[Field, ...]
    key_field: str | None = None
    popularity_field: str | None = None
    source: str | None = None
    next_number: int = 0

    @property
    def label(self) -> str:
        """The name as people read it."""
        words = self.name.replace("_", " ").replace("-", " ")
        return words[:1].upper() + words[1:]

    def by_role(self, *roles: Role) -> tuple[Field, ...]:
        """The fields that have one of the roles, in their order."""
        return tuple(f for f in self.fields if f.role in roles)

    @property
    def title_field(self) -> Field | None:
        """The first title field; None where rows have none."""
        return next(iter(self.by_role(Role.TITLE)), None)

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((f for f in self.fields if f.name == name), None)


@dataclass(frozen=True, slots=True)
class Range:
    """An inclusive range as it was asked for; None leaves an end open. Dates are ISO 8601 text."""

    minimum: str | None = None
    maximum: str | None = None


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a person asks of one collection.

    Attributes:
        filters: Chosen facet values by field; values of one field are alternatives, fields are all required.
        ranges: Chosen ranges by numeric or date field.
        sort: A numeric or date field, ``-`` before it for largest first; empty for relevance.
        page: From 1.
        page_size: Hits a page, 1 to 100.
    """

    text: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    ranges: Mapping[str, Range] = field(default_factory=lambda: MappingProxyType({}))
    sort: str = ""
    page: int = 1
    page_size: int = 20

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the page is asked for."""
        return bool(self.text.strip() or self.filters or self.ranges)


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of a field's text, and whether the query matched it."""

    text: str
    is_match: bool = False


Highlight = tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that a query found.

    Attributes:
        title: The title with the matched runs told apart; never empty (the key stands in).
        snippets: Runs of other searched fields around a match, by field name; only fields that matched, or the
            first text field.
        score: Comparable within one query only; 0.0 when sorted by a field.
    """

    key: str
    document: Document
    title: Highlight
    snippets: Mapping[str, Highlight]
    score: float = 0.0


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
        value_count: Distinct values with at least one document, shown or not.
    """

    field: Field
    values: tuple[FacetValue, ...]
    value_count: int


@dataclass(frozen=True, slots=True)
class RangeFacet:
    """A numeric or date field one can narrow.

    Attributes:
        minimum: Smallest value in the collection, as text for a form field; empty when no document has one.
        maximum: Largest value, likewise.
        selected: What the query asks for.
    """

    field: Field
    minimum: str
    maximum: str
    selected: Range


@dataclass(frozen=True, slots=True)
class ResultPage:
    """The answer to one search.

    Attributes:
        total: Matching documents; exact when ``total_is_exact``.
        notices: What was left out of the query and why, in words for people.
        version: The collection's change token this answer was computed at.
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


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that could not be taken.

    Attributes:
        line: Line in the source where the row begins, from 1; the row number for tables.
        reason: In words for people.
        raw: The row as it stood, cut at 2,000 characters (the cut is marked with an ellipsis).
    """

    line: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source: the line where it begins (from 1) and its values."""

    line: int
    document: Document


class PostingChange(NamedTuple):
    """What a batch does to one posting. A tuple: imports make hundreds of thousands of them.

    Attributes:
        added: Document numbers to put in, a Roaring bitmap in the portable serialization; empty bytes for none.
        added_count: Numbers in ``added``.
        removed: Document numbers to take out, likewise; none of them is in ``added``.
    """

    key: str
    added: bytes = b""
    added_count: int = 0
    removed: bytes = b""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        accepted: New documents.
        updated: Documents whose content changed.
        unchanged: Rows equal to what was stored.
        rejected: Rows that could not be taken; they stand in ``rejects_path``.
        resumed_at: Rows skipped because an earlier, interrupted import had committed them.
        late_fields: Fields that no sampled row had; they are kept, but not searched.
        is_dry_run: Nothing was stored.
    """

    collection: str
    source: str
    fields: tuple[Field, ...]
    accepted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    resumed_at: int = 0
    late_fields: tuple[str, ...] = ()
    seconds: float = 0.0
    rejects_path: str | None = None
    key_field: str | None = None
    is_dry_run: bool = False

    @property
    def row_count(self) -> int:
        """Rows read."""
        return self.accepted + self.updated + self.unchanged + self.rejected
