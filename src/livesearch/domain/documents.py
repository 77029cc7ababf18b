"""Documents: what a source held for its rows, and the fields of these."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
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
        is_typo_tolerant: Whether its words may stand for misspelled ones.
    """

    name: str
    type: FieldType
    role: Role
    weight: float = 1.0
    is_list: bool = False
    reason: str = ""
    is_typo_tolerant: bool = True

    @property
    def label(self) -> str:
        """The name as people read it: ``average_rating`` becomes ``Average rating``."""
        words = self.name.replace("_", " ").replace("-", " ").strip()
        return words[:1].upper() + words[1:] if words else self.name


class Place(NamedTuple):
    """Which document is meant: a collection's name and the document's key."""

    collection: str
    key: str
