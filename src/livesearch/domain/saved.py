"""Searches that somebody comes back to."""

from dataclasses import dataclass
from enum import StrEnum

from livesearch.domain.queries import SearchQuery


class DigestRhythm(StrEnum):
    """How often somebody is written to about what is new in a saved search."""

    OFF = "off"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class SavedSearch:
    """A search that somebody comes back to.

    Attributes:
        collection: Its collection's name.
        query: What is looked for, with filters, ranges and order.
        digest: How often its owner is written to about it.
        seen_at: When it was last marked as seen; Unix seconds, UTC. So is ``created_at``.
        mark_count: How often it was; another number, another state.
    """

    id: int
    user_id: int
    collection_id: int
    collection: str
    name: str
    query: SearchQuery
    digest: DigestRhythm
    created_at: float
    seen_at: float
    mark_count: int


@dataclass(frozen=True, slots=True)
class SavedSearchState:
    """A saved search as of now.

    Attributes:
        total: Documents that it finds; None where that could not be told.
        new_count: Those among them that it did not find when it was last marked as seen.
        fault: Why it could not be told, in words for people; empty where it could.
    """

    saved: SavedSearch
    total: int | None = None
    new_count: int = 0
    fault: str = ""
