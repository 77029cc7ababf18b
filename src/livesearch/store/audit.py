"""The audit trail: who changed which document, when, and what it was before and after."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Document, DocumentChange
from livesearch.models import LARGEST_ID, audit
from livesearch.store.documents import encode

_TABLE = audit.c
_RECORD = insert(audit).returning(_TABLE.id, sort_by_parameter_order=True)


@dataclass(frozen=True, slots=True)
class Edit:
    """What becomes of a document; None for one that was not there, or is not any more."""

    key: str
    before: Document | None
    after: Document | None


async def record_edits(
    conn: AsyncConnection, collection_id: int, edits: Iterable[Edit], *, who: str, at: float
) -> Sequence[int]:
    """Write down some edits, in the transaction that makes them; gives their numbers.

    Args:
        who: In words for people; empty where nobody said.
        at: Unix seconds, UTC.
    """
    rows = [
        {
            "collection_id": collection_id,
            "key": edit.key,
            "at": at,
            "who": who,
            "before": None if edit.before is None else encode(edit.before),
            "after": None if edit.after is None else encode(edit.after),
        }
        for edit in edits
    ]
    if not rows:
        return ()
    return list((await conn.execute(_RECORD, rows)).scalars())


async def load_changes(
    conn: AsyncConnection, collection_id: int, key: str, *, limit: int
) -> tuple[DocumentChange, ...]:
    """The last changes of a document, newest first."""
    query = select(audit).where(_TABLE.collection_id == collection_id, _TABLE.key == key)
    found = await conn.execute(query.order_by(_TABLE.id.desc()).limit(limit))
    return tuple(_change(row) for row in found)


async def find_change(conn: AsyncConnection, collection_id: int, change_id: int) -> DocumentChange | None:
    """The change of that number, or None."""
    if not 0 < change_id <= LARGEST_ID:
        return None
    query = select(audit).where(_TABLE.collection_id == collection_id, _TABLE.id == change_id)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else _change(row)


def _change(row: Row[Any]) -> DocumentChange:  # Any: columns of several types
    before, after = (None if body is None else orjson.loads(body) for body in (row.before, row.after))
    return DocumentChange(row.id, row.key, row.at, row.who, before, after)
