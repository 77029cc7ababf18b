"""Batches: rows on their way into a collection, many in one transaction."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Self

import orjson

from livesearch.domain import CHUNK_BITS, NUMERIC_ROLES, Collection, Document, Field, FieldType, Reject, Role, Row
from livesearch.errors import ConflictError
from livesearch.ingest import coercer, number_of
from livesearch.ingest.source import cut_raw
from livesearch.search.indexer import ChangedBody
from livesearch.search.indexing import ValuesBatch
from livesearch.search.values import texts
from livesearch.services.indexing import Indexing
from livesearch.services.transactions import Transactions
from livesearch.services.worker import Worker
from livesearch.store.collections import advance_collection, find_collection, set_fields
from livesearch.store.doc_values import put_values
from livesearch.store.documents import digest_of, encode, find_stored, load_documents, put_documents
from livesearch.store.imports import ImportRecord, save_progress
from livesearch.store.postings import apply_changes

# Rows read and analysed at once: a tenth of a second of work, and some 10 MB of documents.
ROW_COUNT = 2048
# Bytes of documents read and analysed at once.
ROWS_SIZE = 8_000_000
# Bytes of documents in one transaction; an import also ends a transaction where a chunk is full.
BYTE_COUNT = 32_000_000

# PostgreSQL cannot index longer keys (2,704 bytes with all that stands in the index row); no key of use is longer.
KEY_LENGTH = 512
# Bytes of a facet's name and value together: the rest of the 2,704 is the index row's own.
_FACET_SIZE = 2680

CHUNK_SIZE = 1 << CHUNK_BITS


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that can be taken: its key, its document, and the document as it will be stored."""

    key: str
    document: Document
    body: bytes
    digest: bytes


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
        enter = _enterer(collection)
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


