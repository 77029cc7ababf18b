"""Integrity: that the store's file is sound, and that index and numbers say what the documents say."""

from collections.abc import Mapping, Sequence

import numpy as np
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.db.faults import damage_of
from livesearch.domain import CHUNK_BITS, NUMERIC_ROLES, Collection, Document, Field
from livesearch.errors import StoreError
from livesearch.ingest import number_of
from livesearch.models import BLOCK_SIZE
from livesearch.search import keys
from livesearch.search.indexing import IndexSchema, PostingsBatch
from livesearch.services.transactions import Transactions
from livesearch.services.worker import Worker
from livesearch.store.collections import list_collections
from livesearch.store.doc_values import Numbers, load_blocks
from livesearch.store.documents import load_numbered
from livesearch.store.postings import chunks_of, load_range
from livesearch.store.schema import SchemaState, file_faults

_EVERY_KEY = ("", "\U0010ffff")
_CHUNK_SIZE = 1 << CHUNK_BITS
_BLOCK_COUNT = _CHUNK_SIZE // BLOCK_SIZE


class IntegrityService:
    """Checks the whole store; takes about as long as importing it did."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def check(self) -> list[str]:
        """What is wrong, in words for the operator; nothing when all is well.

        Raises:
            StoreUnavailableError: The store does not answer, for a reason other than damage.
        """
        try:
            # First, and whatever the schema is: in a damaged file it cannot be told.
            async with self._transactions.database.read() as conn:
                faults = await file_faults(conn)
            return faults or await self._check_rows()
        except StoreError as error:
            if (damage := damage_of(error)) is None:
                raise
            return [f"The file is damaged: {damage}"]

    async def _check_rows(self) -> list[str]:
        state = await self._transactions.schema()
        if state is not SchemaState.CURRENT:
            return [f"The schema is {state.value}. Run `livesearch db upgrade`."]
        async with self._transactions.read(is_limited=False) as conn:
            return [
                f"{collection.name}: {fault}"
                for collection in await list_collections(conn)
                for fault in await self._check_collection(conn, collection)
            ]

    async def _check_collection(self, conn: AsyncConnection, collection: Collection) -> list[str]:
        worker, faults, held_count = Worker(), [], 0
        numeric, wrong_fields = collection.by_role(*NUMERIC_ROLES), set[str]()
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
                faults += _differences(stored, expected)
                numbers = await load_blocks(
                    conn, collection.id, [f.name for f in numeric], first=chunk * _BLOCK_COUNT, count=_BLOCK_COUNT
                )
                wrong_fields |= await worker.run(_wrong_fields, numbers, found, numeric)
        finally:
            worker.close()
        if held_count != collection.document_count:
            faults.append(f"counts {collection.document_count} documents, holds {held_count}.")
        faults += [f"the numbers of “{name}” differ from the documents." for name in sorted(wrong_fields)]
        return faults


def _wrong_fields(
    stored: Mapping[str, Numbers], documents: Sequence[tuple[int, str, Document]], fields: Sequence[Field]
) -> set[str]:
    """The fields of whose numbers some are not those of the documents of one chunk."""
    places = np.array([number % _CHUNK_SIZE for number, _, _ in documents], np.int64)
    wrong = set()
    for field in fields:
        numbers = [number_of(document.get(field.name), field.type) for _, _, document in documents]
        expected = np.array(numbers, np.float64)  # None becomes NaN
        if not np.array_equal(stored[field.name][places], expected, equal_nan=True):
            wrong.add(field.name)
    return wrong


def _differences(stored: Mapping[str, BitMap], expected: Mapping[str, BitMap]) -> list[str]:
    wrong = [key for key in stored.keys() | expected.keys() if stored.get(key) != expected.get(key)]
    return [f"{len(wrong)} postings differ from the documents, as of {min(wrong)!r}."] if wrong else []
