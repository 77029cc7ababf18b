"""What became of documents, and how to take it back."""

import time
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import ANYBODY, Collection, Document, DocumentChange, Viewer, VisibilityRule
from livesearch.errors import ConflictError, NotFoundError
from livesearch.search.visibility import may_see
from livesearch.services.documents import remove_document, write_documents
from livesearch.services.entering import Entry, document_enterer
from livesearch.services.in_place import refuse_write
from livesearch.services.opening import open_collection, write_collection
from livesearch.services.transactions import Transactions
from livesearch.store.audit import Edit, find_change, load_changes, record_edits
from livesearch.store.documents import StoredDocument, digest_of, encode, lock_documents

# Changes of one document that are shown.
_SHOWN_COUNT = 50


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that was taken back.

    Attributes:
        before: The document until then; None where it was not there.
        after: As it was before the change, and is again; None where it is gone again.
        change_id: The number, in the audit trail, of taking it back; which can be taken back, too.
    """

    collection: Collection
    key: str
    before: Document | None
    after: Document | None
    change_id: int


class EditingService:
    """Tells the changes of documents, and takes back the last one."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def history(self, name: str, key: str, *, viewer: Viewer = ANYBODY) -> tuple[DocumentChange, ...]:
        """The last changes of a document, newest first; not those of what the viewer could not see.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with open_collection(self._transactions, name) as (conn, collection):
            found = await load_changes(conn, collection.id, key, limit=_SHOWN_COUNT)
        return tuple(change for change in found if _may_see(collection.settings.visibility, viewer, change))

    async def undo(self, name: str, change_id: int, *, viewer: Viewer = ANYBODY, who: str = "") -> Undone:
        """Take back a change, as long as it is the last one of its document.

        Args:
            who: For the audit trail.

        Raises:
            CollectionNotFoundError: No collection has the name.
            NotFoundError: There is no such change, or none that the viewer may see.
            ConflictError: The document has changed since, or is the row of a table.
        """
        async with write_collection(self._transactions, name) as (conn, collection):
            refuse_write(collection)
            change = await find_change(conn, collection.id, change_id)
            if change is None or not _may_see(collection.settings.visibility, viewer, change):
                raise NotFoundError(f"There is no change {change_id} in “{name}”.")
            stored = (await lock_documents(conn, collection, [change.key])).get(change.key)
            if (stored.digest if stored else None) != _digest(change.after):
                raise ConflictError(
                    f"“{change.key}” was changed again meanwhile, and stays as it is. Look at it again."
                )
            await _write(conn, collection, change, stored)
            edit = Edit(change.key, change.after, change.before)
            (number,) = await record_edits(conn, collection.id, [edit], who=who, at=time.time())
        return Undone(collection, change.key, change.after, change.before, number)


def _may_see(rule: VisibilityRule, viewer: Viewer, change: DocumentChange) -> bool:
    return all(may_see(rule, viewer, document) for document in (change.before, change.after) if document is not None)


def _digest(document: Document | None) -> bytes | None:
    return None if document is None else digest_of(encode(document))


async def _write(
    conn: AsyncConnection, collection: Collection, change: DocumentChange, stored: StoredDocument | None
) -> None:
    """Make the document what it was."""
    if change.before is not None:
        entry = document_enterer(collection)(change.key, change.before)
        # The fields may mean something else by now.
        if not isinstance(entry, Entry):
            raise ConflictError(f"“{change.key}” cannot be what it was any more. {entry}")
        await write_documents(conn, collection, {change.key: entry}, {change.key: stored} if stored else {})
    elif stored is not None:
        await remove_document(conn, collection, stored, change.key)
