"""Editing documents: in place in a list and on a document's page with htmx, on pages of its own without.

Answers carry ``documentCreated``, ``documentUpdated`` or ``documentDeleted``: what shows lists and counts asks for them
anew. Forms without JavaScript send ``POST`` to the same addresses, with the method they mean in ``_method``.
"""

import re
from http import HTTPStatus

from flask import Blueprint, Response, abort, make_response, request, url_for

from livesearch.domain import Collection, SearchQuery
from livesearch.errors import ConflictError, DocumentNotFoundError, InvalidInputError
from livesearch.search.values import title_of
from livesearch.services.documents import LoadedDocument
from livesearch.services.in_place import refuse_write
from livesearch.web.actors import current_name, current_viewer
from livesearch.web.addresses import go
from livesearch.web.audience import Audience, declare
from livesearch.web.contexts import ChangeNotice
from livesearch.web.contexts.edit_forms import ChangeNoticeFragment, EditedRowFragment, EditFragment
from livesearch.web.detection import htmx, respond
from livesearch.web.editors import document_editing, leave_notice
from livesearch.web.forms.documents import DIGEST, METHOD, DocumentForm, digest_of_text
from livesearch.web.presenters.documents import present_document
from livesearch.web.presenters.editing import (
    DOCUMENT_ID,
    NEW_ID,
    present_conflict,
    present_edit_page,
    present_edited_row,
    present_form,
    present_new_form,
    present_notice,
)
from livesearch.web.presenters.formats import shorten
from livesearch.web.registry import current_services
from livesearch.web.rendering import Context, render

blueprint = Blueprint("editing", __name__)
declare(blueprint, reading=Audience.EDITORS, changing=Audience.EDITORS)

_EVENTS = {(False, True): "documentCreated", (True, True): "documentUpdated", (True, False): "documentDeleted"}
# What an element of ours is called; htmx tells the one that the answer goes to, and headers name it again.
_ELEMENT_ID = re.compile(r"[\w-]{1,80}", re.ASCII)
_DEFAULT_ID = "edited-row"
_LONGEST_NUMBER = 18


@blueprint.get("/c/<name>/new")
@blueprint.get("/htmx/c/<name>/new", endpoint="new_part")
async def new(name: str) -> Response:
    """The form of a new document."""
    collection = await current_services().collections.get(name, current_viewer())
    refuse_write(collection)
    return _show_new(collection, DocumentForm(collection, None, current_viewer(), prefix=f"{NEW_ID}-"))


