"""The journal: which documents each version of a collection has changed, and what they were before.

Pages that are open ask what has changed since the version they show. The journal is bounded: what is too old or too
much is not told, and then only that something has changed is known.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from pyroaring import BitMap
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Document
from livesearch.models import journal
from livesearch.store.dialect import dialect_of

# Bytes of former documents that are kept of one version, and of all versions of a collection; and versions.
KEPT_SIZE = 256_000
_JOURNAL_SIZE, _VERSION_COUNT = 8_000_000, 4_000
# Versions between two looks at what can go.
_PRUNED_EVERY = 64


@dataclass(frozen=True, slots=True)
class Former:
    """A document as it was before a change.

    Attributes:
        key: None where whoever changed it did not say.
    """

    key: str | None
    document: Document


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """What one version has changed, by documents' numbers.

    Attributes:
        before: What those updated and removed were; None where that was too much to be kept.
    """

    version: int
    created: BitMap
    updated: BitMap
    removed: BitMap
    before: Mapping[int, Former] | None


_INSERT = insert(journal)


async def write_entry(
    conn: AsyncConnection,
    collection_id: int,
    version: int,
    *,
    at: float,
    created: Iterable[int] = (),
    updated: Iterable[int] = (),
    removed: Iterable[int] = (),
    before: Mapping[int, Former] | None,
) -> None:
    """Record what a version has changed; in the transaction that makes it.

    Args:
        at: Unix seconds.
        before: What those updated and removed were; None where that is too much.
    """
    sets = {"created": BitMap(created), "updated": BitMap(updated), "removed": BitMap(removed)}
    told = None if before is None else orjson.dumps([[n, f.key, f.document] for n, f in before.items()])
    if told is not None and len(told) > KEPT_SIZE:
        told = None
    written = {name: found.serialize() if found else None for name, found in sets.items()}
    row = {
        "collection_id": collection_id,
        "version": version,
        "at": at,
        "is_gap": False,
        **{f"{name}_count": len(found) for name, found in sets.items()},
        **written,
        "before": told,
        "size": sum(map(len, filter(None, (*written.values(), told)))),
    }
    await dialect_of(conn).put(conn, _INSERT, [row])
    if version % _PRUNED_EVERY == 0:
        await _prune(conn, collection_id, at)


async def mark_gap(conn: AsyncConnection, collection_id: int, version: int, *, at: float) -> None:
    """Record that up to a version anything may have changed."""
    await conn.execute(delete(journal).where(journal.c.collection_id == collection_id, journal.c.version <= version))
    await conn.execute(
        _INSERT,
        {
            "collection_id": collection_id,
            "version": version,
            "at": at,
            "is_gap": True,
            "created_count": 0,
            "updated_count": 0,
            "removed_count": 0,
            "size": 0,
            "created": None,
            "updated": None,
            "removed": None,
            "before": None,
        },
    )


async def _prune(conn: AsyncConnection, collection_id: int, at: float) -> None:
    rows = await conn.execute(
        select(journal.c.version, journal.c.size)
        .where(journal.c.collection_id == collection_id)
        .order_by(journal.c.version.desc())
    )
    sizes = [(version, size) for version, size in rows]
    totals = itertools.accumulate(size for _, size in sizes)
    last = next(
        (
            version
            for place, ((version, _), total) in enumerate(zip(sizes, totals, strict=True))
            if place >= _VERSION_COUNT or total > _JOURNAL_SIZE
        ),
        None,
    )
    if last is not None:
        await mark_gap(conn, collection_id, last, at=at)


async def load_journal(conn: AsyncConnection, collection_id: int, since: int) -> Sequence[JournalEntry] | None:
    """What the versions after one have changed, oldest first; None where the journal does not reach back so far."""
    query = (
        select(*(journal.c[name] for name in ("version", "is_gap", "created", "updated", "removed", "before")))
        .where(journal.c.collection_id == collection_id, journal.c.version > since)
        .order_by(journal.c.version)
    )
    entries = []
    for version, is_gap, created, updated, removed, before in await conn.execute(query):
        if is_gap:
            return None
        entries.append(JournalEntry(version, _set(created), _set(updated), _set(removed), _former(before)))
    return entries


@dataclass(frozen=True, slots=True)
class JournalCounts:
    """How much one version has changed, and when, in Unix seconds."""

    collection_id: int
    at: float
    created: int
    updated: int
    removed: int


async def latest_counts(conn: AsyncConnection, *, since: float, limit: int) -> Sequence[JournalCounts]:
    """How much was changed lately, in all collections, the newest first."""
    columns = (journal.c[name] for name in ("collection_id", "at", "created_count", "updated_count", "removed_count"))
    query = (
        select(*columns)
        .where(journal.c.at > since, ~journal.c.is_gap)
        .order_by(journal.c.at.desc(), journal.c.version.desc())
        .limit(limit)
    )
    return [JournalCounts(*row) for row in await conn.execute(query)]


def _set(written: bytes | None) -> BitMap:
    return BitMap.deserialize(written) if written else BitMap()


def _former(written: bytes | None) -> Mapping[int, Former] | None:
    if written is None:
        return None
    return {number: Former(key, document) for number, key, document in orjson.loads(written)}