def _enterer(collection: Collection) -> Callable[[Row], Entry | Reject]:
    coerce = coercer({f.name: f for f in collection.fields})
    # A character has four bytes at most: only a name of more than 632 leaves less room than KEY_LENGTH.
    facet_lengths = {
        f.name: min(KEY_LENGTH, (_FACET_SIZE - len(f.name.encode())) // 4) for f in collection.by_role(Role.FACET)
    }
    key_field = collection.key_field

    def enter(row: Row) -> Entry | Reject:
        document = coerce(row.document)
        body = encode(document)
        digest = digest_of(body)
        # Without a key field equal rows are one document, whichever file they come from.
        values = [digest.hex()] if key_field is None else texts(document.get(key_field))
        fault = _key_fault(values, key_field) or _facet_fault(document, facet_lengths)
        if fault:
            raw = orjson.dumps(row.document).decode()
            return Reject(row.line, fault, cut_raw(raw))
        return Entry(values[0], document, body, digest)

    return enter


def _key_fault(values: list[str], key_field: str | None) -> str | None:
    if len(values) > 1:
        return f"The key field “{key_field}” has no single value."
    if not values or not values[0].strip():
        return f"The key field “{key_field}” has no value."
    if len(values[0]) > KEY_LENGTH:
        return f"The key has {len(values[0])} characters; {KEY_LENGTH} at most."
    return None


def _facet_fault(document: Document, lengths: Mapping[str, int]) -> str | None:
    for name, length in lengths.items():
        value = document.get(name)
        if type(value) is str and len(value) <= length:  # the common case, without a call
            continue
        longest = max(map(len, texts(value)), default=0)
        if longest > length:
            return (
                f"The facet “{name}” has a value of {longest} characters; {length} at most."
                f" Import with --role {name}=text to search it as text."
            )
    return None


@dataclass(slots=True)
class Batch:
    """What one transaction will write, made against one version of the collection.

    Attributes:
        documents: By number: key, body and digest.
        pending: By key, what the batch itself has done: number and digest.
        late: Fields that the collection does not have, and the line where each was first seen.
    """

    collection: Collection
    next_number: int
    documents: dict[int, tuple[str, bytes, bytes]] = field(default_factory=dict)
    values: ValuesBatch = field(default_factory=ValuesBatch)
    pending: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    late: dict[str, int] = field(default_factory=dict)
    size: int = 0
    accepted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    @property
    def row_count(self) -> int:
        """Rows taken in, rejected ones included."""
        return self.accepted + self.updated + self.unchanged + self.rejected

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
    """What the store has of some rows: number and digest by key, and the documents that differ."""

    numbers: Mapping[str, tuple[int, bytes]]
    documents: Mapping[str, Document]


class BatchWriter:
    """Puts rows into batches and writes them, each with its index and the import's place in one transaction.

    Attributes:
        collection: As it was when the import began, with the fields that came late.
        record: How far the import has come, committed batches only.
        version: The collection's version after the last batch.
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

    async def begin(self) -> Batch:
        """An empty batch against the collection as it now is."""
        async with self._transactions.read(is_limited=False) as conn:
            current = await find_collection(conn, self.collection.name) or self.collection
        return Batch(current, current.next_number)

    async def add(self, batch: Batch, rows: Rows) -> None:
        """Put rows into a batch; what is new or has changed goes to the index."""
        batch.late = rows.late | batch.late
        stored = await self._stored(batch, rows)
        changed = await self._worker.run(self._take_in, batch, rows, stored)
        if self._indexing and changed:
            await self._indexing.put(changed)

    async def _stored(self, batch: Batch, rows: Rows) -> _Stored:
        wanted = {entry.key: entry.digest for entry in rows.entries}
        async with self._transactions.read(is_limited=False) as conn:
            numbers = await find_stored(conn, batch.collection.id, wanted)
            changed = [number for key, (number, digest) in numbers.items() if wanted[key] != digest]
            documents = await load_documents(conn, batch.collection.id, changed)
        return _Stored(numbers, dict(documents.values()))

    def _take_in(self, batch: Batch, rows: Rows, stored: _Stored) -> list[ChangedBody]:
        """Number the rows, and say which documents are new or have changed."""
        changed: list[ChangedBody] = []
        batch.rejected += len(rows.rejects)
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
                before = (
                    batch.documents[number][1] if number in batch.documents else encode(stored.documents[entry.key])
                )
            changed.append((number, before, entry.body))
            batch.pending[entry.key] = number, entry.digest
            batch.documents[number] = entry.key, entry.body, entry.digest
            batch.values.put(number, {f.name: number_of(entry.document.get(f.name), f.type) for f in self._numeric})
        return changed

    async def commit(self, batch: Batch) -> None:
        """Write a batch.

        Raises:
            ConflictError: Another writer has changed the collection since the batch was begun.
        """
        collection_id, indexing = self.collection.id, self._indexing
        assert indexing  # noqa: S101  # only a dry run has none, and it commits nothing
        await indexing.finish()
        async with self._transactions.write() as conn:
            current = await find_collection(conn, self.collection.name)
            if current is None or current.version != batch.collection.version:
                raise ConflictError(f"Another writer has changed “{self.collection.name}” meanwhile. Run it again.")
            if batch.late:
                fields = (*current.fields, *_late_fields(batch.late))
                current = await set_fields(conn, current, fields)
                self.version = current.version
            await put_documents(conn, collection_id, [(number, *row) for number, row in batch.documents.items()])
            batch.documents.clear()  # a tenth of all the memory an import needs, and the index is still to come
            async for chunk, changes in indexing.pages():
                is_new = batch.collection.next_number <= chunk << CHUNK_BITS
                await apply_changes(conn, collection_id, chunk, changes, is_new=is_new)
            for name, numbers, values in batch.values.changes():
                await put_values(conn, collection_id, name, numbers, values)
            if batch.accepted or batch.updated:
                self.version = await advance_collection(conn, collection_id, next_number=batch.next_number)
            record = self.counted(batch)
            await save_progress(conn, record.id, {name: getattr(record, name) for name in _COUNTS})
        self.record = record
        self.collection = replace(self.collection, fields=current.fields)

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


def _late_fields(late: Mapping[str, int]) -> list[Field]:
    """Fields for names that no sampled row had: kept, and never indexed, so that what is indexed stays whole."""
    return [
        Field(name, FieldType.TEXT, Role.HIDDEN, reason=f"first seen on line {line}, after the rows that were sampled")
        for name, line in late.items()
    ]


_COUNTS = ("rows_read", "accepted", "updated", "unchanged", "rejected")
