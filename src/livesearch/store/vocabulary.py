"""The vocabulary: words of letters, and how many documents hold each."""

from collections.abc import Mapping
from typing import cast

from sqlalchemy import Text, func, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.models import vocabulary
from livesearch.store.dialect import dialect_of


async def apply_frequencies(conn: AsyncConnection, collection_id: int, deltas: Mapping[str, int], version: int) -> None:
    """Change how many documents hold some terms; a term that none holds any more is removed.

    Args:
        deltas: By term, documents more or less (count); terms of any kind, those with 0 are passed over.
        version: Of the collection, with this change; new terms get it.
    """
    changed = sorted((term, delta) for term, delta in deltas.items() if delta)
    dialect = dialect_of(conn)
    await dialect.add_frequencies(conn, [(collection_id, term, delta, version) for term, delta in changed])
    fewer = [term for term, delta in changed if delta < 0]
    if fewer:
        await dialect.delete_unused_terms(conn, collection_id, fewer)


async def load_vocabulary(conn: AsyncConnection, collection_id: int, since: int = -1) -> list[tuple[str, int]]:
    """Terms that versions after ``since`` brought, and how many documents hold each; in the order of their bytes."""
    return cast("list[tuple[str, int]]", list(await dialect_of(conn).terms_since(conn, collection_id, since)))


async def load_all_terms(conn: AsyncConnection, collection_id: int) -> tuple[str, str]:
    """All terms, in the order of their bytes, and how many documents hold each; either with spaces between.

    One row: as rows, 300,000 terms would take half a second of the event loop, and 100 MB.
    """
    ordered = (
        select(vocabulary.c.term, sql_cast(vocabulary.c.frequency, Text).label("frequency"))
        .where(vocabulary.c.collection_id == collection_id)
        .order_by(vocabulary.c.term)
        .subquery()
    )
    query = select(func.aggregate_strings(ordered.c.term, " "), func.aggregate_strings(ordered.c.frequency, " "))
    terms, frequencies = (await conn.execute(query)).one()
    return terms or "", frequencies or ""
