"""Collections that follow a table of the store's own database: its rows are the documents, and the table is the truth.

Triggers on the table note the keys of the rows that are written (`store.in_place`). Whoever looks at the collection
next reads these rows and makes the documents equal to them; it does not matter how often, or in which order. Both here
and in an import a row is written as JSON by the server and made a document by the same functions.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, Field, FieldType, Role, Row
from livesearch.errors import ConflictError
from livesearch.ingest.postgres_rows import RowMaker
from livesearch.ingest.postgres_table import ROW_SETTINGS, Fetch, Table, key_text, load_table
from livesearch.services.entering import Entry, enterer
from livesearch.services.transactions import Transactions
from livesearch.services.writing import Change, first_number, index_changes
from livesearch.store import in_place as store
from livesearch.store.collections import lock_collection, set_fields
from livesearch.store.documents import StoredDocument, delete_documents, lock_documents, put_documents
from livesearch.store.journal import mark_gap

log = structlog.stdlib.get_logger("livesearch.in_place")

# Rows of one transaction when all are compared.
_ROW_COUNT = 2000
# Rows of one transaction that are named in the log; of the others it tells the number.
_NAMED_COUNT = 10


@dataclass(slots=True)
class Taken:
    """What taking over changes did, in documents."""

    accepted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0


def refuse_write(collection: Collection) -> None:
    """Let nobody write documents that are the rows of a table.

    Raises:
        ConflictError: They are.
    """
    if collection.source_table is not None:
        raise ConflictError(
            f"The documents of “{collection.name}” are the rows of the table {collection.source_table}. Change the row"
            " there: the next search finds it."
        )


async def compare_all(transactions: Transactions, name: str) -> Taken:
    """Make every document what its row says, whatever the triggers have noted.

    Raises:
        ConflictError: The collection is gone, or follows no table any more.
    """
    async with transactions.write() as conn:
        collection = await lock_collection(conn, name)
        table = await _table(conn, collection) if collection and collection.is_following else None
        if collection is None or table is None:
            raise ConflictError(f"“{name}” does not follow its table any more. Look at it with livesearch show {name}.")
        await store.forget_all(conn, collection.id)  # what they speak of is compared as well
        names = {"rows": table.quoted, "key_text": key_text(collection.key_field or "")}
        await store.note_lost(conn, collection.id, **names)
        await store.note_rows(conn, collection.id, **names)
    return await take_all(transactions, name)


async def take_all(transactions: Transactions, name: str) -> Taken:
    """Take over all that has been noted by now."""
    taken, last = Taken(), None
    while True:
        async with transactions.write() as conn:
            collection = await lock_collection(conn, name)
            if collection is None or not collection.is_following:
                return taken
            if last is None:
                last = await store.last_noted(conn, collection.id)
            notes = await store.noted(conn, collection.id, _ROW_COUNT)
            if any(note.key is None for note in notes):
                last = None  # what it stands for is noted now
            elif not notes or notes[0].id > last:
                return taken
            await _take(conn, collection, notes, taken)


async def take_over(conn: AsyncConnection, collection: Collection, limit: int) -> bool:
    """Take over some rows that were written.

    Args:
        collection: Locked by this transaction, and following.
        limit: Rows at most.

    Returns:
        Whether there was something to do.
    """
    notes = await store.noted(conn, collection.id, limit)
    if notes:
        await _take(conn, collection, notes, Taken())
    return bool(notes)


async def refuse_first(conn: AsyncConnection, collection: Collection, reason: str) -> bool:
    """Leave a row as the index has it: taking it over has failed; says whether there was one."""
    notes = await store.noted(conn, collection.id, 1) if collection.is_following else []
    for note in notes:
        log.error("row not taken over", collection=collection.name, key=note.key, reason=reason)
    await store.forget(conn, notes) if notes else None
    return bool(notes)


async def state_of(conn: AsyncConnection, collection: Collection) -> str | None:
    """How a collection stands to its table, in words; None for one that follows none, or follows as it should."""
    if collection.source_table is None:
        return None
    label = collection.source_table
    oid = await store.followed_table(conn, collection.id)
    if oid is None:
        return (
            f"its table {label} is gone, or was disconnected; the documents stay as they were. Import it again, or drop"
            f" the collection: livesearch drop {collection.name}"
        )
    table = await _table(conn, collection)
    if table is None:
        return (
            f"the key “{collection.key_field}” of its table {label} is gone, or of another type; the documents stay as"
            " they were. Import it again with --replace."
        )
    if table.has_kin:
        return f"its table {label} has become one of several that inherit, whose writes are not all seen."
    if not collection.is_following:
        return f"its table {label} has not been read to the end. Import it again."
    return None


async def current_label(conn: AsyncConnection, collection: Collection) -> str | None:
    """The table's name as it now is; the one it had where it is gone; None for a collection that follows none."""
    if collection.source_table is None:
        return None
    table = await _table(conn, collection)
    return table.label if table else collection.source_table


