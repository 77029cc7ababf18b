"""Chunks: which blocks of documents have changed since a version, so that caches read no more than those."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
from sqlalchemy import Executable, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS
from livesearch.models import chunks

# Places that a chunk's row can hold; past them all of the chunk is read again.
_PLACE_COUNT = 64


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
    known = await _told(conn, collection_id, places)
    rows: list[dict[str, int | bytes | None]] = [
        {
            "collection_id": collection_id,
            "chunk": chunk,
            "version": version,
            **_telling(places.get(chunk), known.get(chunk), version),
        }
        for chunk in sorted(set(touched))
    ]
    if not rows:
        return
    await conn.execute(_PUT[conn.dialect.name], rows)


def _put(insert: sqlite.Insert | postgresql.Insert) -> Executable:
    changed = {name: insert.excluded[name] for name in ("version", "since", "places")}
    return insert.on_conflict_do_update(index_elements=["collection_id", "chunk"], set_=changed)


# Made once: every edit uses it, and making it takes longer than running it.
_PUT = {"sqlite": _put(sqlite.insert(chunks)), "postgresql": _put(postgresql.insert(chunks))}


async def _told(
    conn: AsyncConnection, collection_id: int, wanted: Iterable[int]
) -> dict[int, tuple[int, int | None, bytes | None]]:
    """By chunk: the version of its last change, and the places that changed since a version."""
    rows = await conn.execute(_TOLD, {"id_": collection_id, "wanted": [*wanted]})
    return {chunk: (version, since, places) for chunk, version, since, places in rows}


_TOLD = select(chunks.c.chunk, chunks.c.version, chunks.c.since, chunks.c.places).where(
    chunks.c.collection_id == bindparam("id_"), chunks.c.chunk.in_(bindparam("wanted", expanding=True))
)


def _telling(
    places: bytes | None, known: tuple[int, int | None, bytes | None] | None, version: int
) -> dict[str, int | bytes | None]:
    """What a chunk's row then says of the places that have changed."""
    last, since, before = known or (version - 1, None, None)
    if places is None or len(places) > 2 * _PLACE_COUNT:
        return {"since": None, "places": None}
    if since is not None and before is not None and len(before) + len(places) <= 2 * _PLACE_COUNT:
        return {"since": since, "places": before + places}
    return {"since": last, "places": places}


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
