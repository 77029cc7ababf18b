"""The statements whose SQL differs between the stores; `sqlite.py` and `postgres.py` write them out.

They are the hot ones: many rows a call, or many keys a call, as one statement and one trip to the database.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import Insert
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.store import postgres, sqlite

# collection, chunk, key, cardinality, bitmap
PostingRow = tuple[int, int, str, int, bytes]
# key, chunk, cardinality, bitmap
StoredPosting = tuple[str, int, int, bytes]
# collection, number, key, key's hash, body, digest
DocumentRow = tuple[int, int, str, int, bytes, bytes]
# collection, term, documents more or less, version
FrequencyRow = tuple[int, str, int, int]


class Dialect(Protocol):
    """One store's way to say it. Row tuples follow the order of the table's columns."""

    async def fetch(self, conn: AsyncConnection, sql: str, parameters: Sequence[Any]) -> list[Any]:  # Any: any columns
        """The rows of a statement in this store's SQL, as its driver gives them."""

    async def put(self, conn: AsyncConnection, statement: Insert, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run an insert, or an insert that replaces, for each row; made once, so that it is compiled once.

        As all that puts and removes here, what goes wrong may be told by the next statement that is waited for.
        """

    async def put_postings(self, conn: AsyncConnection, rows: Sequence[PostingRow]) -> None:
        """Insert postings, or replace those with the same collection, chunk and key."""

    async def add_last(
        self, conn: AsyncConnection, collection_id: int, chunk: int, keys: Sequence[str], low: bytes
    ) -> bool:
        """Put a number into postings of a chunk, where it is larger than any that they have.

        Args:
            low: The low 16 bits, as little-endian uint16.

        Returns:
            False where the store cannot do this by itself: nothing is done then.
        """

    async def put_documents(self, conn: AsyncConnection, rows: Sequence[DocumentRow]) -> None:
        """Insert documents, or replace those with the same number."""

    async def postings_of(
        self, conn: AsyncConnection, collection_id: int, keys: Iterable[str], chunks: Iterable[int]
    ) -> Sequence[StoredPosting]:
        """The postings there are, a row for each chunk that has the key."""

    async def postings_and_parts(
        self,
        conn: AsyncConnection,
        collection_id: int,
        keys: Iterable[str],
        ranges: Sequence[tuple[str, str]],
        chunks: Sequence[int],
    ) -> tuple[Sequence[StoredPosting], Sequence[Sequence[tuple[int, int, bytes]]]]:
        """What ``postings_of`` gives, and for each range (first, end exclusive) chunk, cardinality, bitmap of its keys.

        Those in a range that are plain numbers are put together, a row for each chunk, with cardinality 0.
        """

    async def delete_postings(self, conn: AsyncConnection, collection_id: int, chunk: int, keys: Iterable[str]) -> None:
        """Remove postings of a chunk."""

    async def documents_by_key(
        self, conn: AsyncConnection, collection_id: int, hashes: Mapping[str, int]
    ) -> Sequence[tuple[str, int, bytes]]:
        """Key, number and digest of the documents there are, for keys given with their hashes."""

    async def documents_to_lock(
        self, conn: AsyncConnection, collection_id: int, hashes: Sequence[int]
    ) -> Sequence[tuple[int, str, bytes, bytes]]:
        """Number, key, digest and body of the rows with these hashes, which stay so until the transaction ends.

        Locked in one order, so that two who lock the same documents wait for each other in turn.
        """

    async def documents_by_number(
        self, conn: AsyncConnection, collection_id: int, numbers: Iterable[int]
    ) -> Sequence[tuple[int, str, bytes]]:
        """Number, key and body of the documents there are."""

    async def add_frequencies(self, conn: AsyncConnection, rows: Sequence[FrequencyRow]) -> None:
        """Add to the frequencies of terms; a new term gets the row's version."""

    async def delete_unused_terms(self, conn: AsyncConnection, collection_id: int, terms: Sequence[str]) -> None:
        """Remove those of the terms whose frequency has come to nothing."""

    async def terms_since(self, conn: AsyncConnection, collection_id: int, version: int) -> Sequence[tuple[str, int]]:
        """Term and frequency of the terms that came after a version, -1 for all, in the order of bytes."""


def dialect_of(conn: AsyncConnection) -> Dialect:
    """The statements for the store that a connection speaks to."""
    return sqlite.STATEMENTS if conn.dialect.name == "sqlite" else postgres.STATEMENTS
