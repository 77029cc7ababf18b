"""Reindexing: an index is made anew from the documents, chunk by chunk.

Every chunk is one transaction. Searches go on where the index was right before; an index of another version is not
searched until the last chunk is done, and whoever was interrupted goes on where it stopped.
"""

from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS, NUMERIC_ROLES, Collection, Document
from livesearch.errors import CollectionNotFoundError, ConflictError
from livesearch.ingest import number_of
from livesearch.search.indexing import IndexSchema, ValuesBatch
from livesearch.services.batches import BYTE_COUNT, ROW_COUNT
from livesearch.services.indexing import Indexing, ProcessIndexing, ThreadIndexing
from livesearch.services.transactions import Transactions
from livesearch.services.worker import Worker
from livesearch.store.chunks import changed_chunks
from livesearch.store.collections import (
    INDEX_VERSION,
    advance_collection,
    begin_index,
    finish_index,
    list_collections,
    lock_collection,
)
from livesearch.store.doc_values import put_values
from livesearch.store.documents import encode, load_numbered
from livesearch.store.postings import IndexDelta, apply_changes, chunks_of, clear_chunk
from livesearch.store.schema import SchemaState
from livesearch.store.vocabulary import apply_frequencies

# Documents for which no process is started; see `imports`.
_SMALL_COUNT = 2000


@dataclass(frozen=True, slots=True)
class ReindexingProgress:
    """How far the index of a collection has come, in internal numbers of documents."""

    collection: str
    done: int
    total: int


Watcher = Callable[[ReindexingProgress], None]
# Sees to it that an index will be made anew, in the transaction that makes it necessary.
Later = Callable[[AsyncConnection], Awaitable[None]]


class ReindexingService:
    """Makes indexes anew."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def reindex_stale(self, *, on_progress: Watcher = lambda _: None) -> tuple[str, ...]:
        """Make the indexes anew that another version of livesearch has made, or that were begun and not finished.

        Args:
            on_progress: Called after each chunk.

        Returns:
            The names of the collections that had to be reindexed.
        """
        if await self._transactions.schema() is not SchemaState.STALE:
            return ()
        # Not as other services do it: they are kept out of such a store.
        async with self._transactions.database.read() as conn:
            stale = [found.name for found in await list_collections(conn) if found.index_version != INDEX_VERSION]
        for name in stale:
            await self.reindex(name, on_progress=on_progress)
        return tuple(stale)

    async def reindex(self, name: str, *, on_progress: Watcher = lambda _: None) -> None:
        """Make one index anew: for another version, or because what fields are for has changed.

        Writers wait for as long as a chunk takes, some seconds at most.

        Raises:
            CollectionNotFoundError: No collection has the name.
            ConflictError: What fields are for was changed meanwhile.
            SchemaOutdatedError: The store must be upgraded first.
        """
        collection, chunks = await self._begin(name)
        total = collection.next_number
        indexing_kind = ProcessIndexing if collection.document_count > _SMALL_COUNT else ThreadIndexing
        schema = IndexSchema.of(collection)
        with closing(Worker()) as worker, closing(indexing_kind(worker, schema)) as indexing:
            for chunk in chunks:
                await self._reindex_chunk(name, chunk, schema, indexing)
                on_progress(ReindexingProgress(name, min((chunk + 1) << CHUNK_BITS, total), total))
        async with self._transactions.write(is_for_index=True) as conn:
            await finish_index(conn, collection.id)

    async def _begin(self, name: str) -> tuple[Collection, list[int]]:
        """The collection, and the chunks that are still to do."""
        async with self._transactions.write(is_for_index=True) as conn:
            collection = await _locked(conn, name)
            done: list[int] = []
            if collection.index_version == -INDEX_VERSION:
                done = await changed_chunks(conn, collection.id, -1)
            elif collection.index_version != INDEX_VERSION:
                await begin_index(conn, collection.id)
        return collection, [chunk for chunk in chunks_of(collection.next_number) if chunk not in done]

    async def _reindex_chunk(self, name: str, chunk: int, schema: IndexSchema, indexing: Indexing) -> None:
        async with self._transactions.write(is_for_index=True) as conn:
            collection = await _locked(conn, name)
            if IndexSchema.of(collection) != schema:
                raise ConflictError(f"The fields of “{name}” were changed meanwhile. Run it again.")
            is_counted = collection.index_version == INDEX_VERSION
            cleared = await clear_chunk(conn, collection.id, chunk)
            delta = cleared if is_counted else IndexDelta()
            values, is_new, size = ValuesBatch(), True, 0
            for first in range(chunk << CHUNK_BITS, (chunk + 1) << CHUNK_BITS, ROW_COUNT):
                found = await load_numbered(conn, collection, first, first + ROW_COUNT)
                size += await _put(indexing, found, values, collection)
                if size >= BYTE_COUNT:
                    delta += await _flush(conn, collection.id, indexing, is_new=is_new)
                    is_new, size = False, 0
            delta += await _flush(conn, collection.id, indexing, is_new=is_new)
            for field, numbers, held in values.changes():
                await put_values(conn, collection.id, field, numbers, held)
            version = await advance_collection(
                conn,
                collection.id,
                next_number=collection.next_number,
                chunks=[chunk],
                token_delta=delta.token_count,
            )
            await apply_frequencies(conn, collection.id, delta.frequencies, version)


async def _locked(conn: AsyncConnection, name: str) -> Collection:
    collection = await lock_collection(conn, name)
    if collection is None:
        raise CollectionNotFoundError(name)
    return collection


async def _put(
    indexing: Indexing, rows: list[tuple[int, str, Document]], values: ValuesBatch, collection: Collection
) -> int:
    """Hand documents to the index; gives their bytes."""
    changed = [(number, key, None, encode(document)) for number, key, document in rows]
    numeric = collection.by_role(*NUMERIC_ROLES)
    for number, _, document in rows:
        values.put(number, {field.name: number_of(document.get(field.name), field.type) for field in numeric})
    if changed:
        await indexing.put(changed)
    return sum(len(body) for _, _, _, body in changed)


async def _flush(conn: AsyncConnection, collection_id: int, indexing: Indexing, *, is_new: bool) -> IndexDelta:
    """Write the postings of what was handed to the index."""
    delta = IndexDelta()
    await indexing.finish()
    async for chunk, changes in indexing.pages():
        delta += await apply_changes(conn, collection_id, chunk, changes, is_new=is_new)
    return delta
