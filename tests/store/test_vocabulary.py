"""The vocabulary's rows: frequencies add up, and caches read what is new to them."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.services import Services
from livesearch.store.collections import create_collection
from livesearch.store.vocabulary import apply_frequencies, load_vocabulary


@pytest.fixture
async def conn(services: Services) -> AsyncIterator[AsyncConnection]:
    async with services.transactions.write() as connection:
        await create_collection(connection, "games", fields=(), key_field=None, popularity_field=None, source=None)
        yield connection


async def test_frequencies_add_up_and_unused_terms_go(conn: AsyncConnection) -> None:
    await apply_frequencies(conn, 1, {"red": 2, "blue": 3, "never": 0}, 1)
    await apply_frequencies(conn, 1, {"red": -2, "blue": -1, "green": 1}, 2)

    assert await load_vocabulary(conn, 1) == [("blue", 2), ("green", 1)]


async def test_terms_are_in_the_order_of_their_bytes(conn: AsyncConnection) -> None:
    await apply_frequencies(conn, 1, dict.fromkeys(["éa", "zz", "ab", "b", "ça"], 1), 1)

    assert [term for term, _ in await load_vocabulary(conn, 1)] == ["ab", "b", "zz", "ça", "éa"]


async def test_terms_have_the_version_that_brought_them(conn: AsyncConnection) -> None:
    await apply_frequencies(conn, 1, {"red": 2, "blue": 3}, 4)
    await apply_frequencies(conn, 1, {"red": 2, "green": 1, "brown": 1}, 7)

    assert await load_vocabulary(conn, 1, 4) == [("brown", 1), ("green", 1)]
    assert await load_vocabulary(conn, 1, 7) == []


async def test_more_terms_than_one_statement_takes_are_written(conn: AsyncConnection) -> None:
    await apply_frequencies(conn, 1, {f"t{number:05}": 1 for number in range(2500)}, 1)
    await apply_frequencies(conn, 1, {f"t{number:05}": -1 for number in range(2400)}, 2)

    assert len(await load_vocabulary(conn, 1)) == 100
