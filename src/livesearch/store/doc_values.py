"""Numeric values by document number: what sorting, ranges and popularity read, block by block."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.models import BLOCK_SIZE, doc_values
from livesearch.store.dialect import dialect_of

Numbers = NDArray[np.float64]


async def load_values(
    conn: AsyncConnection, collection_id: int, fields: Iterable[str], next_number: int
) -> dict[str, Numbers]:
    """By field: one float64 for each document number below ``next_number``, NaN where there is none. Read-only."""
    wanted = list(fields)
    block_count = -(-next_number // BLOCK_SIZE)
    found = {name: np.full(block_count * BLOCK_SIZE, np.nan) for name in wanted}
    query = select(doc_values.c.field, doc_values.c.block, doc_values.c.numbers).where(
        doc_values.c.collection_id == collection_id,
        doc_values.c.field.in_(wanted),
        doc_values.c.block < block_count,
    )
    for row in await conn.execute(query):
        found[row.field][row.block * BLOCK_SIZE : (row.block + 1) * BLOCK_SIZE] = np.frombuffer(row.numbers, "<f8")
    return {name: numbers[:next_number] for name, numbers in found.items()}


async def load_blocks(
    conn: AsyncConnection, collection_id: int, fields: Iterable[str], *, first: int, count: int
) -> dict[str, Numbers]:
    """By field: the numbers of some blocks, to be checked. A block of the wrong size is infinite, as no number is."""
    found = {name: np.full((count, BLOCK_SIZE), np.nan) for name in fields}
    query = select(doc_values.c.field, doc_values.c.block, doc_values.c.numbers).where(
        doc_values.c.collection_id == collection_id,
        doc_values.c.field.in_(found),
        doc_values.c.block >= first,
        doc_values.c.block < first + count,
    )
    for row in await conn.execute(query):
        is_whole = len(row.numbers) == BLOCK_SIZE * 8
        found[row.field][row.block - first] = np.frombuffer(row.numbers, "<f8") if is_whole else np.inf
    return {name: blocks.reshape(-1) for name, blocks in found.items()}


async def put_values(
    conn: AsyncConnection, collection_id: int, field: str, document_numbers: NDArray[np.int64], numbers: Numbers
) -> None:
    """Set the field's values at some document numbers; others stay."""
    await put_all_values(conn, collection_id, [(field, document_numbers, numbers)])


async def put_all_values(
    conn: AsyncConnection, collection_id: int, changes: Iterable[tuple[str, NDArray[np.int64], Numbers]]
) -> None:
    """Set values of several fields, each with document numbers and the values at them; others stay."""
    touched = [
        (field, block, document_numbers, numbers)
        for field, document_numbers, numbers in changes
        for block in np.unique(document_numbers // BLOCK_SIZE).tolist()
    ]
    stored: dict[tuple[str, int], bytes] = {}
    for start in range(0, len(touched), _PAIR_COUNT):
        pairs = [(field, block) for field, block, _, _ in touched[start : start + _PAIR_COUNT]]
        query = select(doc_values.c.field, doc_values.c.block, doc_values.c.numbers).where(
            doc_values.c.collection_id == collection_id,
            tuple_(doc_values.c.field, doc_values.c.block).in_(pairs),
        )
        stored |= {(row.field, row.block): row.numbers for row in await conn.execute(query)}
    rows: list[dict[str, Any]] = []  # Any: a row of several types
    for field, block, document_numbers, numbers in touched:
        before = stored.get((field, block))
        held = np.full(BLOCK_SIZE, np.nan) if before is None else np.frombuffer(before, "<f8").copy()
        mine = document_numbers // BLOCK_SIZE == block
        held[document_numbers[mine] % BLOCK_SIZE] = numbers[mine]
        rows.append(
            {"collection_id": collection_id, "field": field, "block": block, "numbers": held.astype("<f8").tobytes()}
        )
    await dialect_of(conn).put(conn, _PUT[conn.dialect.name], rows)


# Blocks looked up at once: two parameters each, of the 32,766 that both stores take at least.
_PAIR_COUNT = 1000


def _put(insert: sqlite.Insert | postgresql.Insert) -> Insert:
    return insert.on_conflict_do_update(
        index_elements=["collection_id", "field", "block"], set_={"numbers": insert.excluded.numbers}
    )


# Made once: edits use it, and making it takes longer than running it.
_PUT = {"sqlite": _put(sqlite.insert(doc_values)), "postgresql": _put(postgresql.insert(doc_values))}
