"""Documents in rows: the key field is left out of the body, and stands where it stood when it is read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from livesearch.db.sqlite import InterruptibleConnection
from livesearch.domain import Collection, Document, Field, FieldType, Role
from livesearch.services import Services
from livesearch.store.collections import create_collection
from livesearch.store.documents import (
    decode,
    digest_of,
    encode,
    find_document,
    find_stored,
    hash_of,
    load_documents,
    load_numbered,
    lock_documents,
    put_documents,
    without_key,
)
from livesearch.store.foreign import lock_indexed_rows


def collection_of(*names: str, key_field: str | None = "id") -> Collection:
    fields = tuple(Field(name, FieldType.TEXT, Role.TEXT) for name in names)
    return Collection(1, "games", 0, 0, fields, key_field)


FIRST, MIDDLE, LAST = collection_of("id", "a", "b"), collection_of("a", "id", "b"), collection_of("a", "b", "id")


def body_of(document: Document, key: str, collection: Collection) -> bytes:
    return without_key(encode(document), document, key, collection)


@pytest.mark.parametrize(
    ("document", "collection", "body"),
    [
        ({"id": "k", "a": 1}, FIRST, b'{"a":1}'),
        ({"id": "k"}, FIRST, b"{}"),
        ({"a": 1, "id": "k", "b": 2}, MIDDLE, b'{"a":1,"b":2}'),
        ({"a": 1, "id": "k"}, LAST, b'{"a":1}'),
        ({"id": 'ké"\\', "a": 1}, FIRST, b'{"a":1}'),
        ({"a": 1, "id": "k"}, FIRST, b'{"a":1,"id":"k"}'),  # it would be read in another place
        ({"id": "other", "a": 1}, FIRST, b'{"id":"other","a":1}'),
        ({"id": ["k"], "a": 1}, FIRST, b'{"id":["k"],"a":1}'),
        ({"id": "k", "a": 1}, collection_of("id", "a", key_field=None), b'{"id":"k","a":1}'),
    ],
)
def test_a_body_leaves_out_the_key_where_it_can_be_put_back(
    document: Document, collection: Collection, body: bytes
) -> None:
    key = document["id"] if document["id"] == 'ké"\\' else "k"

    assert body_of(document, key, collection) == body
    assert list(decode(body, key, collection).items()) == list(document.items())


@given(
    st.permutations(["id", "a", "b", "c"]),
    st.permutations(["id", "a", "b", "new"]),
    st.integers(0, 4),
    st.sampled_from(["k", 5, None, True]),
)
def test_documents_are_read_as_they_were_written(names: list[str], held: list[str], count: int, value: object) -> None:
    collection = collection_of(*names)
    document = {name: value if name == "id" else name for name in held[:count]}
    body = body_of(document, "k", collection)
    if "id" not in document:  # no row without its key is stored
        return

    assert list(decode(body, "k", collection).items()) == list(document.items())


async def test_documents_are_found_by_key_and_number(services: Services) -> None:
    documents: dict[str, Document] = {key: {"id": key, "a": key * 2} for key in ("k1", "k2")}
    async with services.transactions.write() as conn:
        collection = await create_collection(
            conn, "games", fields=FIRST.fields, key_field="id", popularity_field=None, source=None
        )
        rows = [
            (number, key, body_of(document, key, collection), digest_of(encode(document)))
            for number, (key, document) in enumerate(documents.items())
        ]
        await put_documents(conn, collection.id, rows)
        found = await find_document(conn, collection, "k2")
        absent = await find_document(conn, collection, "k3")
        stored = await find_stored(conn, collection.id, ["k1", "k3"])
        loaded = await load_documents(conn, collection, [1, 7])
        numbered = await load_numbered(conn, collection, 0, 1)

    assert (found, absent) == (documents["k2"], None)
    assert stored == {"k1": (0, digest_of(b'{"id":"k1","a":"k1k1"}'))}
    assert loaded == {1: ("k2", documents["k2"])}
    assert numbered == [(0, "k1", documents["k1"])]


async def test_keys_of_one_hash_are_told_apart(services: Services) -> None:
    digest = digest_of(b"")
    async with services.transactions.write() as conn:
        collection = await create_collection(
            conn, "games", fields=FIRST.fields, key_field="id", popularity_field=None, source=None
        )
        rows = [(0, "samekaspjwwk", b'{"a":1}', digest), (1, "samekrnrsgud", b'{"a":2}', digest)]
        await put_documents(conn, collection.id, rows)
        document = await find_document(conn, collection, "samekrnrsgud")
        stored = await find_stored(conn, collection.id, ["samekrnrsgud"])

    assert hash_of("samekaspjwwk") == hash_of("samekrnrsgud")
    assert document == {"id": "samekrnrsgud", "a": 2}
    assert stored == {"samekrnrsgud": (1, digest)}


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_keys_are_looked_up_in_their_index(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, Any]] = []  # Any: parameters of any kind

    def note(_conn: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        asked.append((statement, parameters))

    fetch = InterruptibleConnection.fetch

    async def note_past_sqlalchemy(self: InterruptibleConnection, *statements: Any) -> list[list[Any]]:
        asked.extend(statements)
        return await fetch(self, *statements)

    async with services.transactions.write() as conn:
        monkeypatch.setattr(InterruptibleConnection, "fetch", note_past_sqlalchemy)
        event.listen(conn.sync_connection, "before_cursor_execute", note)
        await find_document(conn, FIRST, "k")
        await find_stored(conn, FIRST.id, ["k", "l"])
        await lock_indexed_rows(conn, FIRST.id, ["k", "l"])
        await lock_documents(conn, FIRST, ["k", "l"])
        event.remove(conn.sync_connection, "before_cursor_execute", note)
        plans = [
            [step.detail for step in await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for statement, parameters in asked
        ]

    assert len(plans) == 4
    for plan in plans:
        assert "SEARCH documents USING INDEX ix_documents_key_hash (collection_id=? AND key_hash=?)" in plan
