"""Opening collections, to read or to write: what other programs wrote through plain SQL is indexed before that."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.db.waiting import outlast
from livesearch.domain import Collection
from livesearch.errors import CollectionNotFoundError, LivesearchError, QueryTimeoutError, StoreUnavailableError
from livesearch.services.foreign import ROW_COUNT, index_noted, refuse_noted
from livesearch.services.reading import noted
from livesearch.services.transactions import Transactions
from livesearch.store.collections import REPLACEMENT_SUFFIX, find_collection, list_collections, lock_collection

log = structlog.stdlib.get_logger("livesearch.foreign")

# Seconds a search spends on indexing; some thousand rows are done by then, and the next search goes on.
_BUDGET_SECONDS = 5.0
# Milliseconds a search waits for another writer, such as an import that writes a batch.
_PATIENCE_MS = 1000
# Seconds in which nothing is tried after the store could not be written to: searches answer without, meanwhile.
_PAUSE_SECONDS = 1.0


async def require_collection(conn: AsyncConnection, name: str) -> Collection:
    """The collection of that name.

    Raises:
        CollectionNotFoundError: There is none.
    """
    # What is being built to replace a collection is not there for anybody yet.
    found = None if name.endswith(REPLACEMENT_SUFFIX) else await find_collection(conn, name)
    if found is None:
        raise CollectionNotFoundError(name)
    return found


@asynccontextmanager
async def open_collection(transactions: Transactions, name: str) -> AsyncIterator[tuple[AsyncConnection, Collection]]:
    """A snapshot to read one collection in, within the time limit; its index knows what other programs committed.

    Raises:
        CollectionNotFoundError: No collection has the name.
        SchemaOutdatedError: As for ``Transactions.read``; also QueryTimeoutError and StoreUnavailableError.
    """
    async with transactions.read() as conn:
        collection = await require_collection(conn, name)
        if not _is_due(transactions, collection):
            with noted([collection]):
                yield conn, collection
            return
    await index_foreign(transactions, collection)
    async with transactions.read() as conn:
        collection = await require_collection(conn, name)
        with noted([collection]):
            yield conn, collection


@asynccontextmanager
async def open_collections(
    transactions: Transactions,
) -> AsyncIterator[tuple[AsyncConnection, tuple[Collection, ...]]]:
    """A snapshot to read every collection in, by name; otherwise as ``open_collection``."""
    async with transactions.read() as conn:
        found = await list_collections(conn)
        due = [collection for collection in found if _is_due(transactions, collection)]
        if not due:
            with noted(found, is_all=True):
                yield conn, found
            return
    for collection in due:
        await index_foreign(transactions, collection)
    async with transactions.read() as conn:
        found = await list_collections(conn)
        with noted(found, is_all=True):
            yield conn, found


@asynccontextmanager
async def write_collection(transactions: Transactions, name: str) -> AsyncIterator[tuple[AsyncConnection, Collection]]:
    """A transaction to write to one collection in; others that write to it wait, and its index knows foreign rows.

    Raises:
        CollectionNotFoundError: No collection has the name.
        SchemaOutdatedError: As for ``Transactions.write``; also ConflictError and StoreUnavailableError.
    """
    async with transactions.write() as conn:
        collection = await _locked(conn, name)
        if not collection.has_foreign_changes:
            yield conn, collection
            return
    await index_foreign(transactions, collection)
    # What another program commits from here on is indexed after what this transaction does.
    async with transactions.write() as conn:
        yield conn, await _locked(conn, name)


async def _locked(conn: AsyncConnection, name: str) -> Collection:
    collection = await lock_collection(conn, name)
    if collection is None or name.endswith(REPLACEMENT_SUFFIX):
        raise CollectionNotFoundError(name)
    return collection


def _is_due(transactions: Transactions, collection: Collection) -> bool:
    paused_until = transactions.foreign_pauses.get(collection.id, 0.0)
    return collection.has_foreign_changes and time.monotonic() >= paused_until


async def index_foreign(transactions: Transactions, collection: Collection) -> None:
    """Index what other programs wrote, for a few seconds at most; what cannot be indexed is logged and stops nobody."""
    deadline, limit = time.monotonic() + _BUDGET_SECONDS, ROW_COUNT
    while time.monotonic() < deadline:
        try:
            # To its end, also when cancelled: who types on cancels searches, and one must get through.
            if not await outlast(asyncio.ensure_future(_index_some(transactions, collection.name, limit))):
                return
            limit = min(2 * limit, ROW_COUNT)
        except (StoreUnavailableError, QueryTimeoutError) as error:
            _pause(transactions, collection, str(error))
            return
        except LivesearchError as error:  # the store cannot do it: one of the rows must be the reason
            if limit == 1 and not await _refused(transactions, collection, error):
                return
            limit = max(limit // 8, 1)


async def index_all_foreign(transactions: Transactions) -> None:
    """Index what other programs wrote to any collection, however long that takes; as far as it is possible now."""
    while True:
        async with transactions.read(is_limited=False) as conn:
            due = [found for found in await list_collections(conn) if _is_due(transactions, found)]
        if not due:
            return
        for collection in due:
            await index_foreign(transactions, collection)


async def _index_some(transactions: Transactions, name: str, limit: int) -> bool:
    """Index some rows in a transaction; says whether more may be left."""
    async with transactions.write(patience_ms=_PATIENCE_MS) as conn:
        collection = await lock_collection(conn, name)
        if collection is None or not collection.has_foreign_changes:
            return False
        is_done = await index_noted(conn, collection, limit)
    if not is_done:
        _pause(transactions, collection, "another program is just writing to them")
    return is_done


async def _refused(transactions: Transactions, collection: Collection, reason: LivesearchError) -> bool:
    """Put aside the row that cannot be indexed; says whether that was possible."""
    try:
        async with transactions.write() as conn:
            locked = await _locked(conn, collection.name)
            await refuse_noted(conn, locked, str(reason))
    except LivesearchError as error:
        _pause(transactions, collection, str(error))
        return False
    return True


def _pause(transactions: Transactions, collection: Collection, reason: str) -> None:
    log.warning("foreign rows wait", collection=collection.name, reason=reason)
    transactions.foreign_pauses[collection.id] = time.monotonic() + _PAUSE_SECONDS
