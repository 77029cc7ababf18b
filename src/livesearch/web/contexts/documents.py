"""What the templates of a document are given."""

from dataclasses import dataclass
from typing import ClassVar

from livesearch.web.contexts.editing import DocumentEditing
from livesearch.web.contexts.rows import ExplanationLink


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
    """One document.

    Attributes:
        place: Which it is, as the button says it that puts it on a shortlist.
        explanation: Where it says what the search that led here has to do with it; None where nothing was searched.
        editing: None for those who may not edit.
        is_fragment: Whether htmx exchanges it in place.
    """

    template: ClassVar[str] = "partials/_document.html"

    title: str
    place: str
    properties: tuple[Property, ...]
    results_url: str
    results_label: str
    explanation: ExplanationLink | None
    editing: DocumentEditing | None
    is_fragment: bool


@dataclass(frozen=True, slots=True)
class DocumentPage(DocumentFragment):
    """The page of one document."""

    template: ClassVar[str] = "pages/document.html"

    collection_label: str
    search_url: str
    placeholder: str
    text: str
