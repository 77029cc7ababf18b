"""Numeric values by document number: what sorting, ranges and popularity read, block by block."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.models import BLOCK_SIZE, doc_values

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
    blocks = document_numbers // BLOCK_SIZE
    touched = np.unique(blocks).tolist()
    query = select(doc_values.c.block, doc_values.c.numbers).where(
        doc_values.c.collection_id == collection_id, doc_values.c.field == field, doc_values.c.block.in_(touched)
    )
    stored = {row.block: row.numbers for row in await conn.execute(query)}
    rows: list[dict[str, Any]] = []  # Any: a row of several types
    for block in touched:
        held = np.frombuffer(stored[block], "<f8").copy() if block in stored else np.full(BLOCK_SIZE, np.nan)
        mine = blocks == block
        held[document_numbers[mine] % BLOCK_SIZE] = numbers[mine]
        rows.append(
            {"collection_id": collection_id, "field": field, "block": block, "numbers": held.astype("<f8").tobytes()}
        )
    insert = (sqlite if conn.dialect.name == "sqlite" else postgresql).insert(doc_values)
    await conn.execute(
        insert.on_conflict_do_update(
            index_elements=["collection_id", "field", "block"], set_={"numbers": insert.excluded.numbers}
        ),
        rows,
    )
