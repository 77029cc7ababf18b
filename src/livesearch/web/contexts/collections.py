"""What the first page of a site with several collections is given."""

from dataclasses import dataclass
from typing import ClassVar

from livesearch.web.contexts.results import SearchTips
from livesearch.web.contexts.rows import ResultRow


@dataclass(frozen=True, slots=True)
class CollectionCard:
    """A collection, and what a search over all found in it."""

    label: str
    url: str
    status: str
    rows: tuple[ResultRow, ...]
    more_label: str


@dataclass(frozen=True, slots=True)
class CollectionsFragment:
    """The collections, or what a search over all of them found."""

    template: ClassVar[str] = "partials/_collections.html"

    title: str
    text: str
    status: str
    cards: tuple[CollectionCard, ...]
    is_fragment: bool


@dataclass(frozen=True, slots=True)
class CollectionsPage(CollectionsFragment):
    """The first page of a site with several collections."""

    template: ClassVar[str] = "pages/collections.html"

    search_url: str
    placeholder: str
    suggest_url: str
    tips: SearchTips
