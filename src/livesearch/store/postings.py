"""Postings: which documents hold a key, a row for each key and chunk."""

from asyncio import sleep, to_thread
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from pyroaring import BitMap
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS, PostingChange
from livesearch.models import postings
from livesearch.store.bitmaps import decode, decode_chunks, decode_joined, merge
from livesearch.store.dialect import StoredPosting, dialect_of


def chunks_of(next_number: int) -> range:
    """The chunks that documents with numbers below ``next_number`` stand in."""
    return range((max(next_number - 1, 0) >> CHUNK_BITS) + 1)


async def load_postings(
    conn: AsyncConnection, collection_id: int, keys: Iterable[str], chunks: Sequence[int]
) -> dict[str, BitMap]:
    """The documents of each key, chunks put together; keys that no document holds are left out."""
    return _united(await dialect_of(conn).postings_of(conn, collection_id, keys, chunks))


async def load_unions(
    conn: AsyncConnection,
    collection_id: int,
    keys: Iterable[str],
    ranges: Sequence[tuple[str, str]],
    chunks: Sequence[int],
) -> tuple[dict[str, BitMap], list[BitMap]]:
    """The documents of each key, as ``load_postings`` gives them, and those of any key in each range."""
    rows, unions = await dialect_of(conn).postings_and_parts(conn, collection_id, keys, ranges, chunks)
    return _united(rows), [_union(parts) for parts in unions]


def _union(rows: Iterable[tuple[int, int, bytes]]) -> BitMap:
    parts = [
        decode(cardinality, bitmap, chunk) if cardinality else decode_joined(bitmap, chunk)
        for chunk, cardinality, bitmap in rows
    ]
    return BitMap.union(*parts) if parts else BitMap()


async def load_range(
    conn: AsyncConnection, collection_id: int, key_range: tuple[str, str], chunks: Sequence[int]
) -> dict[str, BitMap]:
    """The documents of every key in the range (first, end exclusive)."""
    columns = (postings.c.key, postings.c.chunk, postings.c.cardinality, postings.c.bitmap)
    query = select(*columns).where(*_in_range(collection_id, key_range, chunks))
    return _united(tuple(row) for row in await conn.execute(query))


async def load_chunk_postings(conn: AsyncConnection, collection_id: int, chunk: int) -> dict[str, tuple[int, bytes]]:
    """Cardinality and bitmap, as they are stored, of every key of a chunk; to be checked."""
    query = select(postings.c.key, postings.c.cardinality, postings.c.bitmap).where(
        postings.c.collection_id == collection_id, postings.c.chunk == chunk
    )
    return {key: (cardinality, bitmap) for key, cardinality, bitmap in await conn.execute(query)}


def _in_range(collection_id: int, key_range: tuple[str, str], chunks: Sequence[int]) -> tuple[ColumnElement[bool], ...]:
    first, end = key_range
    return (
        postings.c.collection_id == collection_id,
        postings.c.chunk.in_(list(chunks)),
        postings.c.key >= first,
        postings.c.key < end,
    )


def _united(rows: Iterable[StoredPosting]) -> dict[str, BitMap]:
    parts: defaultdict[str, list[tuple[int, int, bytes]]] = defaultdict(list)
    for key, chunk, cardinality, bitmap in rows:
        parts[key].append((chunk, cardinality, bitmap))
    return {key: decode_chunks(found) for key, found in parts.items()}


async def most_held(
    conn: AsyncConnection, collection_id: int, key_range: tuple[str, str], chunks: Sequence[int], limit: int
) -> list[str]:
    """The keys in the range (first, end exclusive) that most documents hold, most first."""
    query = (
        select(postings.c.key)
        .where(*_in_range(collection_id, key_range, chunks))
        .group_by(postings.c.key)
        .order_by(func.sum(postings.c.cardinality).desc(), postings.c.key)
        .limit(limit)
    )
    return list((await conn.execute(query)).scalars())


@dataclass(slots=True)
class IndexDelta:
    """What changes of postings do to a collection's counts; those of one transaction are added up with ``+=``.

    Attributes:
        token_count: Pairs of a document and a word of it, more or less.
        frequencies: By term of the vocabulary, documents more or less.
    """

    token_count: int = 0
    frequencies: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __iadd__(self, other: Self) -> Self:
        self.token_count += other.token_count
        for term, change in other.frequencies.items():
            self.frequencies[term] += change
        return self

    def count(self, key: str, change: int) -> None:
        """Take in that a posting has so many documents more or less."""
        family = key[0]
        if family not in _COUNTED:
            return
        if family == _WORD:
            self.token_count += change
        if len(key) - 1 in TERM_LENGTHS and key[1:].isalpha():
            self.frequencies[key[1:]] += change if family == _WORD else -change


