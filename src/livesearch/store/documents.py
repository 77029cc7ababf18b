"""Documents: the rows as their source held them, as JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from zlib import crc32

import orjson
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection, Document
from livesearch.models import documents
from livesearch.store.dialect import dialect_of


def encode(document: Document) -> bytes:
    """A document as it is stored: JSON in UTF-8, fields in their order."""
    # A copy of the right size: what orjson 3.13 gives is held in a buffer of 8 kB or more, and imports keep thousands.
    return bytes(memoryview(orjson.dumps(document)))


def without_key(body: bytes, document: Document, key: str, collection: Collection) -> bytes:
    """A document as its row keeps it: the key field is left out where ``decode`` would put it back just so.

    Args:
        body: The whole document, as ``encode`` gave it.
    """
    name = collection.key_field
    if name is None or document.get(name) != key:
        return body
    head = b"{" + orjson.dumps(name) + b":" + orjson.dumps(key)
    if body.startswith(head) and _begins_with_key(collection):  # the common case, without another dictionary
        return b"{" + body[len(head) + 1 :] if body[len(head)] == _COMMA else b"{}"
    rest = {other: value for other, value in document.items() if other != name}
    return encode(rest) if list(_with_key(rest, key, collection)) == list(document) else body


_COMMA = ord(",")


def decode(body: bytes, key: str, collection: Collection) -> Document:
    """A document from what its row keeps; a key field that is left out stands where the collection's fields have it."""
    document = _parsed(body)
    if collection.key_field is None or collection.key_field in document:
        return document
    return _with_key(document, key, collection)


def _parsed(body: bytes) -> Document:
    """The document; nothing where another program wrote what is none, and it could not be put aside yet."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _with_key(document: Document, key: str, collection: Collection) -> Document:
    name = collection.key_field or ""
    if _begins_with_key(collection):
        return {name: key, **document}
    names = [field.name for field in collection.fields]
    earlier = set(names[: names.index(name)])
    place = next((place for place, other in enumerate(document) if other not in earlier), len(document))
    pairs = list(document.items())
    return dict([*pairs[:place], (name, key), *pairs[place:]])


def _begins_with_key(collection: Collection) -> bool:
    return collection.fields[0].name == collection.key_field


def digest_of(body: bytes) -> bytes:
    """What tells two bodies apart: 16 bytes of BLAKE2b."""
    return blake2b(body, digest_size=16).digest()


def hash_of(key: str) -> int:
    """What a key is looked up by: 48 bits. Others may have the same.

    The lower 32 are a checksum of the key, the upper 16 one of its first half, whose length is taken in steps of four:
    rows that come in the order of their keys then have neighbours in the index. Without them an import of 1.65 million
    paths writes 9 GB, because every transaction changes all pages of the index; with them 2 GB, in half of the time.
    """
    encoded = key.encode()
    beginning = encoded[: len(encoded) // 8 * 4 or len(encoded) // 2]
    return (crc32(beginning) & 0xFFFF) << 32 | crc32(encoded)


async def find_document(conn: AsyncConnection, collection: Collection, key: str) -> Document | None:
    """The document of that key, or None."""
    if "\0" in key:  # no key has it, and PostgreSQL does not even look
        return None
    query = select(documents.c.body).where(
        documents.c.collection_id == collection.id, documents.c.key_hash == hash_of(key), documents.c.key == key
    )
    body = (await conn.execute(query)).scalar_one_or_none()
    return None if body is None else decode(body, key, collection)


async def load_bodies(
    conn: AsyncConnection, collection_id: int, numbers: Iterable[int]
) -> dict[int, tuple[str, bytes]]:
    """Key and body, for ``decode``, by number, for those there are."""
    wanted = list(numbers)
    rows = await dialect_of(conn).documents_by_number(conn, collection_id, wanted) if wanted else ()
    return {number: (key, body) for number, key, body in rows}


async def load_documents(
    conn: AsyncConnection, collection: Collection, numbers: Iterable[int]
) -> dict[int, tuple[str, Document]]:
    """Key and document by number, for those there are."""
    bodies = await load_bodies(conn, collection.id, numbers)
    return {number: (key, decode(body, key, collection)) for number, (key, body) in bodies.items()}


async def find_stored(conn: AsyncConnection, collection_id: int, keys: Iterable[str]) -> dict[str, tuple[int, bytes]]:
    """Number and digest by key, for those there are."""
    hashes = {key: hash_of(key) for key in keys}
    if not hashes:
        return {}
    rows = await dialect_of(conn).documents_by_key(conn, collection_id, hashes)
    return {key: (number, digest) for key, number, digest in rows}


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document's row as it stands."""

    number: int
    digest: bytes
    document: Document


async def lock_documents(
    conn: AsyncConnection, collection: Collection, keys: Iterable[str]
) -> dict[str, StoredDocument]:
    """By key the documents there are, which stay so until the transaction ends."""
    wanted = {key for key in keys if "\0" not in key}
    rows = await dialect_of(conn).documents_to_lock(conn, collection.id, [*map(hash_of, wanted)])
    # The number is looked at here, or SQLite would read all rows.
    return {
        key: StoredDocument(number, digest, decode(body, key, collection))
        for number, key, digest, body in rows
        if number >= 0 and key in wanted
    }


async def put_documents(
    conn: AsyncConnection, collection_id: int, rows: Sequence[tuple[int, str, bytes, bytes]]
) -> None:
    """Insert or replace documents.

    Args:
        rows: Number, key, body (see ``without_key``) and digest of each.
    """
    await dialect_of(conn).put_documents(
        conn,
        [(collection_id, number, key, hash_of(key), body, digest) for number, key, body, digest in rows],
    )


async def delete_documents(conn: AsyncConnection, collection_id: int, numbers: Sequence[int]) -> None:
    """Remove documents; the index is the caller's to change."""
    if not numbers:
        return
    chosen = documents.c.collection_id == collection_id, documents.c.number.in_(numbers)
    # By the digest the triggers of migration 0003 see that no other program does this.
    await conn.execute(update(documents).where(*chosen).values(digest=b"\0"))
    await conn.execute(delete(documents).where(*chosen))


async def load_numbered(
    conn: AsyncConnection, collection: Collection, first: int, end: int
) -> list[tuple[int, str, Document]]:
    """Number, key and document of all with ``first`` <= number < ``end``, in the order of numbers."""
    query = (
        select(documents.c.number, documents.c.key, documents.c.body)
        .where(documents.c.collection_id == collection.id, documents.c.number >= first, documents.c.number < end)
        .order_by(documents.c.number)
    )
    return [(row.number, row.key, decode(row.body, row.key, collection)) for row in await conn.execute(query)]
