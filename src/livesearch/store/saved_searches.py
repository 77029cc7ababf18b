"""Searches that users come back to, with the documents each has shown."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap
from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, DigestRhythm, Range, SavedSearch, SearchQuery
from livesearch.models import collections, documents, saved_searches, users

# Documents whose new numbers are looked up at once.
_MOVED_AT_ONCE = 50_000

_SETS = ("seen", "fresh", "told")
_ROW: Any = select(  # Any: columns of several types
    *(column for column in saved_searches.c if column.name not in {*_SETS, "seen_version", "told_at", "stop_token"}),
    collections.c.name.label("collection"),
).join(collections, saved_searches.c.collection_id == collections.c.id)


def _saved_search(row: Row[Any]) -> SavedSearch:  # Any: columns of several types
    values = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    query = values.pop("query")
    ranges = {name: Range(**limits) for name, limits in query.pop("ranges").items()}
    filters = {name: tuple(chosen) for name, chosen in query.pop("filters").items()}
    return SavedSearch(
        query=SearchQuery(filters=filters, ranges=ranges, **query), digest=DigestRhythm(values.pop("digest")), **values
    )


async def list_saved_searches(conn: AsyncConnection, user_id: int) -> Sequence[SavedSearch]:
    """A user's saved searches, in the order in which they were saved."""
    query = _ROW.where(saved_searches.c.user_id == user_id).order_by(saved_searches.c.id)
    return [_saved_search(row) for row in await conn.execute(query)]


async def find_saved_search(conn: AsyncConnection, user_id: int, search_id: int) -> SavedSearch | None:
    """One of a user's saved searches, or None."""
    query = _ROW.where(saved_searches.c.user_id == user_id, saved_searches.c.id == search_id)
    row = (await conn.execute(query)).one_or_none()
    return _saved_search(row) if row else None


async def count_saved_searches(conn: AsyncConnection, user_id: int) -> int:
    """How many a user has, for a transaction that adds one: others that want to do so wait for its end."""
    await conn.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))
    count = select(func.count()).select_from(saved_searches).where(saved_searches.c.user_id == user_id)
    return int((await conn.execute(count)).scalar_one())


async def add_saved_search(
    conn: AsyncConnection,
    user_id: int,
    collection: Collection,
    *,
    name: str,
    query: SearchQuery,
    seen: BitMap,
    now: float,
) -> int:
    """Save a search whose documents have all been seen, and give its number.

    Args:
        collection: As the snapshot had it in which it found those documents.
        now: Unix seconds, UTC.
    """
    stored = {
        "text": query.text,
        "filters": {field: list(chosen) for field, chosen in query.filters.items()},
        "ranges": {field: asdict(chosen) for field, chosen in query.ranges.items()},
        "sort": query.sort,
        "is_verbatim": query.is_verbatim,
    }
    values = {
        "name": name,
        "query": stored,
        "seen": encode_set(seen),
        "fresh": encode_set(BitMap()),
        "told": encode_set(BitMap()),
        "seen_version": collection.version,
        "mark_count": 0,
        "digest": DigestRhythm.OFF.value,
    }
    added = insert(saved_searches).values(
        **values, user_id=user_id, collection_id=collection.id, created_at=now, seen_at=now
    )
    return int((await conn.execute(added.returning(saved_searches.c.id))).scalar_one())


async def change_saved_search(conn: AsyncConnection, user_id: int, search_id: int, **values: object) -> bool:
    """Set columns of one of a user's saved searches; says whether there is such a one."""
    mine = saved_searches.c.user_id == user_id, saved_searches.c.id == search_id
    return bool((await conn.execute(update(saved_searches).where(*mine).values(**values))).rowcount)


async def delete_saved_search(conn: AsyncConnection, user_id: int, search_id: int) -> bool:
    """Remove one of a user's saved searches; says whether there was such a one."""
    mine = saved_searches.c.user_id == user_id, saved_searches.c.id == search_id
    return bool((await conn.execute(delete(saved_searches).where(*mine))).rowcount)


async def load_sets(conn: AsyncConnection, search_ids: Iterable[int], name: str) -> dict[int, BitMap]:
    """The documents of saved searches.

    Args:
        name: ``seen``, ``fresh`` or ``told``.
    """
    query = select(saved_searches.c.id, saved_searches.c[name]).where(saved_searches.c.id.in_(list(search_ids)))
    return {id_: BitMap.deserialize(stored) for id_, stored in await conn.execute(query)}


async def mark_seen(conn: AsyncConnection, saved: SavedSearch, found: BitMap, version: int, *, now: float) -> None:
    """Remember what a search found as seen, unless what is there is of a later version; what was new stays known.

    Args:
        found: In the version of its collection that is given.
        now: Unix seconds, UTC.
    """
    mine = saved_searches.c.id == saved.id, saved_searches.c.collection_id == saved.collection_id
    query = select(saved_searches.c.seen, saved_searches.c.seen_version).where(*mine).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    if row is None or row.seen_version > version:
        return
    fresh = found - BitMap.deserialize(row.seen)
    values: dict[str, object] = {"fresh": encode_set(fresh)} if fresh else {}
    await conn.execute(
        update(saved_searches)
        .where(*mine)
        .values(
            **values,
            seen=encode_set(found),
            seen_version=version,
            mark_count=saved_searches.c.mark_count + 1,
            seen_at=now,
        )
    )


async def move_saved_searches(conn: AsyncConnection, replaced: Collection, built: Collection) -> None:
    """Give a collection the saved searches of the one it replaces: documents are the same where their keys are."""
    query = select(saved_searches).where(saved_searches.c.collection_id == replaced.id)
    rows = (await conn.execute(query)).all()
    numbers = await _new_numbers(conn, replaced, built) if rows else np.empty(0, np.int64)
    for row in rows:
        sets = {name: encode_set(_moved(BitMap.deserialize(getattr(row, name)), numbers)) for name in _SETS}
        await conn.execute(
            update(saved_searches)
            .where(saved_searches.c.id == row.id)
            .values(
                **sets, collection_id=built.id, seen_version=built.version, mark_count=saved_searches.c.mark_count + 1
            )
        )


async def _new_numbers(conn: AsyncConnection, replaced: Collection, built: Collection) -> NDArray[np.int64]:
    """By the number that a document had, the one it has; -1 where it has none."""
    old, new = documents.alias("old"), documents.alias("new")
    numbers = np.full(replaced.next_number, -1, np.int64)
    is_same = (new.c.collection_id == built.id) & (new.c.key_hash == old.c.key_hash) & (new.c.key == old.c.key)
    pairs = select(old.c.number, new.c.number).join(new, is_same).where(old.c.collection_id == replaced.id)
    for first in range(0, replaced.next_number, _MOVED_AT_ONCE):
        some = pairs.where(old.c.number.between(first, first + _MOVED_AT_ONCE - 1), new.c.number >= 0)
        for before, after in await conn.execute(some):
            numbers[before] = after
    return numbers


def _moved(before: BitMap, numbers: NDArray[np.int64]) -> BitMap:
    held = numbers[np.frombuffer(before.to_array(), np.uint32)] if before else numbers[:0]
    return BitMap(held[held >= 0].astype(np.uint32))


def encode_set(found: BitMap) -> bytes:
    """A set of documents as it is stored."""
    # A copy: what a search has found may be shared.
    copy = BitMap(found)
    copy.run_optimize()
    stored: bytes = copy.serialize()
    return stored
