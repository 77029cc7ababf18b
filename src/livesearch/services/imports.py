"""Imports: from a source to a collection, batch by batch.

A batch is read and analysed outside any transaction; then its documents, its index and the import's place are written
in one. Whatever ends the process, the store holds whole batches, and the import knows how many.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path

import orjson

from livesearch.domain import Collection, Document, Field, ImportReport, Reject, Role, Row
from livesearch.errors import InvalidInputError, SourceError
from livesearch.ingest import Inference, Source, SourceSpec, default_name, infer, open_source, parse_source
from livesearch.search.indexing import IndexSchema
from livesearch.services.batches import ROW_COUNT, Batch, BatchWriter, Rows
from livesearch.services.indexing import ProcessIndexing, ThreadIndexing
from livesearch.services.rejects import RejectsFile
from livesearch.services.transactions import Transactions
from livesearch.services.worker import Worker
from livesearch.store import collections as collection_store
from livesearch.store import imports as import_store
from livesearch.store.imports import ImportRecord

# Documents looked at to infer types and roles.
SAMPLE_COUNT = 2000


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a source becomes a collection.

    Attributes:
        format: Format of the source where its name does not tell, as of standard input.
        name: Name of the collection; by default made from the source's.
        key: The field that tells rows apart; by default inferred.
        roles: Roles by field, over the inferred ones.
        replace: Rows that the source does not have are gone afterwards.
        dry_run: Count only.
        skip_known: Do nothing when this very source was the last one imported, even if documents were edited since.
    """

    format: str | None = None
    name: str | None = None
    key: str | None = None
    roles: Mapping[str, Role] | None = None
    replace: bool = False
    dry_run: bool = False
    skip_known: bool = False

    def digest(self) -> str:
        """Tells two sets of options apart where they change what is stored."""
        chosen = [self.key, sorted((self.roles or {}).items()), self.replace]
        return sha256(orjson.dumps(chosen)).hexdigest()


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far an import has come.

    Attributes:
        rows: Rows read, those of an interrupted import included.
        bytes_read: Of ``bytes_total``; None where the source has no size.
    """

    rows: int
    bytes_read: int
    bytes_total: int | None
    rejected: int


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import found out before it began: shown to people, so that a wrong role is seen at once."""

    collection: str
    inference: Inference
    notes: tuple[str, ...]
    is_new: bool


Watcher = Callable[[ImportProgress], None]


