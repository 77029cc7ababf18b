"""Collections: their fields, counts and change token."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import JSON, Dialect, Text, and_, bindparam, cast, delete, exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import (
    Collection,
    CollectionSettings,
    Field,
    FieldType,
    Role,
    UserRole,
    VisibilityRule,
    VisibleTo,
)
from livesearch.models import chunks as chunk_table
from livesearch.models import collections, documents, foreign_changes, postings, table_changes, vocabulary
from livesearch.store.chunks import touch_chunks
from livesearch.store.dialect import dialect_of
from livesearch.store.in_place import stop_noting
from livesearch.store.postings import chunks_of
from livesearch.store.settings import carry_over

# No name that people can give ends so: a collection that is being built to replace the one before the suffix.
REPLACEMENT_SUFFIX = "~new"

# What the index holds, and how; an index of another version is made anew from the documents. Below 0 that goes on.
INDEX_VERSION = 1

# Whether others wrote documents, or rows of the followed table, that the index does not know.
HAS_FOREIGN_CHANGES = or_(
    exists().where(foreign_changes.c.collection_id == collections.c.id),
    and_(collections.c.is_following, exists().where(table_changes.c.collection_id == collections.c.id)),
)
# Texts of JSON stay as they are: nearly always the row is one that was read before.
_ROW = select(
    *(cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column for column in collections.c),
    HAS_FOREIGN_CHANGES.label("has_foreign_changes"),
)
_NAMES = tuple(column.name for column in _ROW.selected_columns)


@lru_cache(maxsize=256)
def _collection(row: tuple[Any, ...]) -> Collection:  # Any: columns of several types
    """The collection of a row; of equal rows it is the same."""
    values = dict(zip(_NAMES, row, strict=True))
    return Collection(
        fields=_fields(values.pop("fields")),
        settings=_settings(orjson.loads(values.pop("settings"))),
        has_foreign_changes=bool(values.pop("has_foreign_changes")),
        is_following=bool(values.pop("is_following")),
        **values,
    )


@lru_cache(maxsize=256)
def _fields(saved: str) -> tuple[Field, ...]:
    """What the fields are: the same after every edit."""
    return tuple(
        Field(**field | {"type": FieldType(field["type"]), "role": Role(field["role"])})
        for field in orjson.loads(saved)
    )


def _settings(saved: dict[str, Any]) -> CollectionSettings:  # Any: values of several types
    rule = saved.pop("visibility", None)
    saved["facet_order"] = tuple(saved.get("facet_order", ()))
    if rule is None:
        return CollectionSettings(**saved)
    role = rule["role"] and UserRole(rule["role"])
    return CollectionSettings(**saved, visibility=VisibilityRule(VisibleTo(rule["to"]), role, rule["field"]))


async def list_collections(conn: AsyncConnection) -> tuple[Collection, ...]:
    """All collections by name; not those that are being built to replace one."""
    query = _ROW.where(~collections.c.name.endswith(REPLACEMENT_SUFFIX)).order_by(collections.c.name)
    return tuple(_collection(tuple(row)) for row in await conn.execute(query))


@lru_cache(maxsize=8)
def _finding(dialect: Dialect) -> str:
    return str(_ROW.where(collections.c.name == bindparam("name")).compile(dialect=dialect))


async def find_collection(conn: AsyncConnection, name: str) -> Collection | None:
    """The collection of that name, or None."""
    if "\0" in name:  # no name has it, and PostgreSQL does not even look
        return None
    rows = await dialect_of(conn).fetch(conn, _finding(conn.dialect), (name,))
    return _collection(tuple(rows[0])) if rows else None


async def lock_collection(conn: AsyncConnection, name: str) -> Collection | None:
    """The collection of that name, for a transaction that writes to it: others that want to do so wait for its end."""
    if conn.dialect.name == "postgresql" and "\0" not in name:
        # In a statement of its own: the next one sees all that was written until the lock was had. Key share: strangers
        # may go on inserting rows, which wait for nothing but the collection's being there.
        lock = select(collections.c.id).where(collections.c.name == name).with_for_update(key_share=True)
        await conn.execute(lock)
    return await find_collection(conn, name)


async def create_collection(
    conn: AsyncConnection,
    name: str,
    *,
    fields: Sequence[Field],
    key_field: str | None,
    popularity_field: str | None,
    source: str | None,
    settings: CollectionSettings | None = None,
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
            settings=asdict(settings) if settings else {},
            token_count=0,
            index_version=INDEX_VERSION,
        )
    )
    found = await find_collection(conn, name)
    assert found is not None  # noqa: S101  # written in this transaction
    return found


# The chunks are named: each is then a look-up, where all that the index holds would be read otherwise.
_HELD = select(func.coalesce(func.sum(postings.c.cardinality), 0)).where(
    postings.c.collection_id == bindparam("id_"),
    postings.c.chunk.in_(bindparam("chunks", expanding=True)),
    postings.c.key == "*",
)
# Made once: every edit uses it, and making it takes longer than running it.
_ADVANCE = (
    update(collections)
    .where(collections.c.id == bindparam("id_"))
    .values(
        version=collections.c.version + 1,
        next_number=bindparam("next"),
        document_count=_HELD.scalar_subquery(),
        token_count=collections.c.token_count + bindparam("tokens"),
    )
    .returning(collections.c.version)
)


async def advance_collection(
    conn: AsyncConnection,
    collection_id: int,
    *,
    next_number: int,
    chunks: Iterable[int],
    token_delta: int = 0,
    numbers: Iterable[int] | None = None,
) -> int:
    """Move the change token, and count the documents anew.

    Args:
        next_number: The number that the next new document gets.
        chunks: Those whose documents, postings or numbers have changed.
        token_delta: What `store.postings.apply_changes` said the change does to the number of tokens.
        numbers: The documents that have changed, where they are few and nothing else of the chunks has.

    Returns:
        The new version.
    """
    values = {
        "id_": collection_id,
        "next": next_number,
        "tokens": token_delta,
        "chunks": list(chunks_of(next_number)),
    }
    version = int((await conn.execute(_ADVANCE, values)).scalar_one())
    await touch_chunks(conn, collection_id, chunks, version, numbers=numbers)
    return version


async def begin_index(conn: AsyncConnection, collection_id: int) -> None:
    """Begin to make an index anew that cannot be used as it is: no chunk is done, and nothing is counted yet.

    Until ``finish_index`` the collection's index version is below 0. Postings stay until their chunk's turn comes.
    """
    for table in (chunk_table, vocabulary):
        await conn.execute(delete(table).where(table.c.collection_id == collection_id))
    await conn.execute(
        update(collections).where(collections.c.id == collection_id).values(index_version=-INDEX_VERSION, token_count=0)
    )


async def finish_index(conn: AsyncConnection, collection_id: int) -> None:
    """Say that the index is what this version of livesearch makes."""
    await conn.execute(
        update(collections)
        .where(collections.c.id == collection_id)
        .values(index_version=INDEX_VERSION, version=collections.c.version + 1)
    )


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
    """Give a collection another's name and what was tuned there; the other is removed.

    The change token goes on from the larger of the two.
    """
    replaced = await find_collection(conn, name)
    if replaced:
        await carry_over(conn, replaced, built)
        await drop_collection(conn, replaced.id)
    version = max(built.version, replaced.version if replaced else 0) + 1
    await conn.execute(update(collections).where(collections.c.id == built.id).values(name=name, version=version))


async def drop_collection(conn: AsyncConnection, collection_id: int) -> None:
    """Remove a collection and all that belongs to it (the tables cascade)."""
    await conn.execute(delete(collections).where(collections.c.id == collection_id))
    await conn.execute(delete(foreign_changes).where(foreign_changes.c.collection_id == collection_id))
    await stop_noting(conn, collection_id)  # last: the user's table is locked from here to the end


async def stored_bytes(conn: AsyncConnection, collection_id: int) -> tuple[int, int]:
    """Bytes of the documents' bodies, and of the index's bitmaps and keys."""
    bodies = select(func.coalesce(func.sum(func.length(documents.c.body)), 0)).where(
        documents.c.collection_id == collection_id
    )
    index = select(func.coalesce(func.sum(func.length(postings.c.bitmap) + func.length(postings.c.key)), 0)).where(
        postings.c.collection_id == collection_id
    )
    return int((await conn.execute(bodies)).scalar_one()), int((await conn.execute(index)).scalar_one())
