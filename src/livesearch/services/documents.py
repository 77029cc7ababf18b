"""Documents: looked up, put and deleted, each with its index in one transaction."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import ANYBODY, Collection, Document, Viewer
from livesearch.errors import ConflictError, DocumentNotFoundError, InvalidInputError
from livesearch.search.values import texts
from livesearch.search.visibility import may_see
from livesearch.services.entering import Entry, document_enterer
from livesearch.services.in_place import refuse_write
from livesearch.services.opening import open_collection, write_collection
from livesearch.services.sights import seen_by
from livesearch.services.transactions import Transactions
from livesearch.services.writing import Change, first_number, index_changes
from livesearch.store.audit import Edit, record_edits
from livesearch.store.documents import (
    StoredDocument,
    delete_documents,
    find_document,
    find_stored,
    lock_documents,
    put_documents,
)

# Documents of one call: a transaction of some tenths of a second, for which other writers wait.
MAX_DOCUMENT_COUNT = 1000


class Outcome(StrEnum):
    """What putting a document did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Written:
    """A document that was put.

    Attributes:
        digest: Tells its content from any other; what ``expected_digest`` is compared with.
        version: The collection's, with the document.
        change_id: Its number in the audit trail; None where nothing was changed.
    """

    key: str
    outcome: Outcome
    digest: bytes
    version: int
    change_id: int | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """A document that was removed.

    Attributes:
        version: The collection's, without it.
        change_id: Its number in the audit trail.
    """

    key: str
    document: Document
    version: int
    change_id: int


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """A document that is to be changed.

    Attributes:
        digest: Tells its content from any other.
    """

    collection: Collection
    key: str
    document: Document
    digest: bytes


class DocumentService:
    """Looks documents up and writes them."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def get(self, name: str, key: str, *, viewer: Viewer = ANYBODY) -> tuple[Collection, Document]:
        """A document and the collection it stands in.

        Raises:
            CollectionNotFoundError: No collection has the name.
            DocumentNotFoundError: No document that the viewer may see has the key.
        """
        async with open_collection(self._transactions, name) as (conn, collection):
            document = await find_document(conn, collection, key)
            seen = await seen_by(conn, collection, viewer)
        if document is None or not may_see(collection.settings.visibility, viewer, document):
            raise DocumentNotFoundError(name, key)
        return seen, document

    async def load(self, name: str, key: str, *, viewer: Viewer = ANYBODY) -> LoadedDocument:
        """A document with the digest that ``put`` and ``delete`` expect, as one snapshot has them.

        Raises:
            CollectionNotFoundError: No collection has the name.
            DocumentNotFoundError: No document that the viewer may see has the key.
        """
        async with open_collection(self._transactions, name) as (conn, collection):
            document = await find_document(conn, collection, key)
            stored = await find_stored(conn, collection.id, [key])
        if document is None or key not in stored or not may_see(collection.settings.visibility, viewer, document):
            raise DocumentNotFoundError(name, key)
        return LoadedDocument(collection, key, document, stored[key][1])

    async def put(
        self,
        name: str,
        key: str | None,
        document: Document,
        *,
        viewer: Viewer = ANYBODY,
        expected_digest: bytes | None = None,
        who: str = "",
    ) -> Written:
        """Create a document, or change it to what is given; the very next search finds it.

        Args:
            key: None takes the key from the document; where rows are told apart by content, a hash of it.
            expected_digest: Write only if the stored document has this digest; empty: only if there is none.
            who: For the audit trail.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: The document has a field that the collection does not know, no key or another one than
                the one given, or a value that is too long; or the viewer could not see it.
            ConflictError: The stored document is not the expected one, or the viewer may not see it.
        """
        expected = {} if expected_digest is None else {0: expected_digest}
        return (await self._put(name, [(key, document)], expected, viewer, who))[0]

    async def put_many(
        self,
        name: str,
        documents: Sequence[tuple[str | None, Document]],
        *,
        viewer: Viewer = ANYBODY,
        who: str = "",
    ) -> tuple[Written, ...]:
        """Put documents, given with their keys as for ``put``: all of them or, when one cannot be taken, none.

        Of several with one key the last is stored; what is said of the others is what they did on the way.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: There are more than 1,000 documents, or one cannot be taken; the message says which.
        """
        if len(documents) > MAX_DOCUMENT_COUNT:
            raise InvalidInputError(
                f"{len(documents):,} documents are too many at once; {MAX_DOCUMENT_COUNT:,} at most. Put them in parts,"
                " or import them."
            )
        return await self._put(name, documents, {}, viewer, who)

    async def _put(
        self,
        name: str,
        documents: Sequence[tuple[str | None, Document]],
        expected: Mapping[int, bytes],
        viewer: Viewer,
        who: str,
    ) -> tuple[Written, ...]:
        async with write_collection(self._transactions, name) as (conn, collection):
            refuse_write(collection)
            entries = _entries(collection, documents)
            stored = await lock_documents(conn, collection, [entry.key for entry in entries])
            _require_visible(collection, viewer, entries, stored)
            for place, digest in expected.items():
                _require_digest(name, entries[place].key, stored, digest)
            outcomes, latest = _outcomes(entries, stored)
            changed = {key: entry for key, entry in latest.items() if _digest(stored, key) != entry.digest}
            version = await write_documents(conn, collection, changed, stored) if changed else collection.version
            edits = [Edit(key, _before(stored, key), entry.document) for key, entry in changed.items()]
            numbers = await record_edits(conn, collection.id, edits, who=who, at=time.time())
        ids = dict(zip(changed, numbers, strict=True))
        return tuple(
            Written(entry.key, outcome, entry.digest, version, ids.get(entry.key))
            for entry, outcome in zip(entries, outcomes, strict=True)
        )

    async def delete(
        self, name: str, key: str, *, viewer: Viewer = ANYBODY, expected_digest: bytes | None = None, who: str = ""
    ) -> Deleted:
        """Remove a document; the very next search does not find it.

        Args:
            expected_digest: Remove it only if the stored document has this digest.
            who: For the audit trail.

        Raises:
            CollectionNotFoundError: No collection has the name.
            DocumentNotFoundError: No document that the viewer may see has the key.
            ConflictError: The stored document does not have the expected digest.
        """
        async with write_collection(self._transactions, name) as (conn, collection):
            refuse_write(collection)
            stored = await lock_documents(conn, collection, [key])
            if key not in stored or not may_see(collection.settings.visibility, viewer, stored[key].document):
                raise DocumentNotFoundError(name, key)
            if expected_digest is not None:
                _require_digest(name, key, stored, expected_digest)
            before = stored[key].document
            version = await remove_document(conn, collection, stored[key], key)
            (number,) = await record_edits(conn, collection.id, [Edit(key, before, None)], who=who, at=time.time())
            return Deleted(key, before, version, number)


async def remove_document(conn: AsyncConnection, collection: Collection, stored: StoredDocument, key: str) -> int:
    """Remove a document that is locked, and its index; gives the collection's version without it."""
    await delete_documents(conn, collection.id, [stored.number])
    change = Change(stored.number, stored.document, None, key)
    return await index_changes(conn, collection, [change], next_number=collection.next_number)


