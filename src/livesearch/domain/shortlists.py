"""Documents that somebody keeps in mind."""

from dataclasses import dataclass, field

from livesearch.domain.collections import Collection
from livesearch.domain.documents import Document, Place


@dataclass(frozen=True, slots=True)
class ShortlistEntry:
    """A document that somebody keeps in mind.

    Attributes:
        note: What they say about it; empty for nothing.
    """

    place: Place
    note: str = ""


@dataclass(frozen=True, slots=True)
class ShortlistedDocument:
    """An entry of a shortlist with what it stands for.

    Attributes:
        collection: None where there is no such document, or none that may be seen.
        document: As long as there is a collection.
    """

    entry: ShortlistEntry
    collection: Collection | None = None
    document: Document = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SharedShortlist:
    """What a link shows of somebody's shortlist."""

    owner: str
    entries: tuple[ShortlistEntry, ...]
