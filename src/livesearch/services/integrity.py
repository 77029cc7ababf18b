"""Integrity: that the store's file is sound, and that the index says what the documents say."""

from collections.abc import Mapping

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS, Collection
from livesearch.search import keys
from livesearch.search.indexing import IndexSchema, PostingsBatch
from livesearch.services.transactions import Transactions
from livesearch.services.worker import Worker
from livesearch.store.collections import list_collections
from livesearch.store.documents import load_numbered
from livesearch.store.postings import chunks_of, load_range
from livesearch.store.schema import SchemaState, file_faults

_EVERY_KEY = ("", "\U0010ffff")


class IntegrityService:
    """Checks the whole store; takes about as long as importing it did."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def check(self) -> list[str]:
        """What is wrong, in words for the operator; nothing when all is well."""
        state = await self._transactions.schema()
        if state is not SchemaState.CURRENT:
            return [f"The schema is {state.value}. Run `livesearch db upgrade`."]
        async with self._transactions.read(is_limited=False) as conn:
            faults = await file_faults(conn)
            for collection in await list_collections(conn):
                faults += await self._check_index(conn, collection)
        return faults

    async def _check_index(self, conn: AsyncConnection, collection: Collection) -> list[str]:
        worker, faults, held_count = Worker(), [], 0
        try:
            for chunk in chunks_of(collection.next_number):
                stored = await load_range(conn, collection.id, _EVERY_KEY, [chunk])
                found = await load_numbered(conn, collection.id, chunk << CHUNK_BITS, (chunk + 1) << CHUNK_BITS)
                batch = PostingsBatch(IndexSchema.of(collection), chunk)
                for number, _, document in found:
                    batch.add(number, document)
                expected = await worker.run(
                    lambda: {change.key: BitMap.deserialize(change.added) for change in batch.changes()}  # noqa: B023
                )
                held_count += len(stored.get(keys.ALL, ()))
                faults += [f"{collection.name}: {fault}" for fault in _differences(stored, expected)]
        finally:
            worker.close()
        if held_count != collection.document_count:
            faults.append(f"{collection.name}: counts {collection.document_count} documents, holds {held_count}.")
        return faults


def _differences(stored: Mapping[str, BitMap], expected: Mapping[str, BitMap]) -> list[str]:
    wrong = [key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key)]
    return [f"{len(wrong)} postings differ from the documents, as of {min(wrong)!r}."] if wrong else []
