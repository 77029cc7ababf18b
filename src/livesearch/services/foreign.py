"""Foreign rows: what other programs wrote through plain SQL is judged, given its place and indexed.

Nothing about such a row is sure. What can be indexed is; the others are put aside, with a line in the log, until
somebody changes them.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, Document, Field, FieldType, Role
from livesearch.errors import SourceError
from livesearch.ingest.source import tidy_name
from livesearch.search.values import texts
from livesearch.services import in_place
from livesearch.services.entering import Entry, document_enterer
from livesearch.services.writing import Change, first_number, index_changes
from livesearch.store.collections import find_collection, set_fields
from livesearch.store.documents import decode, delete_documents
from livesearch.store.foreign import (
    ForeignRow,
    Note,
    Placement,
    delete_notes,
    load_notes,
    lock_indexed_rows,
    lock_rows,
    noted_numbers,
    place_rows,
    refuse_rows,
)

log = structlog.stdlib.get_logger("livesearch.foreign")

# Rows indexed at once: some tenths of a second, and some megabytes.
ROW_COUNT = 500
# Rows of one transaction that are named in the log; of the others it tells the number.
_NAMED_COUNT = 10


async def index_noted(conn: AsyncConnection, collection: Collection, limit: int) -> bool:
    """Index some rows that other programs wrote.

    Args:
        collection: Locked by this transaction.
        limit: Rows at most.

    Returns:
        Whether there was something to do that could be done now.
    """
    if collection.is_following and await in_place.take_over(conn, collection, limit):
        return True
    numbers = await noted_numbers(conn, collection.id, limit)
    rows, busy = await lock_rows(conn, collection.id, numbers)
    notes = await load_notes(conn, collection.id, [number for number in numbers if number not in busy])
    if not notes:
        return False
    batch = await asyncio.to_thread(_judged, collection, rows, notes)
    _log_faults(collection, batch)
    others, contested = await lock_indexed_rows(conn, collection.id, batch.winners)
    batch.leave(contested)
    notes = [note for note in notes if note.number not in batch.left]
    plan = _Plan(collection, collection.next_number)
    plan.make(batch, [row for row in others if row.number not in batch.olds])
    if batch.late:
        collection = await set_fields(conn, collection, (*collection.fields, *_late_fields(batch.late)))
    await _carry_out(conn, collection, plan)
    await delete_notes(conn, notes)
    return bool(notes)


async def index_all_noted(conn: AsyncConnection, collection: Collection) -> Collection:
    """Index every row that other programs wrote, in a transaction that has locked the collection; gives it anew."""
    while collection.has_foreign_changes and await index_noted(conn, collection, ROW_COUNT):
        found = await find_collection(conn, collection.name)
        assert found is not None  # noqa: S101  # it is locked
        collection = found
    return collection


async def refuse_noted(conn: AsyncConnection, collection: Collection, reason: str) -> None:
    """Put the first noted row aside, whatever it holds: indexing it has failed."""
    if await in_place.refuse_first(conn, collection, reason):
        return
    numbers = await noted_numbers(conn, collection.id, 1)
    rows, _ = await lock_rows(conn, collection.id, numbers)
    notes = await load_notes(conn, collection.id, list(rows))
    olds = [Change(note.number, _old(note, collection), None) for note in notes if note.body is not None]
    for row in rows.values():
        log.error("foreign row not indexed", collection=collection.name, key=row.key, reason=reason)
    for change in olds:
        await index_changes(conn, collection, [change], next_number=collection.next_number)
    await refuse_rows(conn, collection.id, _asides(rows))
    await delete_notes(conn, notes)


@dataclass(slots=True)
class _Batch:
    """Rows with what was found out about them.

    Attributes:
        olds: By number of the rows to look at, in the order of writing: the documents that the index has for it.
        rows: Those of them that are still there.
        entries: Those of them that can be indexed.
        faults: Why others cannot be.
        notices: Why what is indexed differs from what was written.
        winners: By key the last row written with it.
        late: Fields that the collection does not have, in the order of coming.
        left: Rows that are left for another time.
    """

    olds: dict[int, list[Document]]
    rows: dict[int, ForeignRow] = field(default_factory=dict)
    entries: dict[int, Entry] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    notices: dict[int, str] = field(default_factory=dict)
    winners: dict[str, int] = field(default_factory=dict)
    late: dict[str, None] = field(default_factory=dict)
    left: set[int] = field(default_factory=set)

    def leave(self, keys: set[str]) -> None:
        """Leave the rows of some keys for another time: who writes others of them may wait for us, and we for them."""
        self.left = {number for number, entry in self.entries.items() if entry.key in keys}
        for number in self.left:
            del self.olds[number], self.rows[number], self.entries[number]


def _judged(collection: Collection, rows: Mapping[int, ForeignRow], notes: Sequence[Note]) -> _Batch:
    olds: defaultdict[int, list[Document]] = defaultdict(list)
    for note in notes:
        found = olds.pop(note.number, [])
        olds[note.number] = found  # once more at the end: what counts is the last writing
        if note.body is not None:
            found.append(_old(note, collection))
    # A row that stands in the index already was indexed since it was noted.
    wanted = {number: found for number, found in olds.items() if found or not _is_indexed(rows.get(number))}
    batch = _Batch(wanted, {number: rows[number] for number in wanted if number in rows})
    enter, known = document_enterer(collection), {known.name for known in collection.fields}
    for number, row in batch.rows.items():
        try:
            key, document = _read(row, collection)
        except ValueError as error:
            batch.faults[number] = str(error)
            continue
        entry = enter(key, document)
        if isinstance(entry, str):
            batch.faults[number] = entry
            continue
        if key is not None and collection.key_field and texts(document.get(collection.key_field)) not in ([], [key]):
            batch.notices[number] = f"“{collection.key_field}” differs from the column key, which was taken."
        batch.entries[number] = entry
        batch.winners[entry.key] = number
        batch.late |= dict.fromkeys(name for name in entry.document if name not in known)
    return batch


def _old(note: Note | ForeignRow, collection: Collection) -> Document:
    """What the index has of a row: what was noted, or what stands there and is indexed."""
    return decode(note.body or b"", note.key or "", collection)


def _is_indexed(row: ForeignRow | None) -> bool:
    return row is not None and row.is_indexed


def _read(row: ForeignRow, collection: Collection) -> tuple[str | None, Document]:
    """Key and document of a row; no key where the row leaves it to the document.

    Raises:
        ValueError: There is no document in it; says why.
    """
    if row.key is None:
        raise ValueError("The column key holds no text.")
    try:
        document = orjson.loads(row.body)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"The column body holds no JSON: {error}.") from error
    if not isinstance(document, dict):
        raise ValueError("The column body holds JSON, but not an object.")  # noqa: TRY004  # a reason like the others
    for name in document.keys() - {known.name for known in collection.fields}:
        try:
            is_tidy = name and tidy_name(name) == name
        except SourceError as error:
            raise ValueError(str(error)) from error
        if not is_tidy:
            raise ValueError(f"The name {name!r} cannot be a field's.")
    if not row.key:
        return None, document
    return row.key, decode(row.body, row.key, collection)


def _log_faults(collection: Collection, batch: _Batch) -> None:
    told = {**batch.faults, **batch.notices}
    for number, reason in list(told.items())[:_NAMED_COUNT]:
        event = "foreign row not indexed" if number in batch.faults else "foreign row indexed otherwise"
        log.warning(event, collection=collection.name, key=batch.rows[number].key, reason=reason)
    if len(told) > _NAMED_COUNT:
        log.warning("more foreign rows like these", collection=collection.name, count=len(told) - _NAMED_COUNT)


def _late_fields(names: Iterable[str]) -> list[Field]:
    """Fields that no imported row had: kept, and never indexed, so that what is indexed stays whole."""
    reason = "first seen in a row that another program wrote"
    return [Field(name, FieldType.TEXT, Role.HIDDEN, reason=reason) for name in names]


@dataclass(slots=True)
class _Plan:
    """What is to be written.

    Attributes:
        removals: Documents that go out of the index before ``changes`` are made.
        deleted: Numbers of rows that others take the place of.
    """

    collection: Collection
    next_number: int
    removals: list[Change] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    deleted: list[int] = field(default_factory=list)
    refused: dict[int, ForeignRow] = field(default_factory=dict)

    def make(self, batch: _Batch, others: Sequence[ForeignRow]) -> None:
        """Give each row its place.

        Args:
            others: Rows with the same keys that are not of the batch.
        """
        rivals: defaultdict[str, list[ForeignRow]] = defaultdict(list)
        for row in others:
            rivals[row.key or ""].append(row)
        for number, olds in batch.olds.items():
            entry = batch.entries.get(number)
            if entry is not None and batch.winners[entry.key] == number:
                place = self._change if number >= 0 else self._add
                place(number, olds, entry, rivals[entry.key])
                continue
            self.removals += [Change(number, old, None) for old in olds]
            if entry is not None:
                self.deleted.append(number)
            elif number in batch.rows:
                self.refused[number] = batch.rows[number]

    def _change(self, number: int, olds: list[Document], entry: Entry, rivals: Iterable[ForeignRow]) -> None:
        """A row that had its place before; what else has its key goes."""
        if len(olds) == 1:
            self.changes.append(Change(number, olds[0], entry.document))
        else:
            self.removals += [Change(number, old, None) for old in olds]
            self.changes.append(Change(number, None, entry.document))
        self.placements.append(Placement(number, number, entry.key, entry.body, entry.digest))
        self._remove(rivals)

    def _add(self, number: int, _olds: list[Document], entry: Entry, rivals: Iterable[ForeignRow]) -> None:
        """A new row; what has its key already is changed to it, so that inserting is a way to change."""
        target = next((row for row in rivals if row.is_indexed), None)
        self._remove(row for row in rivals if row is not target)
        if target is not None:
            self.changes.append(Change(target.number, _old(target, self.collection), entry.document))
            self.placements.append(Placement(target.number, target.number, entry.key, entry.body, entry.digest))
            self.deleted.append(number)
            return
        if self.next_number == self.collection.next_number:
            self.next_number = first_number(self.collection)
        self.changes.append(Change(self.next_number, None, entry.document))
        self.placements.append(Placement(number, self.next_number, entry.key, entry.body, entry.digest))
        self.next_number += 1

    def _remove(self, rows: Iterable[ForeignRow]) -> None:
        for row in rows:
            self.deleted.append(row.number)
            if row.is_indexed:  # others have notes, which will take them out
                self.removals.append(Change(row.number, _old(row, self.collection), None))


async def _carry_out(conn: AsyncConnection, collection: Collection, plan: _Plan) -> None:
    for changes in (plan.removals, plan.changes):
        if changes:
            await index_changes(conn, collection, changes, next_number=plan.next_number)
    await delete_documents(conn, collection.id, plan.deleted)
    await place_rows(conn, collection.id, plan.placements)
    await refuse_rows(conn, collection.id, _asides(plan.refused))


def _asides(rows: Mapping[int, ForeignRow]) -> list[tuple[int, int]]:
    """A place below 0 for each row."""
    return [(number, number if number < 0 else -1 - secrets.randbits(62)) for number in rows]
