"""What the page of a search and its results are given."""

from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from livesearch.web.contexts.editing import ResultsEditing
from livesearch.web.contexts.facets import Chip, FacetGroup, RangeGroup
from livesearch.web.contexts.live import Poll
from livesearch.web.contexts.rows import Pagination, ResultRow


@dataclass(frozen=True, slots=True)
class SortChoice:
    """An order one can choose."""

    value: str
    label: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class Correction:
    """How the words were taken, and the way to have them taken otherwise.

    Attributes:
        shown: What was searched instead of what was typed, changed words emphasised; empty where words were searched
            exactly as typed.
        other_url: The search exactly as typed, or, where this is it, the usual one.
    """

    shown: Markup
    typed: str
    other_url: str


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
    """The answer to a keystroke: results, and out of band the facets and the status.

    Attributes:
        announcement: What is read aloud: the status, and all that is said about how the words were taken.
        save_query: The search, as a query string, for the form that saves it.
        correction: None where they were taken as usual.
        editing: None for those who may not edit.
    """

    template: ClassVar[str] = "partials/_results.html"

    title: str
    text: str
    poll: Poll
    status: str
    announcement: str
    save_query: str
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
    editing: ResultsEditing | None


@dataclass(frozen=True, slots=True)
class SearchTip:
    """What one can type, and what that means."""

    example: str
    meaning: str


@dataclass(frozen=True, slots=True)
class SearchTips:
    """The query language.

    Attributes:
        fields: Names that can stand before a colon; empty where a search is over several collections.
    """

    tips: tuple[SearchTip, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchPage(ResultsFragment):
    """The live-search page of a collection.

    Attributes:
        saved_name: What the search is called that was saved just now; none was.
    """

    template: ClassVar[str] = "pages/search.html"

    heading: str
    collection_name: str
    saved_name: str
    placeholder: str
    search_url: str
    suggest_url: str
    tips: SearchTips
    sorts: tuple[SortChoice, ...]
