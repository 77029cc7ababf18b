"""Imports: how far each has come, so that an interrupted one goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.models import imports


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One import's place and counts; see the columns of `models.imports`."""

    id: int
    source: str
    fingerprint: str | None
    options: str
    state: str
    rows_read: int
    accepted: int
    updated: int
    unchanged: int
    rejected: int
    version: int | None


def _record(row: Row[Any]) -> ImportRecord:  # Any: columns of several types
    return ImportRecord(**{name: getattr(row, name) for name in ImportRecord.__slots__})


async def latest_import(conn: AsyncConnection, collection_id: int) -> ImportRecord | None:
    """The collection's newest import, or None."""
    query = select(imports).where(imports.c.collection_id == collection_id).order_by(imports.c.id.desc()).limit(1)
    row = (await conn.execute(query)).one_or_none()
    return _record(row) if row else None


async def begin_import(
    conn: AsyncConnection, collection_id: int, *, source: str, fingerprint: str | None, options: str, now: float
) -> ImportRecord:
    """Record that an import begins.

    Args:
        now: Unix seconds, UTC.
    """
    await conn.execute(
        insert(imports).values(
            collection_id=collection_id,
            source=source,
            fingerprint=fingerprint,
            options=options,
            state="running",
            started_at=now,
            rows_read=0,
            accepted=0,
            updated=0,
            unchanged=0,
            rejected=0,
        )
    )
    begun = await latest_import(conn, collection_id)
    assert begun is not None  # noqa: S101  # written in this transaction
    return begun


async def save_progress(conn: AsyncConnection, import_id: int, counts: Mapping[str, int]) -> None:
    """Set the counts: rows_read, accepted, updated, unchanged, rejected."""
    await conn.execute(update(imports).where(imports.c.id == import_id).values(**counts))


async def finish_import(conn: AsyncConnection, import_id: int, *, version: int, now: float) -> None:
    """Record that an import has read its source to the end.

    Args:
        version: The collection's version then.
        now: Unix seconds, UTC.
    """
    await conn.execute(
        update(imports).where(imports.c.id == import_id).values(state="done", version=version, finished_at=now)
    )
