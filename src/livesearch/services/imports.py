"""Imports: from a source to a collection, batch by batch.

A batch is read and analysed outside any transaction; then its documents, its index and the import's place are written
in one. Whatever ends the process, the store holds whole batches, and the import knows how many.
"""

import gc
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import chain
from pathlib import Path

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, Document, ImportReport, Reject, Role, Row
from livesearch.errors import ConflictError, InvalidInputError, SourceError, StoreUnavailableError
from livesearch.ingest import Inference, Source, default_name, open_source, parse_source, take_sample
from livesearch.search.indexing import IndexSchema
from livesearch.services.batches import ROW_COUNT, Batch, BatchWriter, Rows
from livesearch.services.fields import plan_fields
from livesearch.services.following import Following, busy_table, find_following
from livesearch.services.in_place import Taken, compare_all, take_all
from livesearch.services.indexing import ProcessIndexing, ThreadIndexing
from livesearch.services.ranking import keep_choices
from livesearch.services.rejects import RejectsFile
from livesearch.services.transactions import Transactions
from livesearch.services.worker import Worker
from livesearch.store import collections as collection_store
from livesearch.store import imports as import_store
from livesearch.store import in_place as in_place_store
from livesearch.store.imports import ImportRecord
from livesearch.store.journal import mark_gap


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a source becomes a collection.

    Attributes:
        format: Format of the source where its name does not tell, as of standard input.
        name: Name of the collection; by default made from the source's.
        key: The field that tells rows apart; by default inferred.
        roles: Roles by field, over the inferred ones.
        replace: Rows that the source does not have are gone afterwards.
        dry_run: Count only; a repeated key may count as accepted again where its rows are far apart.
        skip_known: Do nothing when this very source was the last one imported, even if documents were edited since.
        shown: What the source is called, where that is not where it lies.
        unpacked_limit: Bytes that a compressed source may become; None for any number.
    """

    format: str | None = None
    name: str | None = None
    key: str | None = None
    roles: Mapping[str, Role] | None = None
    replace: bool = False
    dry_run: bool = False
    skip_known: bool = False
    shown: str | None = None
    unpacked_limit: int | None = None

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


Planner = Callable[[ImportPlan], None]
Watcher = Callable[[ImportProgress], None]


class ImportService:
    """Takes sources in."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def run(
        self,
        source: str,
        options: ImportOptions = ImportOptions(),  # frozen
        *,
        on_plan: Planner = lambda _: None,
        on_progress: Watcher = lambda _: None,
    ) -> ImportReport:
        """Import one source.

        Args:
            source: A path or URL-like string, see `ingest.parse_source`. A table of the store's own database is
                followed in place.
            on_plan: Called once, before the first row is stored; not when nothing is to be done.
            on_progress: Called after each few thousand rows.

        Raises:
            SourceError: The source cannot be read as rows, has none, or does not fit the collection.
            KeyUndecidedError: Two or more fields could be the key.
            InvalidInputError: The name cannot be one, or roles are given that differ from the stored ones.
            ConflictError: Another writer changed the collection meanwhile; what was committed before stays. Or the
                collection follows another source, or the table to follow is in use.
        """
        started = time.monotonic()
        spec = replace(parse_source(source, format=options.format), unpacked_limit=options.unpacked_limit)
        name = checked_name(options.name or default_name(spec))
        # What is loaded by now stays loaded. A collector that looks at it again and again, because an import makes
        # millions of objects, takes a sixth of the time.
        gc.freeze()
        try:
            with closing(Worker()) as worker, closing(await worker.run(open_source, spec)) as opened:
                key = options.key or next((f for f, role in (options.roles or {}).items() if role is Role.KEY), None)
                kept_name = None if options.replace else name
                following = await find_following(self._transactions, opened, name=kept_name, key=key)
                run = _Run(
                    self._transactions,
                    worker,
                    opened,
                    following,
                    options.shown or (spec.shown if spec.format == "postgresql" else source),
                    name,
                    options,
                    on_plan,
                    on_progress,
                    started,
                )
                return await run.to_end()
        finally:
            gc.unfreeze()


