"""What a person asks of a collection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


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
        is_verbatim: Words are taken as typed: no correction, no other word forms.
        cursor: Where an earlier page ended, as its ``next_cursor`` said; ``page`` is ignored then.
        is_explained: Whether hits tell what their score is made of.
    """

    text: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    ranges: Mapping[str, Range] = field(default_factory=lambda: MappingProxyType({}))
    sort: str = ""
    page: int = 1
    page_size: int = 20
    is_verbatim: bool = False
    cursor: str | None = None
    is_explained: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the page is asked for."""
        return bool(self.text.strip() or self.filters or self.ranges)
