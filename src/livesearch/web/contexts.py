"""What templates are given: one frozen dataclass a template, everything formatted, sorted and linked.

A ``Markup`` is HTML already; a ``str`` is escaped where it is shown. URLs are relative to the site's root.
"""

from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter and the page without it."""

    label: str
    value: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class FacetOption:
    """A value one can tick.

    Attributes:
        id: The element's id, the same in every answer, so that a morph keeps the box and its focus.
        count: Formatted.
        is_empty: Ticking it would find nothing.
    """

    id: str
    value: str
    label: str
    count: str
    is_selected: bool
    is_empty: bool


@dataclass(frozen=True, slots=True)
class FacetGroup:
    """A field's values.

    Attributes:
        name: The form field.
        is_expanded: Whether all values are shown and can be searched (``text``).
        more_label: What the link to more values says; empty where all are shown.
        more_url: The page with all values, for those without JavaScript.
        note: Says that not even all values are all; empty where they are.
        fragment_url: The group alone with all values.
    """

    id: str
    field: str
    name: str
    label: str
    options: tuple[FacetOption, ...]
    is_open: bool
    selected_count: int
    is_expanded: bool
    text: str
    more_label: str
    more_url: str
    note: str
    fragment_url: str


@dataclass(frozen=True, slots=True)
class RangeGroup:
    """A numeric or date field to narrow from both ends."""

    id: str
    label: str
    minimum_name: str
    maximum_name: str
    minimum: str
    maximum: str
    selected_minimum: str
    selected_maximum: str
    input_type: str
    is_open: bool
    is_narrowed: bool


@dataclass(frozen=True, slots=True)
class Snippet:
    """A matched run of a field that the meta line does not show."""

    label: str
    text: Markup


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One hit.

    Attributes:
        meta: Short values told apart by dots.
    """

    id: str
    url: str
    title: Markup
    meta: tuple[Markup, ...]
    snippets: tuple[Snippet, ...]


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page of results; ``url`` is empty for the present one and for a gap (label ``…``)."""

    label: str
    url: str
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class Pagination:
    """Links between pages of results; empty URLs where there is no such page."""

    previous_url: str
    next_url: str
    pages: tuple[PageLink, ...]


@dataclass(frozen=True, slots=True)
class SortChoice:
    """An order one can choose."""

    value: str
    label: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """What was searched instead, and the search for what was typed."""

    shown: str
    typed: str
    typed_url: str


@dataclass(frozen=True, slots=True)
class EmptyHelp:
    """What to do when nothing was found.

    Attributes:
        heading: Says what was not found.
        widen_url: The same words without filters; empty where there are none.
        first_page_url: Set when only this page is past the end.
    """

    heading: str
    widen_url: str
    clear_url: str
    first_page_url: str


@dataclass(frozen=True, slots=True)
class ResultsFragment:
    """The answer to a keystroke: results, and out of band the facets and the status."""

    template: ClassVar[str] = "partials/_results.html"

    title: str
    text: str
    status: str
    show_label: str
    timing: str
    rows: tuple[ResultRow, ...]
    chips: tuple[Chip, ...]
    clear_url: str
    notices: tuple[str, ...]
    correction: Correction | None
    empty: EmptyHelp | None
    pagination: Pagination | None
    facets: tuple[FacetGroup, ...]
    ranges: tuple[RangeGroup, ...]
    is_fragment: bool


@dataclass(frozen=True, slots=True)
class SearchPage(ResultsFragment):
    """The live-search page of a collection."""

    template: ClassVar[str] = "pages/search.html"

    heading: str
    placeholder: str
    search_url: str
    suggest_url: str
    sorts: tuple[SortChoice, ...]


@dataclass(frozen=True, slots=True)
class FacetFragment:
    """One facet with all its values, or those that hold a text."""

    template: ClassVar[str] = "partials/_facet.html"

    facet: FacetGroup


@dataclass(frozen=True, slots=True)
class SuggestionOption:
    """A line of the suggestion list.

    Attributes:
        url: The document to open; empty for a completion.
    """

    id: str
    text: str
    label: Markup
    url: str


@dataclass(frozen=True, slots=True)
class SuggestionsFragment:
    """The options of the suggestion list."""

    template: ClassVar[str] = "partials/_suggestions.html"

    text: str
    options: tuple[SuggestionOption, ...]


@dataclass(frozen=True, slots=True)
class Property:
    """A field of a document.

    Attributes:
        links: URLs that may be linked, http and https only.
        values: Everything else, as text.
    """

    label: str
    values: tuple[str, ...]
    links: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentFragment:
    """One document."""

    template: ClassVar[str] = "partials/_document.html"

    title: str
    properties: tuple[Property, ...]
    results_url: str
    results_label: str


@dataclass(frozen=True, slots=True)
class DocumentPage(DocumentFragment):
    """The page of one document."""

    template: ClassVar[str] = "pages/document.html"

    collection_label: str
    search_url: str
    placeholder: str
    text: str


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


@dataclass(frozen=True, slots=True)
class ErrorFragment:
    """What went wrong, for the error container of the page that asked."""

    template: ClassVar[str] = "partials/_error.html"

    status: int
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What went wrong, as a page.

    Attributes:
        page_status: The status whose page is shown; differs from ``status`` for rare ones.
    """

    status: int
    title: str
    detail: str
    page_status: int

    @property
    def template(self) -> str:
        """The page of this status."""
        return f"errors/{self.page_status}.html"
