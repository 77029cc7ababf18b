"""What the templates of shortlists are given."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class HeaderShortlist:
    """What is kept, for the header of the page and the buttons beside results.

    Attributes:
        count: Formatted; empty for nothing.
        announcement: What is read aloud after a change.
        documents: The values of the buttons whose documents are kept, as a JSON list.
    """

    count: str
    announcement: str
    documents: str


@dataclass(frozen=True, slots=True)
class ShortlistCountFragment:
    """How many are kept, which the header shows; it takes what it shows from the request."""

    template: ClassVar[str] = "partials/_shortlist_count.html"


@dataclass(frozen=True, slots=True)
class ShortlistRow:
    """A document that is kept.

    Attributes:
        id: The element's id, the same wherever the row stands, so that a morph keeps the focus.
        value: Which document it is, as forms say it.
        title: In place of one that is gone, its key.
        url: Empty where it is gone.
        facts: Where it is from, and what tells it from others.
        is_first: Whether it cannot be moved up; likewise ``is_last``.
    """

    id: str
    value: str
    title: str
    url: str
    facts: tuple[str, ...]
    note: str
    is_first: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class ShortlistFragment:
    """One's shortlist.

    Attributes:
        status: How many there are, in words.
        can_share: Whether there is a store of it, which a link could show.
        share_url: The link; empty for none.
    """

    template: ClassVar[str] = "partials/_shortlist.html"

    status: str
    rows: tuple[ShortlistRow, ...]
    can_share: bool
    share_url: str


@dataclass(frozen=True, slots=True)
class ShortlistPage(ShortlistFragment):
    """The page of one's shortlist."""

    template: ClassVar[str] = "pages/shortlist.html"


@dataclass(frozen=True, slots=True)
class SharedShortlistPage:
    """Somebody's shortlist as a link shows it."""

    template: ClassVar[str] = "pages/shared_shortlist.html"

    title: str
    status: str
    rows: tuple[ShortlistRow, ...]
