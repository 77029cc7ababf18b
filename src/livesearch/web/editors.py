"""What pages show to those who may edit, beside what everybody sees."""

from typing import cast

from flask import flash, get_flashed_messages

from livesearch.domain import Collection, ResultPage, Scope
from livesearch.web.actors import current_actor, current_viewer
from livesearch.web.addresses import this_address
from livesearch.web.contexts import ChangeNotice, DocumentEditing, ResultsEditing
from livesearch.web.detection import htmx
from livesearch.web.presenters.addresses import address_of
from livesearch.web.presenters.editing import present_document_editing, present_results_editing
from livesearch.web.registry import current_services

# The category of flashed messages that tell of a change; its number follows.
_CHANGE = "change:"


def may_edit(collection: Collection) -> bool:
    """Whether whoever asks can change documents of a collection on its pages; visitors, who are most, never."""
    actor = current_actor()
    if actor.user is None or collection.source_table is not None:
        return False
    return current_services().policy.permits(actor, Scope.EDIT, collection.name)


def leave_notice(notice: ChangeNotice) -> None:
    """Have the next page say what was changed."""
    flash(notice.text, f"{_CHANGE}{notice.change_id} {notice.url}")


def take_notice(collection: Collection) -> ChangeNotice | None:
    """What the page before has changed; only for those who may edit, whose pages are their own."""
    told = cast("list[tuple[str, str]]", get_flashed_messages(with_categories=True))
    # The last one: a page that was left at once has not told of the one before.
    for category, text in reversed(told):
        if category.startswith(_CHANGE):
            change_id, _, url = category.removeprefix(_CHANGE).partition(" ")
            undo_url = address_of("editing.undo", name=collection.name)
            return ChangeNotice(text, url, undo_url, int(change_id))
    return None


async def document_editing(
    collection: Collection, key: str, notice: ChangeNotice | None = None
) -> DocumentEditing | None:
    """What whoever asks can do with a document, and what was done to it; None for those who may not edit."""
    if not may_edit(collection):
        return None
    services, viewer = current_services(), current_viewer()
    loaded = await services.documents.load(collection.name, key, viewer=viewer)
    history = await services.editing.history(collection.name, key, viewer=viewer)
    if notice is None and not htmx:
        notice = take_notice(collection)
    return present_document_editing(loaded, history, notice, this_address())


def results_editing(page: ResultPage) -> ResultsEditing | None:
    """What whoever asks can do on a page of results; None for those who may not edit."""
    if not may_edit(page.collection):
        return None
    return present_results_editing(page, None if htmx else take_notice(page.collection))
