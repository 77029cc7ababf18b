"""The statements whose SQL differs between the stores; `sqlite.py` and `postgres.py` write them out.

They are the hot ones: many rows a call, or many keys a call, as one statement and one trip to the database.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.store import postgres, sqlite

# collection, chunk, key, cardinality, bitmap
PostingRow = tuple[int, int, str, int, bytes]
# collection, number, key, body, digest
DocumentRow = tuple[int, int, str, bytes, bytes]


class Dialect(Protocol):
    """One store's way to say it. Row tuples follow the order of the table's columns."""

    async def put_postings(self, conn: AsyncConnection, rows: Sequence[PostingRow]) -> None:
        """Insert postings, or replace those with the same collection, chunk and key."""

    async def put_documents(self, conn: AsyncConnection, rows: Sequence[DocumentRow]) -> None:
        """Insert documents, or replace those with the same number."""

    async def postings_of(
        self, conn: AsyncConnection, collection_id: int, keys: Iterable[str], chunks: Iterable[int]
    ) -> Sequence[tuple[str, bytes]]:
        """Key and bitmap of the postings there are, a row for each chunk that has the key."""

    async def delete_postings(self, conn: AsyncConnection, collection_id: int, chunk: int, keys: Iterable[str]) -> None:
        """Remove postings of a chunk."""

    async def documents_by_key(
        self, conn: AsyncConnection, collection_id: int, keys: Iterable[str]
    ) -> Sequence[tuple[str, int, bytes]]:
        """Key, number and digest of the documents there are."""

    async def documents_by_number(
        self, conn: AsyncConnection, collection_id: int, numbers: Iterable[int]
    ) -> Sequence[tuple[int, str, bytes]]:
        """Number, key and body of the documents there are."""


def dialect_of(conn: AsyncConnection) -> Dialect:
    """The statements for the store that a connection speaks to."""
    return sqlite.STATEMENTS if conn.dialect.name == "sqlite" else postgres.STATEMENTS
