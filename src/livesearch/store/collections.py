"""Collections: their fields, counts and change token."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, Field, FieldType, Role
from livesearch.models import collections, documents, postings

# No name that people can give ends so: a collection that is being built to replace the one before the suffix.
REPLACEMENT_SUFFIX = "~new"

_ROW = select(collections)


def _collection(row: Row[Any]) -> Collection:  # Any: columns of several types
    return Collection(
        id=row.id,
        name=row.name,
        version=row.version,
        document_count=row.document_count,
        fields=tuple(
            Field(**{**saved, "type": FieldType(saved["type"]), "role": Role(saved["role"])}) for saved in row.fields
        ),
        key_field=row.key_field,
        popularity_field=row.popularity_field,
        source=row.source,
        next_number=row.next_number,
    )


async def list_collections(conn: AsyncConnection) -> tuple[Collection, ...]:
    """All collections by name; not those that are being built to replace one."""
    query = _ROW.where(~collections.c.name.endswith(REPLACEMENT_SUFFIX)).order_by(collections.c.name)
    return tuple(_collection(row) for row in await conn.execute(query))


async def find_collection(conn: AsyncConnection, name: str) -> Collection | None:
    """The collection of that name, or None."""
    if "\0" in name:  # no name has it, and PostgreSQL does not even look
        return None
    row = (await conn.execute(_ROW.where(collections.c.name == name))).one_or_none()
    return _collection(row) if row else None


async def create_collection(
    conn: AsyncConnection,
    name: str,
    *,
    fields: Sequence[Field],
    key_field: str | None,
    popularity_field: str | None,
    source: str | None,
) -> Collection:
    """Make an empty collection.

    Raises:
        sqlalchemy.exc.IntegrityError: The name is taken.
    """
    await conn.execute(
        insert(collections).values(
            name=name,
            version=0,
            document_count=0,
            next_number=0,
            fields=[asdict(field) for field in fields],
            key_field=key_field,
            popularity_field=popularity_field,
            source=source,
        )
    )
    found = await find_collection(conn, name)
    assert found is not None  # noqa: S101  # written in this transaction
    return found


async def advance_collection(conn: AsyncConnection, collection_id: int, *, next_number: int) -> int:
    """Move the change token and count the documents anew.

    Args:
        next_number: The number that the next new document gets.

    Returns:
        The new version.
    """
    held = select(func.coalesce(func.sum(postings.c.cardinality), 0)).where(
        postings.c.collection_id == collection_id, postings.c.key == "*"
    )
    await conn.execute(
        update(collections)
        .where(collections.c.id == collection_id)
        .values(version=collections.c.version + 1, next_number=next_number, document_count=held.scalar_subquery())
    )
    version = await conn.execute(select(collections.c.version).where(collections.c.id == collection_id))
    return int(version.scalar_one())


async def set_fields(conn: AsyncConnection, collection: Collection, fields: Sequence[Field]) -> Collection:
    """Change what the fields are. The index is not touched: fields that documents have must stay as they are."""
    await conn.execute(
        update(collections)
        .where(collections.c.id == collection.id)
        .values(fields=[asdict(field) for field in fields], version=collections.c.version + 1)
    )
    changed = await find_collection(conn, collection.name)
    assert changed is not None  # noqa: S101  # it was given
    return changed


async def take_place(conn: AsyncConnection, built: Collection, name: str) -> None:
    """Give a collection another's name; the other is removed. The change token goes on from the larger of the two."""
    replaced = await find_collection(conn, name)
    if replaced:
        await drop_collection(conn, replaced.id)
    version = max(built.version, replaced.version if replaced else 0) + 1
    await conn.execute(update(collections).where(collections.c.id == built.id).values(name=name, version=version))


async def drop_collection(conn: AsyncConnection, collection_id: int) -> None:
    """Remove a collection and all that belongs to it (the tables cascade)."""
    await conn.execute(delete(collections).where(collections.c.id == collection_id))


async def stored_bytes(conn: AsyncConnection, collection_id: int) -> tuple[int, int]:
    """Bytes of the documents' bodies, and of the index's bitmaps and keys."""
    bodies = select(func.coalesce(func.sum(func.length(documents.c.body)), 0)).where(
        documents.c.collection_id == collection_id
    )
    index = select(func.coalesce(func.sum(func.length(postings.c.bitmap) + func.length(postings.c.key)), 0)).where(
        postings.c.collection_id == collection_id
    )
    return int((await conn.execute(bodies)).scalar_one()), int((await conn.execute(index)).scalar_one())
