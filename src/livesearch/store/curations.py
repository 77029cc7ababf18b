"""Curations of a collection."""

from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Curation
from livesearch.models import LARGEST_ID, curations

_TABLE = curations.c


def _curation(row: Row[Any]) -> Curation:  # Any: columns of several types
    return Curation(row.id, row.query, row.document_key, row.position)


async def _load(conn: AsyncConnection, query: Select[Any]) -> tuple[Curation, ...]:  # Any: as above
    return tuple(_curation(row) for row in await conn.execute(query))


async def load_curations(conn: AsyncConnection, collection_id: int) -> tuple[Curation, ...]:
    """All curations of a collection, by query, then by place; hidden documents last."""
    found = await _load(conn, select(curations).where(_TABLE.collection_id == collection_id))
    return tuple(sorted(found, key=_order))


async def curations_of(conn: AsyncConnection, collection_id: int, query: str) -> tuple[Curation, ...]:
    """The curations of one query, by place; hidden documents last."""
    wanted = select(curations).where(_TABLE.collection_id == collection_id, _TABLE.query == query)
    return tuple(sorted(await _load(conn, wanted), key=_order))


def _order(curation: Curation) -> tuple[str, bool, int, int]:
    return curation.query, curation.position is None, curation.position or 0, curation.id


async def find_curation(conn: AsyncConnection, collection_id: int, curation_id: int) -> Curation | None:
    """The curation of that id, or None."""
    if curation_id > LARGEST_ID:
        return None
    wanted = select(curations).where(_TABLE.collection_id == collection_id, _TABLE.id == curation_id)
    row = (await conn.execute(wanted)).one_or_none()
    return _curation(row) if row else None


async def count_curations(conn: AsyncConnection, collection_id: int) -> int:
    """How many curations a collection has."""
    counted = select(func.count()).where(_TABLE.collection_id == collection_id)
    return int((await conn.execute(counted)).scalar_one())


async def add_curation(conn: AsyncConnection, collection_id: int, curation: Curation) -> int:
    """Store a curation; its id is given by the store, and returned."""
    added = (
        insert(curations)
        .values(
            collection_id=collection_id,
            query=curation.query,
            document_key=curation.document_key,
            position=curation.position,
        )
        .returning(_TABLE.id)
    )
    return int((await conn.execute(added)).scalar_one())


async def move_curation(conn: AsyncConnection, curation_id: int, position: int | None) -> None:
    """Give a curation another place; None hides the document."""
    await conn.execute(update(curations).where(_TABLE.id == curation_id).values(position=position))


async def delete_curation(conn: AsyncConnection, curation_id: int) -> None:
    """Remove one curation."""
    await conn.execute(delete(curations).where(_TABLE.id == curation_id))