# The families of words among the keys, and of those that stand in fields alone whose words are never corrected;
# `search.keys` names them all.
_WORD, _EXEMPT = "w", "x"
_COUNTED = _WORD + _EXEMPT
# Words that the vocabulary has: shorter ones are never corrected, longer ones never typed.
TERM_LENGTHS = range(3, 32 + 1)


async def apply_changes(
    conn: AsyncConnection, collection_id: int, chunk: int, changes: Sequence[PostingChange], *, is_new: bool = False
) -> IndexDelta:
    """Change postings of one chunk: what is there is merged, what becomes empty is removed.

    Args:
        is_new: The chunk had no documents before: there is nothing to merge with.
        changes: In the order of keys: a page of the table's tree is then visited once, not once for each of its keys.

    Returns:
        What the same transaction must do to the vocabulary and to the collection's counts.
    """
    dialect = dialect_of(conn)
    stored: dict[str, tuple[int, bytes]] = {}
    if not is_new:
        found = await dialect.postings_of(conn, collection_id, [change.key for change in changes], [chunk])
        stored = {key: (cardinality, bitmap) for key, _, cardinality, bitmap in found}
    merged = _Merged()
    if len(changes) > _MANY:
        await to_thread(_merge, merged, collection_id, chunk, changes, stored)
    else:
        # Searches of the same process must not wait for more.
        for start in range(0, len(changes), _FEW):
            _merge(merged, collection_id, chunk, changes[start : start + _FEW], stored)
            await sleep(0)
    await dialect.put_postings(conn, merged.rows)
    if merged.emptied:
        await dialect.delete_postings(conn, collection_id, chunk, merged.emptied)
    return merged.delta


async def add_last(
    conn: AsyncConnection, collection_id: int, number: int, changes: Sequence[PostingChange]
) -> IndexDelta:
    """Do what ``apply_changes`` does, for a new document whose number is larger than any there is."""
    chunk, low = number >> CHUNK_BITS, (number & 0xFFFF).to_bytes(2, "little")
    if not await dialect_of(conn).add_last(conn, collection_id, chunk, [change.key for change in changes], low):
        return await apply_changes(conn, collection_id, chunk, changes)
    delta = IndexDelta()
    for change in changes:
        delta.count(change.key, 1)
    return delta


# Changes that are merged in a millisecond or two, and those for which a thread is worth while.
_FEW, _MANY = 400, 4000


@dataclass(frozen=True, slots=True)
class _Merged:
    """What becomes of postings: the rows to be written, and the keys that no document has any more."""

    rows: list[tuple[int, int, str, int, bytes]] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    delta: IndexDelta = field(default_factory=IndexDelta)


def _merge(
    found: _Merged,
    collection_id: int,
    chunk: int,
    changes: Sequence[PostingChange],
    stored: Mapping[str, tuple[int, bytes]],
) -> None:
    for key, added, removed in changes:
        before = stored.get(key)
        cardinality, bitmap = merge(before, chunk, added, removed)
        if key[0] in _COUNTED:
            found.delta.count(key, cardinality - (before[0] if before else 0))
        if cardinality:
            found.rows.append((collection_id, chunk, key, cardinality, bitmap))
        else:
            found.emptied.append(key)


async def clear_range(
    conn: AsyncConnection, collection_id: int, key_range: tuple[str, str], chunks: Sequence[int]
) -> None:
    """Remove the postings of the keys in a range (first, end exclusive) that nothing is counted by."""
    await conn.execute(delete(postings).where(*_in_range(collection_id, key_range, chunks)))


async def clear_chunk(conn: AsyncConnection, collection_id: int, chunk: int) -> IndexDelta:
    """Remove all postings of a chunk; what that does to the counts is given, as by ``apply_changes``."""
    chosen = postings.c.collection_id == collection_id, postings.c.chunk == chunk
    delta = IndexDelta()
    for row in await conn.execute(select(postings.c.key, postings.c.cardinality).where(*chosen)):
        delta.count(row.key, -row.cardinality)
    await conn.execute(delete(postings).where(*chosen))
    return delta
