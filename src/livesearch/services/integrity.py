"""Integrity: that the store's file is sound, and that index and numbers say what the documents say."""

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.db.faults import damage_of
from livesearch.domain import CHUNK_BITS, NUMERIC_ROLES, Collection, Document, Field
from livesearch.errors import StoreError
from livesearch.ingest import number_of
from livesearch.models import BLOCK_SIZE
from livesearch.search import keys
from livesearch.search.indexing import IndexSchema, PostingsBatch
from livesearch.services import in_place
from livesearch.services.opening import index_all_foreign
from livesearch.services.transactions import Transactions
from livesearch.services.worker import Worker
from livesearch.store.bitmaps import encode
from livesearch.store.collections import list_collections
from livesearch.store.doc_values import Numbers, load_blocks
from livesearch.store.documents import load_numbered
from livesearch.store.postings import IndexDelta, chunks_of, load_chunk_postings
from livesearch.store.schema import SchemaState, file_faults
from livesearch.store.vocabulary import load_vocabulary

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
        await index_all_foreign(self._transactions)
        async with self._transactions.read(is_limited=False) as conn:
            return [
                f"{collection.name}: {fault}"
                for collection in await list_collections(conn)
                for fault in await self._faults(conn, collection)
            ]

    async def _faults(self, conn: AsyncConnection, collection: Collection) -> list[str]:
        if collection.has_foreign_changes:
            return ["rows of another program could not be indexed yet; the log says why. Check again later."]
        state = await in_place.state_of(conn, collection)
        return ([f"{state}"] if state else []) + await self._check_collection(conn, collection)

    async def _check_collection(self, conn: AsyncConnection, collection: Collection) -> list[str]:
        worker, faults, counts, held_count = Worker(), [], IndexDelta(), 0
        numeric, wrong_fields = collection.by_role(*NUMERIC_ROLES), set[str]()
        try:
            for chunk in chunks_of(collection.next_number):
                batch, numbers = PostingsBatch(IndexSchema.of(collection), chunk), _expected_numbers(numeric)
                # A part at a time: as dictionaries, a chunk of long documents takes some hundred megabytes.
                for first in range(chunk << CHUNK_BITS, (chunk + 1) << CHUNK_BITS, BLOCK_SIZE):
                    found = await load_numbered(conn, collection, first, first + BLOCK_SIZE)
                    await worker.run(_take_in, batch, numbers, found, numeric)
                stored = await load_chunk_postings(conn, collection.id, chunk)
                held_count += stored.get(keys.ALL, (0, b""))[0]
                faults += await worker.run(_wrong_postings, stored, batch, counts)
                blocks = await load_blocks(
                    conn, collection.id, [f.name for f in numeric], first=chunk * _BLOCK_COUNT, count=_BLOCK_COUNT
                )
                wrong_fields |= {name for name, expected in numbers.items() if not _agree(blocks[name], expected)}
        finally:
            worker.close()
        if held_count != collection.document_count:
            faults.append(f"counts {collection.document_count} documents, holds {held_count}.")
        if counts.token_count != collection.token_count:
            faults.append(f"counts {collection.token_count} words of documents, holds {counts.token_count}.")
        faults += _wrong_terms(await load_vocabulary(conn, collection.id), counts)
        faults += [f"the numbers of “{name}” differ from the documents." for name in sorted(wrong_fields)]
        return faults


# By place in the chunk, the number of the document there.
_ByPlace = dict[int, float | None]


def _expected_numbers(fields: Sequence[Field]) -> dict[str, _ByPlace]:
    return {field.name: {} for field in fields}


def _take_in(
    batch: PostingsBatch,
    numbers: Mapping[str, _ByPlace],
    documents: Sequence[tuple[int, str, Document]],
    fields: Sequence[Field],
) -> None:
    for number, _, document in documents:
        batch.add(number, document)
        for field in fields:
            numbers[field.name][number % _CHUNK_SIZE] = number_of(document.get(field.name), field.type)


def _wrong_postings(stored: dict[str, tuple[int, bytes]], batch: PostingsBatch, counts: IndexDelta) -> list[str]:
    """What is wrong with the postings of a chunk; what follows from the right ones is added to ``counts``."""
    wrong = []
    for change in batch.changes():
        cardinality = len(change.added) // 2
        counts.count(change.key, cardinality)
        # What is held is always written in the same way.
        if stored.pop(change.key, None) != (cardinality, encode(change.added)):
            wrong.append(change.key)
    wrong += stored
    return [f"{len(wrong)} postings differ from the documents, as of {min(wrong)!r}."] if wrong else []


def _agree(stored: Numbers, expected: _ByPlace) -> bool:
    """Whether the numbers of one field are those of the documents of one chunk."""
    places = np.fromiter(expected, np.int64, len(expected))
    numbers = np.array(list(expected.values()), np.float64)  # None becomes NaN
    return np.array_equal(stored[places], numbers, equal_nan=True)


def _wrong_terms(stored: Sequence[tuple[str, int]], counts: IndexDelta) -> list[str]:
    expected = {term: frequency for term, frequency in counts.frequencies.items() if frequency}
    wrong = {term for term, _ in dict(stored).items() ^ expected.items()}
    return [f"{len(wrong)} words of the vocabulary differ from the documents, as of {min(wrong)!r}."] if wrong else []
