"""Collections: list, look at, drop."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection
from livesearch.errors import CollectionNotFoundError
from livesearch.services.transactions import Transactions
from livesearch.store import collections as store


async def require_collection(conn: AsyncConnection, name: str) -> Collection:
    """The collection of that name.

    Raises:
        CollectionNotFoundError: There is none.
    """
    # What is being built to replace a collection is not there for anybody yet.
    found = None if name.endswith(store.REPLACEMENT_SUFFIX) else await store.find_collection(conn, name)
    if found is None:
        raise CollectionNotFoundError(name)
    return found


@dataclass(frozen=True, slots=True)
class StoredSize:
    """What a collection takes in the store, in bytes."""

    documents: int
    index: int


class CollectionService:
    """What there is to search."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def list_all(self) -> tuple[Collection, ...]:
        """All collections by name."""
        async with self._transactions.read() as conn:
            return await store.list_collections(conn)

    async def get(self, name: str) -> Collection:
        """One collection.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with self._transactions.read() as conn:
            return await require_collection(conn, name)

    async def size(self, name: str) -> StoredSize:
        """What one collection takes in the store. Reads every row of it.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with self._transactions.database.read() as conn:
            collection = await require_collection(conn, name)
            return StoredSize(*await store.stored_bytes(conn, collection.id))

    async def drop(self, name: str) -> Collection:
        """Remove a collection with its documents and index.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with self._transactions.write() as conn:
            collection = await require_collection(conn, name)
            await store.drop_collection(conn, collection.id)
            half_built = await store.find_collection(conn, name + store.REPLACEMENT_SUFFIX)
            if half_built:
                await store.drop_collection(conn, half_built.id)
            return collection
