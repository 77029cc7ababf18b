"""What has become of documents and of lists of them."""

from dataclasses import dataclass
from typing import NamedTuple

from livesearch.domain.collections import Collection
from livesearch.domain.documents import Document


@dataclass(frozen=True, slots=True)
class ListChange:
    """What has become of a result since a version of its collection, all its pages together.

    Attributes:
        collection_id: Of the collection that has the name now.
        version: The collection's now.
        is_counted: Whether that is known; otherwise only that something may have changed, and all counts are 0.
        new: Documents that it did not hold.
        changed: Documents that it held and holds, and that are others now.
        gone: Documents that it no longer holds, deleted or not.
        gone_keys: The keys of some of these.
    """

    collection_id: int
    version: int
    is_counted: bool = True
    new: int = 0
    changed: int = 0
    gone: int = 0
    gone_keys: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to tell."""
        return not self.is_counted or bool(self.new or self.changed or self.gone)


@dataclass(frozen=True, slots=True)
class RecentChange:
    """What was changed in a collection at about one time.

    Attributes:
        at: The last of it, in Unix seconds.
    """

    collection: Collection
    at: float
    new: int
    changed: int
    gone: int


@dataclass(frozen=True, slots=True)
class DocumentChange:
    """One change of a document, as the audit trail has it.

    Attributes:
        at: Unix seconds, UTC.
        who: In words for people; empty where nobody said.
        before: None for a document that was not there.
        after: None for one that is not there any more.
    """

    id: int
    key: str
    at: float
    who: str
    before: Document | None
    after: Document | None


class PostingChange(NamedTuple):
    """What a batch does to one posting. A tuple: imports make hundreds of thousands of them.

    Attributes:
        added: The documents to put in: the low 16 bits of their numbers, ascending, as little-endian uint16.
        removed: The documents to take out, likewise; none of them is in ``added``.
    """

    key: str
    added: bytes = b""
    removed: bytes = b""
