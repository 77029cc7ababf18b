"""Chunks: which blocks of documents have changed since a version, so that caches read no more than those."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
from sqlalchemy import Insert, Integer, LargeBinary, and_, case, cast, func, literal_column, null, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS
from livesearch.models import chunks
from livesearch.store.dialect import dialect_of

# Bytes of places, two each, that a chunk's row can hold; past them all of the chunk is read again.
_PLACES_SIZE = 128


async def touch_chunks(
    conn: AsyncConnection,
    collection_id: int,
    touched: Iterable[int],
    version: int,
    *,
    numbers: Iterable[int] | None = None,
) -> None:
    """Record that a version of the collection has changed some chunks.

    Args:
        numbers: The documents that have changed, where nothing else of the chunks has.
    """
    places: defaultdict[int, bytes] = defaultdict(bytes)
    for number in numbers or ():
        places[number >> CHUNK_BITS] += (number & (1 << CHUNK_BITS) - 1).to_bytes(2, "little")
    rows: list[dict[str, int | bytes | None]] = []
    for chunk in sorted(set(touched)):
        told = places.get(chunk)
        if told is not None and len(told) > _PLACES_SIZE:
            told = None
        since = None if told is None else version - 1
        rows.append(
            {"collection_id": collection_id, "chunk": chunk, "version": version, "since": since, "places": told}
        )
    await dialect_of(conn).put(conn, _PUT[conn.dialect.name], rows)


def _put(insert: sqlite.Insert | postgresql.Insert) -> Insert:
    """Insert a chunk's row; where there is one, what it says of places that have changed is gone on with."""
    new, size = insert.excluded, func.length
    limit = literal_column(str(_PLACES_SIZE), Integer)
    goes_on = and_(chunks.c.since.is_not(None), size(chunks.c.places) + size(new.places) <= limit)
    # SQLite puts bytes together as a text, byte for byte.
    both = cast(chunks.c.places.op("||")(new.places), LargeBinary)
    changed = {
        "version": new.version,
        "since": case((new.places.is_(None), null()), (goes_on, chunks.c.since), else_=chunks.c.version),
        "places": case((goes_on, both), else_=new.places),
    }
    return insert.on_conflict_do_update(index_elements=["collection_id", "chunk"], set_=changed)


# Made once: every edit uses it, and making it takes longer than running it.
_PUT = {"sqlite": _put(sqlite.insert(chunks)), "postgresql": _put(postgresql.insert(chunks))}


async def changes_since(conn: AsyncConnection, collection_id: int, version: int) -> Mapping[int, frozenset[int] | None]:
    """The chunks that versions after this one have changed.

    Returns:
        By chunk, the places of the documents in it that may have changed; None for any.
    """
    query = select(chunks.c.chunk, chunks.c.since, chunks.c.places).where(
        chunks.c.collection_id == collection_id, chunks.c.version > version
    )
    return {
        chunk: frozenset(np.frombuffer(places, "<u2").tolist()) if since is not None and since <= version else None
        for chunk, since, places in await conn.execute(query)
    }


async def changed_chunks(conn: AsyncConnection, collection_id: int, since: int) -> list[int]:
    """The chunks that versions after ``since`` have changed, in order."""
    query = (
        select(chunks.c.chunk)
        .where(chunks.c.collection_id == collection_id, chunks.c.version > since)
        .order_by(chunks.c.chunk)
    )
    return list((await conn.execute(query)).scalars())
