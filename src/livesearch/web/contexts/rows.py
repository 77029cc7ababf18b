"""What lists are given: rows, and links between pages of them."""

from dataclasses import dataclass

from markupsafe import Markup

from livesearch.web.contexts.editing import EditLink


@dataclass(frozen=True, slots=True)
class Snippet:
    """A matched run of a field that the meta line does not show."""

    label: str
    text: Markup


@dataclass(frozen=True, slots=True)
class ExplanationLink:
    """Where a row's explanation is.

    Attributes:
        id: The element's id, which the explanation takes over with the focus.
        url: The page, for those without JavaScript.
        fragment_url: The explanation alone.
    """

    id: str
    url: str
    fragment_url: str


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One hit.

    Attributes:
        meta: Short values told apart by dots.
        place: Which document it is, as the button says it that puts it on a shortlist.
        explanation: Where it says why it is found; None where nothing was looked for.
        edit: Where it is changed; None for those who may not.
    """

    id: str
    url: str
    place: str
    title: Markup
    meta: tuple[Markup, ...]
    snippets: tuple[Snippet, ...]
    is_pinned: bool
    explanation: ExplanationLink | None
    edit: EditLink | None = None


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
