"""What the templates of saved searches and the dashboard are given."""

from dataclasses import dataclass
from typing import ClassVar

from livesearch.web.contexts import ResultRow
from livesearch.web.contexts.activity import Activity


@dataclass(frozen=True, slots=True)
class SaveSearchFragment:
    """The form that saves the search of its page.

    Attributes:
        save_query: The search, as a query string.
        saved_name: What the search is called that was saved just now; empty for none.
    """

    template: ClassVar[str] = "partials/_save_search.html"

    collection_name: str
    save_query: str
    saved_name: str
    is_fragment: bool = False


@dataclass(frozen=True, slots=True)
class RhythmChoice:
    """How often one can be written to."""

    value: str
    label: str
    is_selected: bool


@dataclass(frozen=True, slots=True)
class SavedSearchRow:
    """A saved search.

    Attributes:
        rhythms: How often one can be written to about it; none where that is not possible.
        address: Where its changes go.
        url: The page of the search itself.
        facts: Where and what it looks for, and what it finds, in words.
        new_label: How much is new; empty for nothing.
        fault: Why that cannot be told; empty where it can.
    """

    id: int
    name: str
    address: str
    url: str
    facts: tuple[str, ...]
    new_label: str
    fault: str
    rhythms: tuple[RhythmChoice, ...]


@dataclass(frozen=True, slots=True)
class SavedSearchesFragment:
    """One's saved searches.

    Attributes:
        summary: How much is new in all of them, in words.
        has_news: Whether anything can be marked as seen.
    """

    template: ClassVar[str] = "partials/_saved_searches.html"

    summary: str
    has_news: bool
    searches: tuple[SavedSearchRow, ...]


@dataclass(frozen=True, slots=True)
class DashboardPage(SavedSearchesFragment):
    """What is somebody's own: a section for each kind of it, each a partial that answers for itself."""

    template: ClassVar[str] = "pages/dashboard.html"

    user_name: str
    activity: Activity


@dataclass(frozen=True, slots=True)
class SavedSearchPage:
    """What was new in a saved search when it was last opened.

    Attributes:
        status: How many documents were, and are still found.
        rows: The newest of them.
        url: The page of the search itself.
    """

    template: ClassVar[str] = "pages/saved_search.html"

    name: str
    facts: tuple[str, ...]
    status: str
    rows: tuple[ResultRow, ...]
    url: str


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """The end of mails.

    Attributes:
        name: Of the saved search that the mail was about.
        is_all: Whether mails about all others end, too.
    """

    template: ClassVar[str] = "pages/unsubscribe.html"

    name: str
    is_done: bool
    is_all: bool
