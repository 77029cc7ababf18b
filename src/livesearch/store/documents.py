"""Documents: the rows as their source held them, as JSON."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Document
from livesearch.models import documents
from livesearch.store.dialect import dialect_of


def encode(document: Document) -> bytes:
    """A document as it is stored: JSON in UTF-8, fields in their order."""
    # A copy of the right size: what orjson 3.13 gives is held in a buffer of 8 kB or more, and imports keep thousands.
    return bytes(memoryview(orjson.dumps(document)))


def decode(body: bytes) -> Document:
    """A document from its stored form."""
    document: Document = orjson.loads(body)
    return document


def digest_of(body: bytes) -> bytes:
    """What tells two bodies apart: 16 bytes of BLAKE2b."""
    return blake2b(body, digest_size=16).digest()


async def find_document(conn: AsyncConnection, collection_id: int, key: str) -> Document | None:
    """The document of that key, or None."""
    if "\0" in key:  # no key has it, and PostgreSQL does not even look
        return None
    query = select(documents.c.body).where(documents.c.collection_id == collection_id, documents.c.key == key)
    body = (await conn.execute(query)).scalar_one_or_none()
    return None if body is None else decode(body)


async def load_bodies(
    conn: AsyncConnection, collection_id: int, numbers: Iterable[int]
) -> dict[int, tuple[str, bytes]]:
    """Key and body by number, for those there are."""
    rows = await dialect_of(conn).documents_by_number(conn, collection_id, numbers)
    return {number: (key, body) for number, key, body in rows}


async def load_documents(
    conn: AsyncConnection, collection_id: int, numbers: Iterable[int]
) -> dict[int, tuple[str, Document]]:
    """Key and document by number, for those there are."""
    bodies = await load_bodies(conn, collection_id, numbers)
    return {number: (key, decode(body)) for number, (key, body) in bodies.items()}


async def find_stored(conn: AsyncConnection, collection_id: int, keys: Iterable[str]) -> dict[str, tuple[int, bytes]]:
    """Number and digest by key, for those there are."""
    rows = await dialect_of(conn).documents_by_key(conn, collection_id, keys)
    return {key: (number, digest) for key, number, digest in rows}


async def put_documents(
    conn: AsyncConnection, collection_id: int, rows: Sequence[tuple[int, str, bytes, bytes]]
) -> None:
    """Insert or replace documents.

    Args:
        rows: Number, key, body and digest of each.
    """
    await dialect_of(conn).put_documents(conn, [(collection_id, *row) for row in rows])


async def load_numbered(
    conn: AsyncConnection, collection_id: int, first: int, end: int
) -> list[tuple[int, str, Document]]:
    """Number, key and document of all with ``first`` <= number < ``end``, in the order of numbers."""
    query = (
        select(documents.c.number, documents.c.key, documents.c.body)
        .where(documents.c.collection_id == collection_id, documents.c.number >= first, documents.c.number < end)
        .order_by(documents.c.number)
    )
    return [(row.number, row.key, decode(row.body)) for row in await conn.execute(query)]