async def _take(conn: AsyncConnection, collection: Collection, notes: Sequence[store.Noted], taken: Taken) -> None:
    keys = list(dict.fromkeys(note.key for note in notes if note.key is not None))
    markers = [note for note in notes if note.key is None]
    oid = await store.followed_table(conn, collection.id)
    try:
        async with store.reading_rows(conn, ROW_SETTINGS) as fetch:
            table = await _loaded_table(fetch, oid, collection)
            statement = table.select_keys(collection.key_field or "") if table and not markers else None
            rows = await fetch(statement, keys) if statement else ()
    except store.TableGoneError:
        table = None
    if table is None:
        await _give_up(conn, collection)
    elif markers:
        await _take_markers(conn, collection, table, taken)
        await store.forget(conn, markers)
    else:
        made = await asyncio.to_thread(_made, collection, rows)
        await _write(conn, collection, keys, made, taken)
        await store.forget(conn, notes)


async def _take_markers(conn: AsyncConnection, collection: Collection, table: Table, taken: Taken) -> None:
    """Have the documents go whose rows are gone: all at once, or as their keys are noted."""
    if await store.is_empty(conn, table.quoted):
        taken.removed += collection.document_count
        version = await store.empty_collection(conn, collection.id)
        await mark_gap(conn, collection.id, version, at=time.time())
    else:
        key = key_text(collection.key_field or "")
        await store.note_lost(conn, collection.id, rows=table.quoted, key_text=key)


async def _give_up(conn: AsyncConnection, collection: Collection) -> None:
    reason = "the table, its triggers or its key are gone"
    log.warning("table not followed any more", collection=collection.name, table=collection.source_table, reason=reason)
    await store.mark(conn, collection.id, table=None, is_following=False)


async def _table(conn: AsyncConnection, collection: Collection) -> Table | None:
    """The table as it now is; None where it is gone, or has its key no more."""
    oid = await store.followed_table(conn, collection.id)
    async with store.reading_rows(conn, ROW_SETTINGS) as fetch:
        return await _loaded_table(fetch, oid, collection)


async def _loaded_table(fetch: Fetch, oid: int | None, collection: Collection) -> Table | None:
    table = await load_table(fetch, oid) if oid is not None else None
    column = table.column(collection.key_field or "") if table else None
    return table if column and column.can_be_key else None


@dataclass(slots=True)
class _Made:
    """Rows as documents, by key, and why others are none."""

    entries: dict[str, Entry] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def _made(collection: Collection, rows: Iterable[Any]) -> _Made:  # Any: text, size and key of each
    maker, enter, made = RowMaker(collection.key_field), enterer(collection), _Made()
    for text, size, key in rows:
        row = maker.row(0, text, size)
        entry = enter(row) if isinstance(row, Row) else row
        if isinstance(entry, Entry):
            made.entries[entry.key] = entry
        else:
            made.faults[key] = entry.reason
    return made


async def _write(conn: AsyncConnection, collection: Collection, keys: Sequence[str], made: _Made, taken: Taken) -> None:
    """Make the documents of some keys what was made of their rows; those without go."""
    _log_faults(collection, made.faults)
    collection = await _with_late_fields(conn, collection, made.entries)
    stored = await lock_documents(conn, collection, keys)
    new = [key for key in made.entries if key not in stored]
    changed = [key for key, entry in made.entries.items() if key in stored and stored[key].digest != entry.digest]
    gone = [key for key in stored if key not in made.entries]
    taken.accepted += len(new)
    taken.updated += len(changed)
    taken.removed += len(gone)
    taken.rejected += len(made.faults)
    taken.unchanged += len(made.entries) - len(new) - len(changed)
    first = first_number(collection) if new else collection.next_number
    numbers = {key: stored[key].number for key in changed} | {key: first + place for place, key in enumerate(new)}
    changes = [
        *(Change(numbers[key], _before(stored, key), made.entries[key].document) for key in numbers),
        *(Change(stored[key].number, stored[key].document, None) for key in gone),
    ]
    if not changes:
        return
    rows = [(numbers[key], key, made.entries[key].body, made.entries[key].digest) for key in numbers]
    await put_documents(conn, collection.id, rows)
    await delete_documents(conn, collection.id, [stored[key].number for key in gone])
    await index_changes(conn, collection, changes, next_number=first + len(new))


def _before(stored: Mapping[str, StoredDocument], key: str) -> dict[str, Any] | None:  # Any: JSON values
    return dict(stored[key].document) if key in stored else None


async def _with_late_fields(conn: AsyncConnection, collection: Collection, entries: Mapping[str, Entry]) -> Collection:
    """The collection with the fields it does not have: kept, and never indexed, so that what is indexed stays whole."""
    known = {known.name for known in collection.fields}
    late = dict.fromkeys(name for entry in entries.values() for name in entry.document if name not in known)
    if not late:
        return collection
    reason = f"first seen in a row that was written after {collection.source_table} was read"
    fields = [Field(name, FieldType.TEXT, Role.HIDDEN, reason=reason) for name in late]
    return await set_fields(conn, collection, (*collection.fields, *fields))


def _log_faults(collection: Collection, faults: Mapping[str, str]) -> None:
    for key, reason in list(faults.items())[:_NAMED_COUNT]:
        log.warning("row not indexed", collection=collection.name, key=key, reason=reason)
    if len(faults) > _NAMED_COUNT:
        log.warning("more rows like these", collection=collection.name, count=len(faults) - _NAMED_COUNT)