class ImportService:
    """Takes sources in."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(
        self,
        source: str,
        options: ImportOptions = ImportOptions(),  # noqa: B008  # frozen
        *,
        on_plan: Callable[[ImportPlan], None] = lambda _: None,
        on_progress: Watcher = lambda _: None,
    ) -> ImportReport:
        """Import one source.

        Args:
            source: A path or URL-like string, see `ingest.parse_source`.
            on_plan: Called once, before the first row is stored.
            on_progress: Called after each batch.

        Raises:
            SourceError: The source cannot be read as rows.
            KeyUndecidedError: Two or more fields could be the key.
            InvalidInputError: The name cannot be one, or roles are given that differ from the stored ones.
            ConflictError: Another import changed the collection meanwhile, again and again.
        """
        started = time.monotonic()
        spec = parse_source(source, format=options.format)
        name = _checked_name(options.name or default_name(spec))
        with closing(Worker()) as worker, closing(open_source(spec)) as opened:
            rows = opened.rows()
            sample = await worker.run(lambda: list(islice(rows, SAMPLE_COUNT)))
            run = _Run(self._transactions, worker, source, spec, opened, options, name, started)
            return await run.to_end(sample, chain(sample, rows), on_plan, on_progress)


class _Run:
    """One import under way."""

    def __init__(
        self,
        transactions: Transactions,
        worker: Worker,
        source: str,
        spec: SourceSpec,
        opened: Source,
        options: ImportOptions,
        name: str,
        started: float,
    ) -> None:
        self._transactions = transactions
        self._worker = worker
        self._source = source
        self._spec = spec
        self._opened = opened
        self._options = options
        self._name = name
        self._started = started

    async def to_end(
        self,
        sample: Sequence[Row | Reject],
        rows: Iterator[Row | Reject],
        on_plan: Callable[[ImportPlan], None],
        on_progress: Watcher,
    ) -> ImportReport:
        async with self._transactions.read() as conn:
            existing = await collection_store.find_collection(conn, self._name)
            latest = await import_store.latest_import(conn, existing.id) if existing else None
        documents = [row.document for row in sample if isinstance(row, Row)]
        self._is_large = len(sample) == SAMPLE_COUNT
        fingerprint = await self._worker.run(self._opened.fingerprint)
        if existing and latest and self._is_known(existing, latest, fingerprint):
            return self._unchanged(existing, latest)

        inference = self._inferred(documents, None if self._options.replace else existing)
        on_plan(ImportPlan(self._name, inference, self._opened.notes, is_new=existing is None))
        if self._options.dry_run:
            return await self._dry_run(existing, inference, rows, on_progress)
        collection, record = await self._begin(existing, inference, fingerprint)
        report = await self._write(collection, record, rows, on_progress)
        if self._options.replace:
            await self._take_place(collection)
        return report

    def _is_known(self, collection: Collection, latest: ImportRecord, fingerprint: str | None) -> bool:
        """Whether this very source was the last to change the collection."""
        is_same = latest.state == "done" and fingerprint is not None and latest.fingerprint == fingerprint
        is_untouched = latest.version == collection.version or self._options.skip_known
        return is_same and is_untouched and (latest.options == self._options.digest() or self._options.skip_known)

    def _unchanged(self, collection: Collection, latest: ImportRecord) -> ImportReport:
        return ImportReport(
            collection=self._name,
            source=self._source,
            fields=collection.fields,
            unchanged=latest.rows_read - latest.rejected,
            rejected=latest.rejected,
            rejects_path=str(self._rejects_path()) if latest.rejected else None,
            seconds=time.monotonic() - self._started,
            key_field=collection.key_field,
            is_dry_run=self._options.dry_run,
        )

    def _inferred(self, documents: Sequence[Mapping[str, object]], existing: Collection | None) -> Inference:
        """The stored fields, and after them what the source has more; all inferred for a new collection."""
        options = self._options
        if existing is None:
            return infer(documents, roles=options.roles or {}, key=options.key)
        changed = [name for name, role in (options.roles or {}).items() if _role_of(existing, name) not in {None, role}]
        if changed or (options.key and options.key != existing.key_field):
            raise InvalidInputError(
                f"“{existing.name}” already has roles: {', '.join(changed) or 'its key'} cannot change by an import."
                " Give --replace to build it anew, or --name for another collection."
            )
        known = {field.name for field in existing.fields}
        key = existing.key_field if any(existing.key_field in document for document in documents) else None
        if existing.key_field and documents and key is None:
            raise SourceError(
                f"“{existing.name}” tells rows apart by “{existing.key_field}”, which this source does not have."
                f" Its fields: {', '.join(documents[0])}. Give --name for another collection."
            )
        more = [field for field in _guessed(documents, options.roles or {}) if field.name not in known]
        return Inference((*existing.fields, *more), existing.key_field, existing.popularity_field)

    async def _begin(
        self, existing: Collection | None, inference: Inference, fingerprint: str | None
    ) -> tuple[Collection, ImportRecord]:
        """The collection to write to and the record to go on with: an interrupted one of this source, or a new one."""
        name = self._name + collection_store.REPLACEMENT_SUFFIX if self._options.replace else self._name
        async with self._transactions.write() as conn:
            collection = await collection_store.find_collection(conn, name) if self._options.replace else existing
            latest = await import_store.latest_import(conn, collection.id) if collection else None
            is_resumable = latest is not None and (
                latest.state == "running"
                and fingerprint is not None
                and (latest.fingerprint, latest.options) == (fingerprint, self._options.digest())
            )
            if self._options.replace and collection and not is_resumable:
                await collection_store.drop_collection(conn, collection.id)
                collection = None
            if collection is None:
                collection = await collection_store.create_collection(
                    conn,
                    name,
                    fields=inference.fields,
                    key_field=inference.key_field,
                    popularity_field=inference.popularity_field,
                    source=self._source,
                )
            elif len(inference.fields) > len(collection.fields):
                collection = await collection_store.set_fields(conn, collection, inference.fields)
            if latest is None or not is_resumable:
                latest = await import_store.begin_import(
                    conn,
                    collection.id,
                    source=self._source,
                    fingerprint=fingerprint,
                    options=self._options.digest(),
                    now=time.time(),
                )
        return collection, latest

    async def _write(
        self, collection: Collection, record: ImportRecord, rows: Iterator[Row | Reject], on_progress: Watcher
    ) -> ImportReport:
        resumed_at = record.rows_read
        make_indexing = ProcessIndexing if self._is_large else ThreadIndexing
        with (
            RejectsFile(self._rejects_path()) as rejects,
            closing(make_indexing(self._worker, IndexSchema.of(collection))) as indexing,
        ):
            writer = BatchWriter(self._transactions, self._worker, collection, record, indexing=indexing)
            # What an interrupted import committed is read again, but only its rejects are of use.
            skipped = islice(rows, resumed_at)
            await self._worker.run(lambda: rejects.write(row for row in skipped if isinstance(row, Reject)))
            while batch := await self._fill(writer, rows, collection, rejects, on_progress):
                await writer.commit(batch)
                del batch  # or it would be held while the next one is filled
            record = writer.record
            async with self._transactions.write() as conn:
                await import_store.finish_import(conn, record.id, version=writer.version, now=time.time())
        return ImportReport(
            collection=self._name,
            source=self._source,
            fields=collection.fields,
            accepted=record.accepted,
            updated=record.updated,
            unchanged=record.unchanged,
            rejected=record.rejected,
            resumed_at=resumed_at,
            seconds=time.monotonic() - self._started,
            rejects_path=str(rejects.path) if rejects.count else None,
            key_field=collection.key_field,
        )

    async def _dry_run(
        self, existing: Collection | None, inference: Inference, rows: Iterator[Row | Reject], on_progress: Watcher
    ) -> ImportReport:
        collection = existing or Collection(0, self._name, 0, 0, inference.fields, inference.key_field)
        record = ImportRecord(0, self._source, None, "", "running", 0, 0, 0, 0, 0, None)
        writer = BatchWriter(self._transactions, self._worker, collection, record)
        with RejectsFile(None) as rejects:
            while batch := await self._fill(writer, rows, collection, rejects, on_progress):
                writer.record = record = writer.counted(batch)
        return ImportReport(
            collection=self._name,
            source=self._source,
            fields=inference.fields,
            accepted=record.accepted,
            updated=record.updated,
            unchanged=record.unchanged,
            rejected=record.rejected,
            seconds=time.monotonic() - self._started,
            key_field=inference.key_field,
            is_dry_run=True,
        )

    async def _fill(
        self,
        writer: BatchWriter,
        rows: Iterator[Row | Reject],
        collection: Collection,
        rejects: RejectsFile,
        on_progress: Watcher,
    ) -> Batch | None:
        """Read rows until a batch is full; None at the end of the source."""
        batch = await writer.begin()
        while (room := batch.room) and (found := await self._worker.run(Rows.read, rows, collection, min(room, ROW_COUNT))):
            rejects.write(found.rejects)
            await writer.add(batch, found)
            on_progress(self._progress(writer.counted(batch)))
        return batch if batch.row_count else None

    async def _take_place(self, built: Collection) -> None:
        """The finished replacement becomes the collection; searches see the old one until then."""
        async with self._transactions.write() as conn:
            await collection_store.take_place(conn, built, self._name)

    def _progress(self, record: ImportRecord) -> ImportProgress:
        return ImportProgress(record.rows_read, self._opened.bytes_read, self._opened.total_bytes, record.rejected)

    def _rejects_path(self) -> Path:
        location = self._spec.location
        stem = f"{self._name}-stdin" if location == "-" else location
        return Path(f"{stem}.rejects.jsonl")


_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"“{name}” cannot be the name of a collection: use up to 64 small letters, digits, “-” and “_”, beginning"
            " with a letter or digit. Choose one with --name."
        )
    return name


def _role_of(collection: Collection, name: str) -> Role | None:
    field = collection.field(name)
    return field.role if field else None


def _guessed(documents: Sequence[Document], roles: Mapping[str, Role]) -> tuple[Field, ...]:
    """The fields of a further source. Its key is the collection's, so that two candidates for one do no harm."""
    known = {name for document in documents for name in document}
    return infer(documents, roles={k: r for k, r in roles.items() if k in known}, key=next(iter(documents[0]))).fields if documents else ()