def _entries(collection: Collection, documents: Sequence[tuple[str | None, Document]]) -> list[Entry]:
    """The documents as they will be stored.

    Raises:
        InvalidInputError: One of them cannot be taken.
    """
    enter, known = document_enterer(collection), {field.name for field in collection.fields}
    entries: list[Entry] = []
    for place, (key, document) in enumerate(documents, start=1):
        fault = _fault(collection, known, key, document)
        entry = fault or enter(key, document)
        if isinstance(entry, Entry) and key is not None and entry.key != key:
            entry = f"The key is “{key}”, but “{collection.key_field}” would be “{entry.key}”."
        if isinstance(entry, str):
            raise InvalidInputError(entry if len(documents) == 1 else f"Document {place} of {len(documents)}: {entry}")
        entries.append(entry)
    return entries


def _fault(collection: Collection, known: set[str], key: str | None, document: Document) -> str | None:
    unknown = next((name for name in document if name not in known), None)
    if unknown is not None:
        return (
            f"“{collection.name}” has no field “{unknown}”. Its fields: {', '.join(sorted(known))}."
            " An import brings new ones."
        )
    said = texts(document.get(collection.key_field)) if collection.key_field else []
    if key is not None and said not in ([], [key]):
        return f"The key is “{key}”, but “{collection.key_field}” says “{', '.join(said)}”."
    return None


def _require_visible(
    collection: Collection, viewer: Viewer, entries: Sequence[Entry], stored: Mapping[str, StoredDocument]
) -> None:
    """Let nobody write over what they may not see, or write what they could not see."""
    rule = collection.settings.visibility
    for entry in entries:
        before = stored.get(entry.key)
        if before and not may_see(rule, viewer, before.document):
            raise ConflictError(f"“{entry.key}” cannot be used as a key in “{collection.name}”. Choose another one.")
        if not may_see(rule, viewer, entry.document):
            raise InvalidInputError(
                f"You could not see “{entry.key}” yourself: “{rule.field}” must name you or a group of yours."
                if rule.field
                else f"You may not see the rows of “{collection.name}”, so you cannot write any."
            )


def _before(stored: Mapping[str, StoredDocument], key: str) -> Document | None:
    return stored[key].document if key in stored else None


def _digest(stored: Mapping[str, StoredDocument], key: str) -> bytes:
    """The digest of a stored document; empty where there is none."""
    return stored[key].digest if key in stored else b""


def _require_digest(name: str, key: str, stored: Mapping[str, StoredDocument], expected: bytes) -> None:
    found = _digest(stored, key)
    if found == expected:
        return
    if not expected:
        raise ConflictError(f"There is a document “{key}” in “{name}” already.")
    was = "was changed by somebody else" if found else "is gone"
    raise ConflictError(f"The document “{key}” in “{name}” {was} meanwhile. Look at it again.")


def _outcomes(entries: Sequence[Entry], stored: Mapping[str, StoredDocument]) -> tuple[list[Outcome], dict[str, Entry]]:
    """What each entry does, and by key the last of them."""
    digests = {key: found.digest for key, found in stored.items()}
    latest: dict[str, Entry] = {}
    outcomes: list[Outcome] = []
    for entry in entries:
        before = digests.get(entry.key)
        changes = Outcome.CREATED if before is None else Outcome.UPDATED
        outcomes.append(Outcome.UNCHANGED if before == entry.digest else changes)
        digests[entry.key] = entry.digest
        latest[entry.key] = entry
    return outcomes, latest


async def write_documents(
    conn: AsyncConnection,
    collection: Collection,
    entries: Mapping[str, Entry],
    stored: Mapping[str, StoredDocument],
) -> int:
    """Write documents that are new or differ from what is stored, and their index."""
    is_growing = any(key not in stored for key in entries)
    next_number = first_number(collection) if is_growing else collection.next_number
    changes: list[Change] = []
    for key, entry in entries.items():
        if key in stored:
            changes.append(Change(stored[key].number, stored[key].document, entry.document, key))
        else:
            changes.append(Change(next_number, None, entry.document))
            next_number += 1
    rows = zip(changes, entries.values(), strict=True)
    await put_documents(
        conn, collection.id, [(change.number, entry.key, entry.body, entry.digest) for change, entry in rows]
    )
    return await index_changes(conn, collection, changes, next_number=next_number)
