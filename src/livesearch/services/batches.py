"""Batches: rows on their way into a collection, many in one transaction."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Self
from zlib import crc32

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS, NUMERIC_ROLES, Collection, Field, FieldType, Reject, Role, Row
from livesearch.errors import ConflictError
from livesearch.ingest import number_of
from livesearch.search.indexer import ChangedBody
from livesearch.search.indexing import ValuesBatch
from livesearch.services.entering import Entry, enterer
from livesearch.services.foreign import index_all_noted
from livesearch.services.indexing import Indexing
from livesearch.services.opening import index_foreign
from livesearch.services.transactions import Transactions
from livesearch.services.worker import Worker
from livesearch.store.chunks import changed_chunks
from livesearch.store.collections import advance_collection, find_collection, lock_collection, set_fields
from livesearch.store.doc_values import put_values
from livesearch.store.documents import decode, find_stored, load_bodies, put_documents
from livesearch.store.imports import ImportRecord, save_progress
from livesearch.store.journal import KEPT_SIZE, Former, write_entry
from livesearch.store.postings import IndexDelta, apply_changes
from livesearch.store.vocabulary import apply_frequencies

# Rows read and analysed at once: a tenth of a second of work, and some 10 MB of documents.
ROW_COUNT = 2048
# Bytes of documents read and analysed at once.
ROWS_SIZE = 8_000_000
# Bytes of documents in one transaction; an import also ends a transaction where a chunk is full.
BYTE_COUNT = 32_000_000

CHUNK_SIZE = 1 << CHUNK_BITS


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows read but not yet stored. Empty, it is false: the source has come to its end.

    Attributes:
        late: Fields that the collection does not have, and the line where each was first seen.
    """

    entries: list[Entry] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    late: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.entries) + len(self.rejects)

    @classmethod
    def read(cls, source: Iterator[Row | Reject], collection: Collection, limit: int) -> Self:
        """Take the next rows of a source, ``limit`` at most; blocks while it reads."""
        rows = cls()
        enter = enterer(collection)
        known = {f.name for f in collection.fields}
        size = 0
        for row in islice(source, limit):
            found = enter(row) if isinstance(row, Row) else row
            if isinstance(found, Reject):
                rows.rejects.append(found)
                continue
            rows.entries.append(found)
            if not found.document.keys() <= known:
                for name in found.document.keys() - known - rows.late.keys():
                    rows.late[name] = row.line
            size += len(found.body)
            if size >= ROWS_SIZE:
                break
        return rows


