"""What the templates of editing are given."""

from dataclasses import dataclass
from typing import ClassVar

from livesearch.web.contexts import ChangeNotice, ResultRow
from livesearch.web.forms.documents import DocumentForm


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is different in two versions of a document, as text."""

    label: str
    theirs: str
    mine: str


@dataclass(frozen=True, slots=True)
class EditConflict:
    """A document that somebody else has changed while it was edited.

    Attributes:
        message: What has happened, and what one can do.
    """

    message: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class EditFragment:
    """The form that changes a document, or makes one.

    Attributes:
        element_id: That of what the form stands in, in place of a row or a document.
        tag: The element it stands in: a row of a list, or an article.
        heading_tag: Of its heading.
        url: Where the form goes.
        method: ``POST`` for a new document, else ``PUT``.
        cancel_url: The page without the form.
        cancel_part_url: What htmx takes in its place.
        conflict: None unless somebody else was faster.
        is_live: Whether htmx exchanges it in place.
    """

    template: ClassVar[str] = "partials/_edit_form.html"

    element_id: str
    tag: str
    heading_tag: str
    heading: str
    form: DocumentForm
    url: str
    method: str
    cancel_url: str
    cancel_part_url: str
    conflict: EditConflict | None
    is_live: bool


@dataclass(frozen=True, slots=True)
class EditPage(EditFragment):
    """The page of the form, for those without JavaScript."""

    template: ClassVar[str] = "pages/edit.html"

    title: str
    collection_label: str
    search_url: str
    placeholder: str
    text: str


@dataclass(frozen=True, slots=True)
class EditedRowFragment:
    """A row as the list has it, after a change or none.

    Attributes:
        notice: What was changed; None where nothing was.
    """

    template: ClassVar[str] = "partials/_edited_row.html"

    row: ResultRow
    row_heading: str
    notice: ChangeNotice | None
    is_fragment: bool


@dataclass(frozen=True, slots=True)
class ChangeNoticeFragment:
    """What was changed, alone."""

    template: ClassVar[str] = "partials/_change_notice.html"

    notice: ChangeNotice | None
    is_fragment: bool
