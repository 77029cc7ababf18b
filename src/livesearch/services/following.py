"""Tables that a collection can follow in place, and how it begins to."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection
from livesearch.errors import ConflictError, SourceError, StoreUnavailableError
from livesearch.ingest import PostgresSource, Source
from livesearch.ingest.postgres_reader import IDENTITY
from livesearch.ingest.postgres_table import Table, key_text, quote
from livesearch.ingest.source import tidy_name
from livesearch.services.transactions import Transactions
from livesearch.store import in_place as store
from livesearch.store.collections import find_collection


@dataclass(frozen=True, slots=True)
class Following:
    """A table that can be followed, and the column whose values tell its rows apart."""

    source: PostgresSource
    key: str

    @property
    def table(self) -> Table:
        """The table."""
        return self.source.table

    async def start(self, conn: AsyncConnection, collection: Collection) -> None:
        """Note what becomes of the table from the end of this transaction on; it is taken over once all was read."""
        await store.start_noting(
            conn,
            collection.id,
            table=self.table.quoted,
            key=quote(self.key),
            key_name=self.key,
            key_text=key_text(self.key),
        )
        await store.mark(conn, collection.id, table=self.table.label, is_following=False)
        # Of an earlier try there may be documents whose rows went while nobody noted it.
        await store.note_any(conn, collection.id)

    async def is_followed_by(self, conn: AsyncConnection, collection: Collection) -> bool:
        """Whether a collection follows the table already; False where it has to be read first.

        Raises:
            ConflictError: The collection is something else.
        """
        oid = await store.followed_table(conn, collection.id)
        if collection.source_table is None or (oid is not None and oid != self.table.oid):
            raise ConflictError(
                f"“{collection.name}” is a collection already, {_nature(collection)}. Give --name for another"
                f" collection, or --replace to have {self.table.label} in its place."
            )
        if oid is None and collection.source_table != self.table.label:
            raise ConflictError(
                f"“{collection.name}” follows the table {collection.source_table}, which is gone. Give --replace to"
                f" have {self.table.label} in its place, or --name for another collection."
            )
        return collection.is_following and oid is not None


async def find_following(
    transactions: Transactions, source: Source, *, name: str | None, key: str | None
) -> Following | None:
    """The table that a source is, where it lies in the store's own database; None for what is copied.

    Args:
        name: The collection whose key is kept; None where a person replaces it.
        key: The column that a person chose as the key.

    Raises:
        SourceError: No column of the table can be the key.
    """
    if not isinstance(source, PostgresSource) or transactions.database.is_sqlite:
        return None
    async with transactions.read() as conn:
        if tuple((await store.fetch(conn, IDENTITY))[0]) != source.identity:
            return None
        existing = await find_collection(conn, name) if name else None
    table = source.table
    if table.kind != "table" or table.has_kin:
        kind = "table of several that inherit" if table.kind == "table" else table.kind
        source.note(f"{table.label} is a {kind}, which cannot be followed: its rows are copied")
        return None
    key = key or (existing.key_field if existing and existing.source_table else table.primary_key)
    column = table.column(key or "")
    if key is None or column is None or key not in table.unique or not column.can_be_key or tidy_name(key) != key:
        can = [name for name in table.unique if (found := table.column(name)) and found.can_be_key]
        raise SourceError(
            f"Changes of “{table.label}” cannot be followed by {f'“{key}”' if key else 'its primary key'}: that takes"
            " one column of texts, whole numbers or UUIDs with a unique index."
            + (f" Give --key {can[0]}." if can else " Make one, or import a view of the table to have it copied.")
        )
    source.key = key
    return Following(source, key)


def busy_table(error: StoreUnavailableError, which: str) -> ConflictError | None:
    """The error in words for who wants to begin or end following; None where it speaks of something else."""
    if not store.is_table_busy(error):
        return None
    return ConflictError(
        f"The table {which} is in use: another program holds it for longer than two seconds. Nothing was changed. Try"
        " again when its transaction has ended."
    )


def _nature(collection: Collection) -> str:
    return (
        f"which follows {collection.source_table}" if collection.source_table else "whose documents are copies or edits"
    )