@dataclass(frozen=True, slots=True)
class _Run:
    """One import under way.

    Attributes:
        following: The table that the source is, where it is followed and not copied.
        source: As it may be shown.
        started: On the monotonic clock, in seconds.
    """

    transactions: Transactions
    worker: Worker
    opened: Source
    following: Following | None
    source: str
    name: str
    options: ImportOptions
    on_plan: Planner
    on_progress: Watcher
    started: float

    async def to_end(self) -> ImportReport:
        async with self.transactions.read() as conn:
            existing = await collection_store.find_collection(conn, self.name)
            latest = await import_store.latest_import(conn, existing.id) if existing else None
            is_followed = existing is not None and await self._is_followed(conn, existing)
        if existing and is_followed and self.options.skip_known:
            return self._followed_report(existing, Taken(unchanged=existing.document_count))
        fingerprint = await self.worker.run(self.opened.fingerprint)
        if existing and latest and self._is_known(existing, latest, fingerprint):
            return self._report(existing, _repeated(latest), rejects_path=self._rejects_path())

        rows = self.opened.rows()
        sample, is_large = await self.worker.run(take_sample, rows)
        if (
            existing and is_followed and not self.options.dry_run and not any(isinstance(row, Row) for row in sample)
        ):  # nothing to plan by
            return self._followed_report(existing, await compare_all(self.transactions, self.name))
        documents = sampled_documents(sample, self.source)
        options, kept = self.options, None if self.options.replace else existing
        inference = plan_fields(documents, kept, roles=options.roles or {}, key=self._key(kept))
        self.on_plan(ImportPlan(self.name, inference, self.opened.notes, is_new=existing is None))
        rows = chain(_drained(sample), rows)
        del documents
        if options.dry_run:
            return await self._dry_run(existing, inference, rows)
        if self.following:
            return await self._follow(existing, inference, is_followed=is_followed, is_large=is_large)
        collection, record = await self._begin(existing, inference, fingerprint)
        return await self._write(collection, record, rows, is_large=is_large)

    def _key(self, kept: Collection | None) -> str | None:
        """The key that a person or the source itself names; what is stored stands over the source."""
        if self.following:
            return self.following.key
        is_chosen = self.options.key or Role.KEY in (self.options.roles or {}).values()
        return self.options.key if is_chosen or kept else self.opened.likely_key

    async def _is_followed(self, conn: AsyncConnection, existing: Collection) -> bool:
        """Whether the collection follows the source already.

        Raises:
            ConflictError: It follows something else, or is to follow and is something else.
        """
        if self.options.replace:
            return False
        if self.following:
            return await self.following.is_followed_by(conn, existing)
        if existing.source_table is not None:
            raise ConflictError(
                f"The documents of “{self.name}” are the rows of the table {existing.source_table}. Give --name for"
                " another collection, or --replace to have these rows in their place."
            )
        return False

    async def _follow(
        self, existing: Collection | None, inference: Inference, *, is_followed: bool, is_large: bool
    ) -> ImportReport:
        """Read the table once its changes are noted; or compare all of it, where they have been noted before."""
        assert self.following  # noqa: S101  # the caller looks
        if existing and is_followed:
            if len(inference.fields) > len(existing.fields):
                async with self.transactions.write() as conn:
                    existing = await collection_store.set_fields(conn, existing, inference.fields)
            return self._followed_report(existing, await compare_all(self.transactions, self.name))
        # Rows that change from here on are noted. Those that changed before are in the snapshot that comes now.
        await self.worker.run(self.following.source.rewind)
        try:
            collection, record = await self._begin(existing, inference, None)
            report = await self._write(collection, record, self.opened.rows(), is_large=is_large)
        except StoreUnavailableError as error:
            raise busy_table(error, self.following.table.label) or error from error
        taken = await take_all(self.transactions, self.name)
        return replace(
            report,
            accepted=report.accepted + taken.accepted,
            updated=report.updated + taken.updated,
            removed=taken.removed,
            source_table=self.following.table.label,
        )

    def _followed_report(self, collection: Collection, taken: Taken) -> ImportReport:
        record = ImportRecord(
            0, self.source, None, "", "done", 0, taken.accepted, taken.updated, taken.unchanged, taken.rejected, None
        )
        return replace(self._report(collection, record), removed=taken.removed, source_table=collection.source_table)

    def _is_known(self, collection: Collection, latest: ImportRecord, fingerprint: str | None) -> bool:
        """Whether this very source was the last to change the collection."""
        is_same = latest.state == "done" and fingerprint is not None and latest.fingerprint == fingerprint
        is_untouched = latest.version == collection.version and latest.options == self.options.digest()
        return is_same and (is_untouched or self.options.skip_known)

    async def _begin(
        self, existing: Collection | None, inference: Inference, fingerprint: str | None
    ) -> tuple[Collection, ImportRecord]:
        """The collection to write to and the record to go on with: an interrupted one of this source, or a new one."""
        async with self.transactions.write() as conn:
            if self.options.replace:
                existing = await collection_store.find_collection(conn, self._written_name)
            latest = await import_store.latest_import(conn, existing.id) if existing else None
            is_resumable = (
                latest is not None
                and existing is not None
                # A replacement begun by another version has another index.
                and existing.index_version == collection_store.INDEX_VERSION
                and fingerprint is not None
                and (latest.state, latest.fingerprint, latest.options)
                == ("running", fingerprint, self.options.digest())
            )
            if existing and self.options.replace and not is_resumable:
                await collection_store.drop_collection(conn, existing.id)
                existing = None
            collection = await self._prepared(conn, existing, inference)
            if self.following:
                await self.following.start(conn, collection)
            if latest is None or not is_resumable:
                latest = await import_store.begin_import(
                    conn,
                    collection.id,
                    source=self.source,
                    fingerprint=fingerprint,
                    options=self.options.digest(),
                    now=time.time(),
                )
        return collection, latest

    async def _prepared(self, conn: AsyncConnection, existing: Collection | None, inference: Inference) -> Collection:
        """The collection with the fields of the plan."""
        if existing is None:
            replaced = await collection_store.find_collection(conn, self.name) if self.options.replace else None
            if replaced:
                inference = keep_choices(inference, replaced)
            return await collection_store.create_collection(
                conn,
                self._written_name,
                fields=inference.fields,
                key_field=inference.key_field,
                popularity_field=inference.popularity_field,
                source=self.source,
                # Whom rows are open to stands in the index that is now made.
                settings=replaced.settings if replaced else None,
            )
        if len(inference.fields) > len(existing.fields):
            return await collection_store.set_fields(conn, existing, inference.fields)
        return existing

    async def _write(
        self, collection: Collection, record: ImportRecord, rows: Iterator[Row | Reject], *, is_large: bool
    ) -> ImportReport:
        indexing = (ProcessIndexing if is_large else ThreadIndexing)(self.worker, IndexSchema.of(collection))
        writer = BatchWriter(self.transactions, self.worker, collection, record, indexing=indexing)
        with closing(indexing), RejectsFile(self._rejects_path()) as rejects:
            await self._skip(record.rows_read, rows, collection, rejects)
            while batch := await self._fill(writer, rows, rejects):
                await writer.commit(batch)
                del batch  # or it would be held while the next one is filled
        await self._finish(writer)
        return self._report(
            writer.collection,
            writer.record,
            resumed_at=record.rows_read,
            rejects_path=rejects.path if rejects.count else None,
            late_fields=tuple(field.name for field in writer.collection.fields[len(collection.fields) :]),
        )

    async def _skip(
        self, count: int, rows: Iterator[Row | Reject], collection: Collection, rejects: RejectsFile
    ) -> None:
        """Read again what an interrupted import has committed; only the rejected rows are of use."""
        while count and (found := await self.worker.run(Rows.read, rows, collection, min(count, ROW_COUNT))):
            rejects.write(found.rejects)
            count -= len(found)

    async def _fill(self, writer: BatchWriter, rows: Iterator[Row | Reject], rejects: RejectsFile) -> Batch | None:
        """Read rows until a batch is full; None at the end of the source."""
        batch = await writer.begin()
        while room := batch.room:
            found = await self.worker.run(Rows.read, rows, writer.collection, min(room, ROW_COUNT))
            if not found:
                break
            rejects.write(found.rejects)
            await writer.add(batch, found)
            counts = writer.counted(batch)
            self.on_progress(
                ImportProgress(counts.rows_read, self.opened.bytes_read, self.opened.total_bytes, counts.rejected)
            )
        return batch if batch.row_count else None

    async def _finish(self, writer: BatchWriter) -> None:
        """Record the end. A finished replacement becomes the collection; searches see the old one until then."""
        async with self.transactions.write() as conn:
            version = writer.version
            if self.following:
                await in_place_store.mark(conn, writer.collection.id, table=None, is_following=True)
            if self.options.replace:
                built = await collection_store.find_collection(conn, self._written_name)
                assert built is not None  # noqa: S101  # written by this import
                replaced = await collection_store.find_collection(conn, self.name)
                if replaced and replaced.settings.visibility != built.settings.visibility:
                    raise ConflictError(f"Who may see the rows of “{self.name}” was changed meanwhile. Run it again.")
                await collection_store.take_place(conn, built, self.name)
                taken = await collection_store.find_collection(conn, self.name)
                assert taken is not None  # noqa: S101  # just named so
                version = taken.version
                # Its own journal tells how it was built, not what became of the documents that it replaces.
                await mark_gap(conn, taken.id, version, at=time.time())
            await import_store.finish_import(conn, writer.record.id, version=version, now=time.time())

    async def _dry_run(
        self, existing: Collection | None, inference: Inference, rows: Iterator[Row | Reject]
    ) -> ImportReport:
        collection = existing or Collection(0, self.name, 0, 0, inference.fields, inference.key_field)
        record = ImportRecord(0, self.source, None, "", "running", 0, 0, 0, 0, 0, None)
        writer = BatchWriter(self.transactions, self.worker, collection, record)
        with RejectsFile(None) as rejects:
            while batch := await self._fill(writer, rows, rejects):
                writer.record = writer.counted(batch)
        removed = collection.document_count - len(writer.met) if self.options.replace else 0
        return replace(
            self._report(replace(collection, fields=inference.fields), writer.record), removed=max(removed, 0)
        )

    def _report(
        self,
        collection: Collection,
        record: ImportRecord,
        *,
        resumed_at: int = 0,
        rejects_path: Path | None = None,
        late_fields: tuple[str, ...] = (),
    ) -> ImportReport:
        return ImportReport(
            collection=self.name,
            source=self.source,
            fields=collection.fields,
            accepted=record.accepted,
            updated=record.updated,
            unchanged=record.unchanged,
            rejected=record.rejected,
            resumed_at=resumed_at,
            late_fields=late_fields,
            seconds=time.monotonic() - self.started,
            rejects_path=str(rejects_path) if rejects_path and record.rejected else None,
            key_field=collection.key_field,
            is_dry_run=self.options.dry_run,
        )

    @property
    def _written_name(self) -> str:
        """The collection that rows go to: a replacement is built beside the one it replaces."""
        return self.name + collection_store.REPLACEMENT_SUFFIX if self.options.replace else self.name

    def _rejects_path(self) -> Path:
        location = self.opened.spec.location
        if self.opened.spec.format == "postgresql":
            location = self.name
        return Path(f"{f'{self.name}-stdin' if location == '-' else location}.rejects.jsonl")


_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def checked_name(name: str) -> str:
    """The name itself.

    Raises:
        InvalidInputError: It cannot be the name of a collection.
    """
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"“{name}” cannot be the name of a collection: use up to 64 small letters, digits, “-” and “_”, beginning"
            " with a letter or digit. Choose one with --name."
        )
    return name


def _repeated(record: ImportRecord) -> ImportRecord:
    """What an import would count that comes after this one and finds the same."""
    return replace(record, accepted=0, updated=0, unchanged=record.rows_read - record.rejected)


def sampled_documents(sample: Sequence[Row | Reject], source: str) -> list[Document]:
    """The documents of a sample.

    Raises:
        SourceError: There is none.
    """
    documents = [row.document for row in sample if isinstance(row, Row)]
    if documents:
        return documents
    if rejected := next((row for row in sample if isinstance(row, Reject)), None):
        raise SourceError(
            f"“{source}” has no row that can be taken. Line {rejected.line} is the first of them: {rejected.reason}"
        )
    raise SourceError(f"“{source}” has no rows.")


def _drained(sample: list[Row | Reject]) -> Iterator[Row | Reject]:
    """Each row once, in order; they are let go of as they are taken."""
    sample.reverse()
    while sample:
        yield sample.pop()
