"""Postings as columns read them: all of a family in one chunk together, as arrays."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import CHUNK_BITS
from livesearch.models import postings
from livesearch.store.bitmaps import low_bits_of


@dataclass(frozen=True, slots=True)
class ChunkPostings:
    """The postings of a range of keys in one chunk.

    Attributes:
        keys: Those that some document has.
        counts: Documents of each.
        places: The documents of one key after another, as places in the chunk, from 0.
    """

    keys: tuple[str, ...]
    counts: NDArray[np.int64]
    places: NDArray[np.int64]


async def load_chunk(
    conn: AsyncConnection, collection_id: int, chunk: int, ranges: Sequence[tuple[str, str]]
) -> list[ChunkPostings]:
    """The postings of each range of keys (first, end exclusive) in a chunk; one statement for all."""
    selects = [
        select(literal(at).label("at"), postings.c.key, postings.c.cardinality, postings.c.bitmap).where(
            postings.c.collection_id == collection_id,
            postings.c.chunk == chunk,
            postings.c.key >= first,
            postings.c.key < end,
        )
        for at, (first, end) in enumerate(ranges)
    ]
    rows = list(await conn.execute(union_all(*selects))) if selects else []
    if len(rows) > _MANY_ROWS:
        return await asyncio.to_thread(_taken_apart, rows, len(ranges))
    return _taken_apart(rows, len(ranges))


# Rows of which the event loop is spared: a chunk may have 30,000, which take some 30 ms.
_MANY_ROWS = 4096


def _taken_apart(rows: list[Row[Any]], range_count: int) -> list[ChunkPostings]:  # Any: columns of several types
    # They come so, but nothing promises it.
    rows.sort(key=itemgetter(0))
    # There are thousands of rows: whatever can be done to all of them at once is.
    ats, *columns = zip(*rows, strict=True) if rows else ((), (), (), ())
    ends = np.searchsorted(np.array(ats, np.int64), range(1, range_count + 1)).tolist()
    return [_arrays(*(column[begin:end] for column in columns)) for begin, end in pairwise([0, *ends])]


def _arrays(keys: tuple[str, ...], counts: tuple[int, ...], bitmaps: tuple[bytes, ...]) -> ChunkPostings:
    raw = b"".join(map(low_bits_of, counts, bitmaps))
    places = np.frombuffer(raw, "<u2").astype(np.int64) & ((1 << CHUNK_BITS) - 1)
    return ChunkPostings(keys, np.array(counts, np.int64), places)
