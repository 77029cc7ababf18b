"""Editing: forms in place of rows and documents, what was changed, and the audit trail."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial

from flask import url_for

from livesearch.domain import Collection, Document, DocumentChange, Hit, ResultPage, SearchQuery
from livesearch.search.hits import HitMaker
from livesearch.search.values import title_of
from livesearch.services.documents import LoadedDocument
from livesearch.web.contexts import (
    ChangeNotice,
    DocumentEditing,
    EditLink,
    FieldChange,
    PastChange,
    ResultRow,
    ResultsEditing,
)
from livesearch.web.contexts.edit_forms import Difference, EditConflict, EditFragment, EditPage
from livesearch.web.forms.documents import DocumentForm, edited_fields
from livesearch.web.forms.field_texts import text_of_value
from livesearch.web.presenters.addresses import address_of, address_with_key, document_url, fits_path, search_address
from livesearch.web.presenters.formats import format_values, shorten
from livesearch.web.presenters.results import present_rows

# The element that the form of a document's page stands in; any other is that of a row.
DOCUMENT_ID, NEW_ID = "document", "new-row"


def present_link(name: str, key: str) -> EditLink:
    """Where a document is changed; a fragment's address cannot hold every key in its path."""
    url = url_for("editing.edit", name=name, key=key)
    return EditLink(url, address_with_key("editing.edit_part", name, key) if fits_path(key) else url)


def present_results_editing(page: ResultPage, notice: ChangeNotice | None) -> ResultsEditing:
    """What an editor can do on a page of results."""
    name = page.collection.name
    new = EditLink(address_of("editing.new", name=name), address_of("editing.new_part", name=name))
    return ResultsEditing(new, search_address(page.collection, page.query), notice)


def present_edited_row(collection: Collection, key: str, document: Document) -> ResultRow:
    """A document as a row of a list that nothing is looked for in."""
    hit: Hit = HitMaker(collection, ()).make(key, document, score=0.0)
    page = ResultPage(SearchQuery(), collection, (hit,), 1)
    (row,) = present_rows(page, can_edit=True)
    return row


def present_notice(
    collection: Collection, key: str, change_id: int | None, *, text: str, is_there: bool
) -> ChangeNotice:
    """What was changed, with the way to take it back."""
    return ChangeNotice(
        text,
        document_url(collection.name, key) if is_there else "",
        address_of("editing.undo", name=collection.name),
        change_id or 0,
    )


def present_form(
    form: DocumentForm, loaded: LoadedDocument, element_id: str, *, conflict: EditConflict | None = None, is_live: bool
) -> EditFragment:
    """The form of a document."""
    name, key = loaded.collection.name, loaded.key
    is_page_part = element_id == DOCUMENT_ID
    row_url = address_with_key("editing.row", name, key) if fits_path(key) else ""
    url = document_url(name, key)
    return EditFragment(
        element_id=element_id,
        tag="article" if is_page_part or not is_live else "li",
        heading_tag="h1" if is_page_part or not is_live else "h2",
        heading=f"Edit {shorten(title_of(loaded.document, loaded.collection, key))}",
        form=form,
        url=url,
        method="PUT",
        cancel_url=url,
        cancel_part_url=url if is_page_part else row_url,
        conflict=conflict,
        is_live=is_live,
    )


def present_new_form(form: DocumentForm, collection: Collection, *, is_live: bool) -> EditFragment:
    """The form of a document to be."""
    url = address_of("editing.create", name=collection.name)
    return EditFragment(
        element_id=NEW_ID,
        tag="li" if is_live else "article",
        heading_tag="h2" if is_live else "h1",
        heading=f"New in {collection.label}",
        form=form,
        url=url,
        method="POST",
        cancel_url=search_address(collection, SearchQuery()),
        cancel_part_url="",
        conflict=None,
        is_live=is_live,
    )


def present_edit_page(part: EditFragment, collection: Collection) -> EditPage:
    """The page around a form."""
    return EditPage(
        element_id=part.element_id,
        tag=part.tag,
        heading_tag=part.heading_tag,
        heading=part.heading,
        form=part.form,
        url=part.url,
        method=part.method,
        cancel_url=part.cancel_url,
        cancel_part_url=part.cancel_part_url,
        conflict=part.conflict,
        is_live=part.is_live,
        title=part.heading,
        collection_label=collection.label,
        search_url=search_address(collection, SearchQuery()),
        placeholder=f"Search {collection.label}",
        text="",
    )


def present_conflict(form: DocumentForm, collection: Collection, theirs: Document | None) -> EditConflict:
    """Both versions of a document that somebody else has changed meanwhile: theirs, and what stands in the form."""
    if theirs is None:
        return EditConflict("Somebody deleted this meanwhile. What you wrote is below: save it to make it anew.", ())
    mine = form.texts
    differences = tuple(
        Difference(field.label, text_of_value(theirs.get(field.name)), mine[field.name].replace("\r\n", "\n"))
        for field in edited_fields(collection)
        if text_of_value(theirs.get(field.name)) != mine[field.name].replace("\r\n", "\n")
    )
    return EditConflict(
        "Somebody else changed this meanwhile. Below is what you wrote: save it to keep your version, or copy over what"
        " you want of theirs.",
        differences,
    )


def present_document_editing(
    loaded: LoadedDocument, history: Iterable[DocumentChange], notice: ChangeNotice | None, refresh_url: str
) -> DocumentEditing:
    """What an editor can do with a document, and what was done to it."""
    name, collection = loaded.collection.name, loaded.collection
    changes = list(history)
    # The newest is what the document is, unless a program wrote it otherwise.
    last = changes[0].id if changes and changes[0].after == loaded.document else 0
    return DocumentEditing(
        edit=present_link(name, loaded.key),
        url=document_url(name, loaded.key),
        refresh_url=refresh_url,
        undo_url=address_of("editing.undo", name=name),
        digest=loaded.digest.hex(),
        history=tuple(map(partial(_present_change, collection, last), changes)),
        notice=notice,
    )


def _present_change(collection: Collection, last: int, change: DocumentChange) -> PastChange:
    moment = datetime.fromtimestamp(change.at, UTC)
    what = "added it" if change.before is None else "deleted it" if change.after is None else "changed it"
    return PastChange(
        who=change.who or "Somebody",
        what=what,
        at=f"{moment:%Y-%m-%d %H:%M} UTC",
        moment=moment.isoformat(timespec="seconds"),
        fields=_fields(collection, change.before, change.after),
        undo_id=change.id if change.id == last else 0,
    )


def _fields(collection: Collection, before: Document | None, after: Document | None) -> tuple[FieldChange, ...]:
    if before is None or after is None:
        return ()
    return tuple(
        FieldChange(field.label, *(shorten(", ".join(format_values(found))) for found in pair))
        for field in edited_fields(collection)
        if (pair := (before.get(field.name), after.get(field.name)))[0] != pair[1]
    )
