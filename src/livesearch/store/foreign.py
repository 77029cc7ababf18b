"""Rows that other programs wrote through plain SQL: the triggers' notes of them, and the rows as they stand.

Migration 0003 says what the triggers note. Below, a row is *indexed* when the index says what the row says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import LargeBinary, Row, Select, bindparam, case, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.models import documents, foreign_changes
from livesearch.store.documents import hash_of

# Bytes of a digest; one of another length says that the row is not indexed as it stands.
_DIGEST_SIZE = 16
# The digest of a row that cannot be indexed. The triggers give others, so that setting it is seen to be our own doing.
_REFUSED = b"\x03"


@dataclass(frozen=True, slots=True)
class Note:
    """What a trigger wrote down of one statement.

    Attributes:
        key: As it was before; None where ``body`` is.
        body: What the index still speaks of; None where that is nothing.
    """

    id: int
    number: int
    key: str | None
    body: bytes | None


@dataclass(frozen=True, slots=True)
class ForeignRow:
    """A row as it stands; nothing is sure about its content.

    Attributes:
        number: Below 0 for a row that is not in the index at all.
        key: None where it is no text.
    """

    number: int
    key: str | None
    body: bytes
    is_indexed: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """A row that gets its place and is indexed.

    Attributes:
        origin: The number it had.
        number: The number it gets; may be the same.
    """

    origin: int
    number: int
    key: str
    body: bytes
    digest: bytes


async def noted_numbers(conn: AsyncConnection, collection_id: int, limit: int) -> list[int]:
    """Numbers of rows that were written, in the order of writing; ``limit`` notes are looked at."""
    query = (
        select(foreign_changes.c.number)
        .where(foreign_changes.c.collection_id == collection_id)
        .order_by(foreign_changes.c.id)
        .limit(limit)
    )
    return list(dict.fromkeys((await conn.execute(query)).scalars()))


async def lock_rows(
    conn: AsyncConnection, collection_id: int, numbers: Sequence[int]
) -> tuple[dict[int, ForeignRow], set[int]]:
    """The rows there are, locked; and the numbers of those that somebody else is just writing (PostgreSQL only)."""
    query = _rows(conn, collection_id).where(documents.c.number.in_(numbers)).order_by(documents.c.number)
    locked = await conn.execute(query.with_for_update(skip_locked=True))
    rows = {row.number: _row(row) for row in locked}
    if conn.dialect.name == "sqlite":
        return rows, set()
    there = select(documents.c.number).where(
        documents.c.collection_id == collection_id, documents.c.number.in_(numbers)
    )
    return rows, set((await conn.execute(there)).scalars()) - rows.keys()


async def lock_indexed_rows(
    conn: AsyncConnection, collection_id: int, keys: Iterable[str]
) -> tuple[list[ForeignRow], set[str]]:
    """The rows of some keys that are in the index, as they stand or otherwise, locked; and the keys of busy ones.

    Returns:
        Busy is what somebody else is just writing, on PostgreSQL.
    """
    wanted = set(keys)
    hashes = {hash_of(key) for key in wanted}
    # Numbers are looked at here: with a condition for them, SQLite would rather read the whole collection.
    query = _rows(conn, collection_id).where(documents.c.key_hash.in_(hashes))
    locked = [_row(row) for row in await conn.execute(query.with_for_update(skip_locked=True))]
    rows = [row for row in locked if row.number >= 0 and row.key in wanted]
    if conn.dialect.name == "sqlite":
        return rows, set()
    there = select(documents.c.number, documents.c.key).where(
        documents.c.collection_id == collection_id, documents.c.key_hash.in_(hashes)
    )
    ours = {row.number for row in locked}
    return rows, {row.key for row in await conn.execute(there) if row.number not in ours} & wanted


def _rows(conn: AsyncConnection, collection_id: int) -> Select[Any]:  # Any: columns of several types
    # In SQLite a column may hold anything: a text as the body, and bytes that are no text as the key.
    key = cast(documents.c.key, LargeBinary) if conn.dialect.name == "sqlite" else documents.c.key
    return select(
        documents.c.number,
        key.label("key"),
        cast(documents.c.body, LargeBinary).label("body"),
        (func.length(documents.c.digest) == _DIGEST_SIZE).label("is_indexed"),
    ).where(documents.c.collection_id == collection_id)


def _row(row: Row[Any]) -> ForeignRow:
    return ForeignRow(row.number, _text(row.key), row.body, bool(row.is_indexed))


def _text(value: bytes | str) -> str | None:
    if isinstance(value, str):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


async def load_notes(conn: AsyncConnection, collection_id: int, numbers: Sequence[int]) -> list[Note]:
    """All notes of some rows, in the order of writing. Lock the rows first: then none is still to come."""
    columns = foreign_changes.c
    query = (
        select(
            columns.id,
            columns.number,
            case((columns.old_body.is_not(None), columns.key)).label("key"),
            columns.old_body,
        )
        .where(columns.collection_id == collection_id, columns.number.in_(numbers))
        .order_by(columns.id)
    )
    return [Note(*row) for row in await conn.execute(query)]


async def delete_notes(conn: AsyncConnection, notes: Sequence[Note]) -> None:
    """Forget notes."""
    if notes:
        statement = delete(foreign_changes).where(foreign_changes.c.id == bindparam("note_id"))
        await conn.execute(statement, [{"note_id": note.id} for note in notes])


_IS_ORIGIN = (documents.c.collection_id == bindparam("owner")) & (documents.c.number == bindparam("origin"))


async def place_rows(conn: AsyncConnection, collection_id: int, placements: Sequence[Placement]) -> None:
    """Write rows as they are to be; one that waits for our lock goes on with what it finds then."""
    if not placements:
        return
    statement = (
        update(documents)
        .where(_IS_ORIGIN)
        .values(
            number=bindparam("to"),
            key=bindparam("new_key"),
            key_hash=bindparam("hash"),
            body=bindparam("new_body"),
            digest=bindparam("new_digest"),
        )
    )
    await conn.execute(
        statement,
        [
            {
                "owner": collection_id,
                "origin": row.origin,
                "to": row.number,
                "new_key": row.key,
                "hash": hash_of(row.key),
                "new_body": row.body,
                "new_digest": row.digest,
            }
            for row in placements
        ],
    )


async def refuse_rows(conn: AsyncConnection, collection_id: int, numbers: Iterable[tuple[int, int]]) -> None:
    """Put rows where nobody looks for documents, until somebody changes them.

    Args:
        numbers: Of each row the number it has and the number it gets, which is below 0.
    """
    rows = [{"owner": collection_id, "origin": origin, "to": number} for origin, number in numbers]
    if rows:
        statement = update(documents).where(_IS_ORIGIN).values(number=bindparam("to"), key_hash=0, digest=_REFUSED)
        await conn.execute(statement, rows)
