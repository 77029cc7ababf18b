"""Collections: list, look at, drop."""

from dataclasses import dataclass

from livesearch.domain import ANYBODY, Collection, Viewer
from livesearch.errors import StoreUnavailableError
from livesearch.services import in_place
from livesearch.services.following import busy_table
from livesearch.services.opening import open_collection, open_collections, require_collection
from livesearch.services.sights import seen_by
from livesearch.services.transactions import Transactions
from livesearch.store import collections as store

__all__ = ["CollectionService", "StoredSize", "require_collection"]


@dataclass(frozen=True, slots=True)
class StoredSize:
    """What a collection takes in the store, in bytes."""

    documents: int
    index: int


@dataclass(frozen=True, slots=True)
class FollowedTable:
    """The table whose rows a collection's documents are.

    Attributes:
        name: As it now is.
        fault: Why its changes are not taken over, in words; None where they are.
    """

    name: str
    fault: str | None


class CollectionService:
    """What there is to search."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def list_all(self, viewer: Viewer = ANYBODY) -> tuple[Collection, ...]:
        """All collections by name, with the counts of what the viewer may see."""
        async with open_collections(self._transactions) as (conn, found):
            return tuple([await seen_by(conn, collection, viewer) for collection in found])

    async def get(self, name: str, viewer: Viewer = ANYBODY) -> Collection:
        """One collection, with the counts of what the viewer may see.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with open_collection(self._transactions, name) as (conn, collection):
            return await seen_by(conn, collection, viewer)

    async def size(self, name: str) -> StoredSize:
        """What one collection takes in the store. Reads every row of it.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with self._transactions.database.read() as conn:
            collection = await require_collection(conn, name)
            return StoredSize(*await store.stored_bytes(conn, collection.id))

    async def followed_table(self, name: str) -> FollowedTable | None:
        """The table that a collection follows in place; None where its documents are its own.

        Raises:
            CollectionNotFoundError: No collection has the name.
        """
        async with self._transactions.read() as conn:
            collection = await require_collection(conn, name)
            label = await in_place.current_label(conn, collection)
            return FollowedTable(label, await in_place.state_of(conn, collection)) if label else None

    async def drop(self, name: str) -> Collection:
        """Remove a collection with its documents and index, and what follows its table.

        Raises:
            CollectionNotFoundError: No collection has the name.
            ConflictError: The table is in use.
        """
        try:
            return await self._drop(name)
        except StoreUnavailableError as error:
            raise busy_table(error, f"the collection “{name}” follows") or error from error

    async def _drop(self, name: str) -> Collection:
        async with self._transactions.write() as conn:
            collection = await require_collection(conn, name)
            await store.drop_collection(conn, collection.id)
            half_built = await store.find_collection(conn, name + store.REPLACEMENT_SUFFIX)
            if half_built:
                await store.drop_collection(conn, half_built.id)
            return collection