@blueprint.post("/c/<name>/doc")
async def create(name: str) -> Response:
    """Make a document; or change the one whose key cannot stand in a path, as ``/c/<name>/doc?key=`` shows it."""
    if "key" in request.args:
        return await change(name, request.args["key"])
    collection = await current_services().collections.get(name, current_viewer())
    form = DocumentForm(collection, None, current_viewer(), prefix=f"{NEW_ID}-")
    if not form.form.validate():
        return _show_new(collection, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        written = await current_services().documents.put(
            name, form.typed_key, form.document, viewer=current_viewer(), expected_digest=b"", who=current_name()
        )
    except InvalidInputError as error:
        form.add_error(str(error))
        return _show_new(collection, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    except ConflictError as error:
        refuse_write(collection)
        form.add_error(str(error), form.key)
        return _show_new(collection, form, HTTPStatus.CONFLICT)
    return await _show_written(name, written.key, written.change_id, "is added", was_there=False)


@blueprint.get("/c/<name>/edit")
@blueprint.get("/htmx/c/<name>/edit/<path:key>", endpoint="edit_part")
async def edit(name: str, key: str | None = None) -> Response:
    """The form that changes a document."""
    loaded = await _load(name, request.args.get("key", "") if key is None else key)
    return _show_edit(_form_of(loaded), loaded)


@blueprint.get("/htmx/c/<name>/row/<path:key>")
async def row(name: str, key: str) -> Response:
    """A row without its form again."""
    loaded = await _load(name, key)
    shown = present_edited_row(loaded.collection, key, loaded.document)
    return _show(EditedRowFragment(shown, "h2", None, is_fragment=True))


@blueprint.put("/c/<name>/doc")
@blueprint.delete("/c/<name>/doc")
async def change_by_key(name: str) -> Response:
    """Change or delete the document whose key cannot stand in a path."""
    return await change(name, request.args.get("key", ""))


@blueprint.route("/c/<name>/doc/<path:key>", methods=["PUT", "DELETE", "POST"])
async def change(name: str, key: str) -> Response:
    """Change or delete a document, if it still is what was edited."""
    method = request.form.get(METHOD, "").upper() if request.method == "POST" else request.method
    if method not in {"PUT", "DELETE"}:
        abort(HTTPStatus.METHOD_NOT_ALLOWED)
    try:
        loaded = await _load(name, key)
    except DocumentNotFoundError:
        # Whoever has edited it meanwhile loses nothing.
        if method == "DELETE" or DIGEST not in request.form:
            raise
        collection = await current_services().collections.get(name, current_viewer())
        loaded = LoadedDocument(collection, key, {}, b"")
    return await (_save(loaded) if method == "PUT" else _delete(loaded))


@blueprint.post("/c/<name>/undo")
async def undo(name: str) -> Response:
    """Take back a change, if it is the last one of its document."""
    number = request.form.get("change", "")
    # No change has more digits; and of thousands Python makes no number.
    change_id = int(number) if number.isascii() and number.isdecimal() and len(number) <= _LONGEST_NUMBER else 0
    undone = await current_services().editing.undo(name, change_id, viewer=current_viewer(), who=current_name())
    is_there = undone.after is not None
    text = f"The last change of “{undone.key}” is undone."
    notice = present_notice(undone.collection, undone.key, undone.change_id, text=text, is_there=is_there)
    if htmx.fragment:
        event = _EVENTS[undone.before is not None, is_there]
        return _show(ChangeNoticeFragment(notice, is_fragment=True), event=event)
    return _lead(notice, name)


async def _load(name: str, key: str) -> LoadedDocument:
    """A document that may be changed."""
    loaded = await current_services().documents.load(name, key, viewer=current_viewer())
    refuse_write(loaded.collection)
    return loaded


def _form_of(loaded: LoadedDocument) -> DocumentForm:
    prefix = f"{_element_id()}-"
    return DocumentForm(loaded.collection, loaded.document, current_viewer(), digest=loaded.digest.hex(), prefix=prefix)


async def _save(loaded: LoadedDocument) -> Response:
    name, key, form = loaded.collection.name, loaded.key, _form_of(loaded)
    if not form.form.validate():
        return _show_edit(form, loaded, HTTPStatus.UNPROCESSABLE_ENTITY)
    # Without a digest the form was written by hand: what it does not name is as it now is.
    expected = loaded.digest if form.digest is None else form.digest
    try:
        written = await current_services().documents.put(
            name, key, form.document, viewer=current_viewer(), expected_digest=expected, who=current_name()
        )
    except InvalidInputError as error:
        form.add_error(str(error))
        return _show_edit(form, loaded, HTTPStatus.UNPROCESSABLE_ENTITY)
    except ConflictError:
        return _show_conflict(form, loaded)
    return await _show_written(name, key, written.change_id, "is saved", was_there=bool(loaded.digest))


async def _delete(loaded: LoadedDocument) -> Response:
    name, key, sent = loaded.collection.name, loaded.key, request.values.get(DIGEST)
    digest = None if sent is None else digest_of_text(sent)
    deleted = await current_services().documents.delete(
        name, key, viewer=current_viewer(), expected_digest=digest, who=current_name()
    )
    text = f"“{shorten(title_of(deleted.document, loaded.collection, key))}” is deleted."
    notice = present_notice(loaded.collection, key, deleted.change_id, text=text, is_there=False)
    if htmx.fragment and htmx.target != DOCUMENT_ID:
        return _show(ChangeNoticeFragment(notice, is_fragment=True), event="documentDeleted")
    answer = _lead(notice, name)
    if htmx:
        answer.headers["HX-Trigger"] = "documentDeleted"
    return answer


async def _show_written(name: str, key: str, change_id: int | None, words: str, *, was_there: bool) -> Response:
    """A document that was made or changed: in place for htmx, its page otherwise."""
    collection, document = await current_services().documents.get(name, key, viewer=current_viewer())
    text = f"“{shorten(title_of(document, collection, key))}” {words}."
    notice = present_notice(collection, key, change_id, text=text, is_there=True)
    if not htmx.fragment:
        return _lead(notice, name)
    event = _EVENTS[was_there, True]
    if htmx.target == DOCUMENT_ID:
        editing = await document_editing(collection, key, notice)
        shown = present_document(collection, key, document, SearchQuery(), editing=editing, is_fragment=True)
        return _show(shown, event=event)
    row = present_edited_row(collection, key, document)
    return _show(EditedRowFragment(row, "h2", notice, is_fragment=True), event=event)


def _lead(notice: ChangeNotice, name: str) -> Response:
    """Lead to the document, or where it was found, where it says what was changed."""
    leave_notice(notice)
    return go(notice.url or url_for("pages.search", name=name))


def _element_id() -> str:
    """What the answer stands in: the element that htmx names, as far as it can be one of ours."""
    target = htmx.target if htmx else None
    if target == "new-document":
        return NEW_ID
    return target if target and _ELEMENT_ID.fullmatch(target) else _DEFAULT_ID


def _show_new(collection: Collection, form: DocumentForm, status: int = HTTPStatus.OK) -> Response:
    return _show_form(present_new_form(form, collection, is_live=htmx.fragment), collection, status)


def _show_edit(form: DocumentForm, loaded: LoadedDocument, status: int = HTTPStatus.OK) -> Response:
    part = present_form(form, loaded, _element_id(), is_live=htmx.fragment)
    return _show_form(part, loaded.collection, status)


def _show_conflict(form: DocumentForm, loaded: LoadedDocument) -> Response:
    """Both versions: saved again, what stands in the form takes the place of what is stored now."""
    form.form["digest"].data = loaded.digest.hex()
    conflict = present_conflict(form, loaded.collection, loaded.document if loaded.digest else None)
    part = present_form(form, loaded, _element_id(), conflict=conflict, is_live=htmx.fragment)
    return _show_form(part, loaded.collection, HTTPStatus.CONFLICT)


def _show_form(part: EditFragment, collection: Collection, status: int) -> Response:
    if part.is_live:
        return _show(part, status)
    return _show(present_edit_page(part, collection), status)


def _show(context: Context, status: int = HTTPStatus.OK, *, event: str | None = None) -> Response:
    body = render(context)
    if not htmx:
        answer = make_response(body, status)
    elif status == HTTPStatus.OK:
        answer = respond(body, status, trigger=event)
    else:
        # A refusal that is a form takes the form's place.
        answer = respond(body, status, retarget=f"#{_element_id()}", reswap="outerHTML")
    answer.headers["Cache-Control"] = "no-store"
    return answer
