"""Chunks by the version that changed them."""

from livesearch.services import Services
from livesearch.store.chunks import changed_chunks, changes_since, touch_chunks
from livesearch.store.collections import advance_collection, create_collection


async def test_chunks_have_the_version_of_their_last_change(services: Services) -> None:
    async with services.transactions.write() as conn:
        await create_collection(conn, "c", fields=(), key_field=None, popularity_field=None, source=None)
        await touch_chunks(conn, 1, [2, 0, 2], 1)
        await touch_chunks(conn, 1, [], 2)
        await touch_chunks(conn, 1, [2, 5], 3)
    async with services.transactions.read() as conn:
        assert [await changed_chunks(conn, 1, since) for since in (0, 1, 2, 3)] == [[0, 2, 5], [2, 5], [2, 5], []]


async def test_advancing_a_collection_touches_chunks_and_counts(services: Services) -> None:
    async with services.transactions.write() as conn:
        created = await create_collection(conn, "c", fields=(), key_field=None, popularity_field=None, source=None)
        first = await advance_collection(conn, created.id, next_number=3, chunks=[0], token_delta=7)
        second = await advance_collection(conn, created.id, next_number=3, chunks=[1], token_delta=-2)
    collection = await services.collections.get("c")
    async with services.transactions.read() as conn:
        changed = await changed_chunks(conn, created.id, first)

    assert (first, second, collection.version, collection.next_number, collection.token_count) == (1, 2, 2, 3, 5)
    assert changed == [1]


async def test_changes_name_the_documents_where_they_are_few(services: Services) -> None:
    async with services.transactions.write() as conn:
        await create_collection(conn, "c", fields=(), key_field=None, popularity_field=None, source=None)
        await touch_chunks(conn, 1, [0], 1)
        await touch_chunks(conn, 1, [0, 1], 2, numbers=[5, 32_768 + 7])
        await touch_chunks(conn, 1, [0], 3, numbers=[32_767])
        await touch_chunks(conn, 1, [2], 3)
    async with services.transactions.read() as conn:
        found = [await changes_since(conn, 1, version) for version in (0, 1, 2, 3)]

    # Version 1 did not say which documents it changed, and of a chunk seen first nothing is known before.
    assert found[0] == {0: None, 1: None, 2: None}
    assert found[1] == {0: frozenset([5, 32_767]), 1: frozenset([7]), 2: None}
    assert found[2] == {0: frozenset([5, 32_767]), 2: None}
    assert found[3] == {}


async def test_changes_of_many_documents_are_those_of_their_chunk(services: Services) -> None:
    async with services.transactions.write() as conn:
        await create_collection(conn, "c", fields=(), key_field=None, popularity_field=None, source=None)
        await touch_chunks(conn, 1, [0], 1, numbers=range(65))
        await touch_chunks(conn, 1, [1], 1, numbers=range(32_768, 32_768 + 60))
        await touch_chunks(conn, 1, [1], 2, numbers=range(32_768, 32_768 + 5))
    async with services.transactions.read() as conn:
        found = [await changes_since(conn, 1, version) for version in (0, 1)]

    # What the first change named had no room beside the second: who has not seen it reads the chunk.
    assert found == [{0: None, 1: None}, {1: frozenset(range(5))}]
