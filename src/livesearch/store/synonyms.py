"""Synonyms of a collection."""

from collections.abc import Sequence

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Synonym
from livesearch.models import LARGEST_ID, synonyms


async def load_synonyms(conn: AsyncConnection, collection_id: int) -> tuple[Synonym, ...]:
    """All synonyms of a collection, in the order they came."""
    query = select(synonyms).where(synonyms.c.collection_id == collection_id).order_by(synonyms.c.id)
    return tuple(
        Synonym(row.id, row.words, tuple(row.alternatives), row.is_two_way) for row in await conn.execute(query)
    )


async def add_synonyms(conn: AsyncConnection, collection_id: int, added: Sequence[Synonym]) -> None:
    """Store synonyms; their ids are given by the store."""
    rows = [
        {
            "collection_id": collection_id,
            "words": synonym.words,
            "alternatives": list(synonym.alternatives),
            "is_two_way": synonym.is_two_way,
        }
        for synonym in added
    ]
    if rows:
        await conn.execute(insert(synonyms), rows)


async def delete_synonym(conn: AsyncConnection, collection_id: int, synonym_id: int) -> bool:
    """Remove one synonym of a collection; answers whether it was there."""
    if synonym_id > LARGEST_ID:
        return False
    gone = delete(synonyms).where(synonyms.c.collection_id == collection_id, synonyms.c.id == synonym_id)
    return (await conn.execute(gone)).rowcount > 0
