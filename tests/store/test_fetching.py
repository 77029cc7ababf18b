"""Statements that go past SQLAlchemy."""

import pytest

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.errors import StoreError
from livesearch.store.dialect import dialect_of


async def test_a_statement_that_fails_says_so_in_our_words_and_leaves_the_store_usable(store_url: str) -> None:
    database = Database(Settings(store_url=store_url))
    try:
        with pytest.raises(StoreError, match="nowhere"):
            async with database.read() as conn:
                await dialect_of(conn).fetch(conn, "SELECT title FROM nowhere", ())

        async with database.read() as conn:
            found = await dialect_of(conn).fetch(conn, "SELECT 1, 'a'", ())
    finally:
        await database.close()

    assert [tuple(row) for row in found] == [(1, "a")]