@dataclass(slots=True)
class Batch:
    """What one transaction will write, made against one version of the collection.

    Attributes:
        documents: By number: key, body and digest.
        pending: By key, what the batch itself has done: number and digest.
        late: Fields that the collection does not have, and the line where each was first seen.
        before: By number, key and body of documents that were changed, for the journal; None once they are too many.
    """

    collection: Collection
    next_number: int
    documents: dict[int, tuple[str, bytes, bytes]] = field(default_factory=dict)
    values: ValuesBatch = field(default_factory=ValuesBatch)
    pending: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)
    before: dict[int, tuple[str, bytes]] | None = field(default_factory=dict)
    before_size: int = 0
    size: int = 0
    accepted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    @property
    def row_count(self) -> int:
        """Rows taken in, rejected ones included."""
        return self.accepted + self.updated + self.unchanged + self.rejected

    def keep_before(self, number: int, key: str, body: bytes) -> None:
        """Keep what a document was, as long as there are few."""
        self.before_size += len(body)
        if self.before_size > KEPT_SIZE:
            self.before = None
        elif self.before is not None:
            self.before.setdefault(number, (key, body))

    @property
    def room(self) -> int:
        """Rows that still fit; 0 when a chunk is full or enough bytes are together."""
        if self.size >= BYTE_COUNT:
            return 0
        if self.next_number > self.collection.next_number and self.next_number % CHUNK_SIZE == 0:
            return 0
        return CHUNK_SIZE - self.next_number % CHUNK_SIZE


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the store has of some rows: number and digest by key, and the bodies of those that differ."""

    numbers: Mapping[str, tuple[int, bytes]]
    bodies: Mapping[str, bytes]


class BatchWriter:
    """Puts rows into batches and writes them, each with its index and the import's place in one transaction.

    Attributes:
        collection: As it was when the import began, with the fields that came late.
        record: How far the import has come, committed batches only.
        version: The collection's version after the last batch.
        met: Documents that were there before and have a row of the source; noted only where nothing is written.
    """

    def __init__(
        self,
        transactions: Transactions,
        worker: Worker,
        collection: Collection,
        record: ImportRecord,
        *,
        indexing: Indexing | None = None,
    ) -> None:
        self._transactions = transactions
        self._worker = worker
        self.collection = collection
        self._indexing = indexing
        self._numeric = collection.by_role(*NUMERIC_ROLES)
        self.record = record
        self.version = collection.version
        self.met = BitMap()
        # Of an import into an empty collection: checksums of all keys so far, 27 bits each: 2 bytes of memory a key.
        # Looking keys up in the store would take a tenth of the time.
        self._seen = None if collection.next_number else BitMap()

    async def begin(self) -> Batch:
        """An empty batch against the collection as it now is."""
        current = await self._current()
        if current.has_foreign_changes:
            await index_foreign(self._transactions, current)
            current = await self._current()
        if current.version != self.version:
            self._seen = None  # another writer may have brought keys
        return Batch(current, current.next_number)

    async def _current(self) -> Collection:
        async with self._transactions.read(is_limited=False) as conn:
            return await find_collection(conn, self.collection.name) or self.collection

    async def add(self, batch: Batch, rows: Rows, conn: AsyncConnection | None = None) -> None:
        """Put rows into a batch; what is new or has changed goes to the index.

        Args:
            conn: To look up what is stored, in place of a snapshot of its own.
        """
        batch.late = rows.late | batch.late
        if conn is None:
            async with self._transactions.read(is_limited=False) as snapshot:
                stored = await self._stored(snapshot, batch, rows)
        else:
            stored = await self._stored(conn, batch, rows)
        changed = await self._worker.run(self._take_in, batch, rows, stored)
        if self._indexing and changed:
            await self._indexing.put(changed)

    async def _stored(self, conn: AsyncConnection, batch: Batch, rows: Rows) -> _Stored:
        keys = self._maybe_stored(entry.key for entry in rows.entries)
        numbers = await find_stored(conn, batch.collection.id, keys)
        # Any row of a key, not just its last: one may be stored as the last one is, and differ before.
        changed = {
            numbers[entry.key][0]
            for entry in rows.entries
            if entry.key in numbers and numbers[entry.key][1] != entry.digest
        }
        return _Stored(numbers, dict((await load_bodies(conn, batch.collection.id, changed)).values()))

    def _maybe_stored(self, keys: Iterable[str]) -> list[str]:
        """Those of the keys that may be in the store; for an import into an empty collection mostly none of them."""
        if self._seen is None:
            return list(keys)
        sums = {key: crc32(key.encode()) >> 5 for key in keys}
        new = BitMap(sums.values())
        again = new & self._seen
        self._seen |= new
        return [key for key, checksum in sums.items() if checksum in again] if again else []

    def _take_in(self, batch: Batch, rows: Rows, stored: _Stored) -> list[ChangedBody]:
        """Number the rows, and say which documents are new or have changed."""
        changed: list[ChangedBody] = []
        batch.rejected += len(rows.rejects)
        if self._indexing is None:
            self.met.update(number for number, _ in stored.numbers.values())
        for entry in rows.entries:
            batch.size += len(entry.body)
            number, digest = batch.pending.get(entry.key) or stored.numbers.get(entry.key) or (None, None)
            if digest == entry.digest:
                batch.unchanged += 1
                continue
            before = None
            if number is None:
                batch.accepted += 1
                number, batch.next_number = batch.next_number, batch.next_number + 1
            else:
                batch.updated += 1
                before = batch.documents[number][1] if number in batch.documents else stored.bodies[entry.key]
                if number < batch.collection.next_number:
                    batch.keep_before(number, entry.key, before)
            changed.append((number, entry.key, before, entry.body))
            batch.pending[entry.key] = number, entry.digest
            batch.documents[number] = entry.key, entry.body, entry.digest
            batch.values.put(number, {f.name: number_of(entry.document.get(f.name), f.type) for f in self._numeric})
        return changed

    async def commit(self, batch: Batch) -> None:
        """Write a batch; where another writer was faster, it is made anew against what is there then.

        Raises:
            ConflictError: The collection is gone, or has other roles now.
        """
        assert self._indexing  # noqa: S101  # only a dry run has none, and it commits nothing
        await self._indexing.finish()
        if not await self._is_written(batch):
            batch = await self._again(batch, (await self.begin()).collection)
            if not await self._is_written(batch):
                # Somebody writes more often than a batch takes to make: this time they wait for it.
                await self._is_written(batch, must_be=True)

    async def _again(self, batch: Batch, current: Collection, conn: AsyncConnection | None = None) -> Batch:
        """The same rows against the collection as it now is; those found stored already stay as others left them."""
        assert self._indexing  # noqa: S101  # as for ``commit``
        async for _ in self._indexing.pages():
            pass  # of the batch that could not be written
        self._seen = None
        again = Batch(current, current.next_number, late=batch.late)
        again.rejected, again.unchanged = batch.rejected, batch.unchanged
        again.updated = batch.accepted + batch.updated - len(batch.documents)  # rows with a key that came once more
        rows = iter(batch.documents.values())
        while some := list(islice(rows, ROW_COUNT)):
            entries = [Entry(key, decode(body, key, current), body, digest) for key, body, digest in some]
            await self.add(again, Rows(entries), conn)
        await self._indexing.finish()
        return again

    async def _is_written(self, batch: Batch, *, must_be: bool = False) -> bool:
        """Write a batch; not where another writer has changed the collection since it was begun, unless it must be."""
        collection_id, indexing = self.collection.id, self._indexing
        assert indexing  # noqa: S101  # as for ``commit``
        async with self._transactions.write() as conn:
            current = await lock_collection(conn, self.collection.name)
            if current is None or current.id != collection_id or not _is_indexed_alike(self.collection, current):
                raise ConflictError(f"Another writer has changed “{self.collection.name}” meanwhile. Run it again.")
            if current.has_foreign_changes or await _has_changed(conn, batch.collection, current):
                if not must_be:
                    return False
                current = await index_all_noted(conn, current)
                batch = await self._again(batch, current, conn)
            if batch.late:
                fields = (*current.fields, *_late_fields(batch.late, current))
                current = await set_fields(conn, current, fields)
                self.version = current.version
            await put_documents(conn, collection_id, [(number, *row) for number, row in batch.documents.items()])
            chunks = {number >> CHUNK_BITS for number in batch.documents}
            updated = [number for number in batch.documents if number < batch.collection.next_number]
            batch.documents.clear()  # a tenth of all the memory an import needs, and the index is still to come
            delta = IndexDelta()
            async for chunk, changes in indexing.pages():
                is_new = batch.collection.next_number <= chunk << CHUNK_BITS
                delta += await apply_changes(conn, collection_id, chunk, changes, is_new=is_new)
            for name, numbers, values in batch.values.changes():
                await put_values(conn, collection_id, name, numbers, values)
            if batch.accepted or batch.updated:
                self.version = await advance_collection(
                    conn,
                    collection_id,
                    next_number=batch.next_number,
                    chunks=chunks,
                    token_delta=delta.token_count,
                )
                await apply_frequencies(conn, collection_id, delta.frequencies, self.version)
                await self._note(conn, batch, updated)
            record = self.counted(batch)
            await save_progress(conn, record.id, {name: getattr(record, name) for name in _COUNTS})
        self.record = record
        self.collection = replace(self.collection, fields=current.fields)
        return True

    async def _note(self, conn: AsyncConnection, batch: Batch, updated: list[int]) -> None:
        """Write the journal for a batch."""
        before = None
        if batch.before is not None:
            rows = batch.before.items()
            before = {number: Former(key, decode(body, key, batch.collection)) for number, (key, body) in rows}
        await write_entry(
            conn,
            self.collection.id,
            self.version,
            at=time.time(),
            created=range(batch.collection.next_number, batch.next_number),
            updated=updated,
            before=before,
        )

    def counted(self, batch: Batch) -> ImportRecord:
        """How far the import will have come with this batch."""
        before = self.record
        return replace(
            before,
            rows_read=before.rows_read + batch.row_count,
            accepted=before.accepted + batch.accepted,
            updated=before.updated + batch.updated,
            unchanged=before.unchanged + batch.unchanged,
            rejected=before.rejected + batch.rejected,
        )


def _is_indexed_alike(before: Collection, now: Collection) -> bool:
    """Whether the fields there were are what they were to the index; others may have come."""
    indexed = [[(field.name, field.role, field.is_typo_tolerant) for field in c.fields] for c in (before, now)]
    if before.settings.visibility != now.settings.visibility:
        return False
    return indexed[1][: len(indexed[0])] == indexed[0]


async def _has_changed(conn: AsyncConnection, before: Collection, now: Collection) -> bool:
    """Whether another writer has changed documents or fields; what an owner tuned meanwhile is no matter."""
    if now.version == before.version:
        return False
    if now.tuning_version <= before.version or len(now.fields) != len(before.fields):
        return True
    return bool(await changed_chunks(conn, now.id, before.version))


def _late_fields(late: Mapping[str, int], current: Collection) -> list[Field]:
    """Fields for names that no sampled row had: kept, and never indexed, so that what is indexed stays whole."""
    return [
        Field(name, FieldType.TEXT, Role.HIDDEN, reason=f"first seen on line {line}, after the rows that were sampled")
        for name, line in late.items()
        if current.field(name) is None  # another writer may have brought it
    ]


_COUNTS = ("rows_read", "accepted", "updated", "unchanged", "rejected")
