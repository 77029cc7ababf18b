"""A program that knows nothing of livesearch but its table of documents, and writes to it through plain SQL."""

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import asyncpg

COLLECTION = "(SELECT id FROM collections WHERE name = 'games')"


class ForeignProgram:
    """Writes to the collection ``games``, each call in a transaction of its own.

    Attributes:
        is_sqlite: Whether the store is SQLite.
    """

    def __init__(self, store_url: str) -> None:
        self.is_sqlite = store_url.startswith("sqlite")
        self._url = store_url.replace("sqlite+aiosqlite:///", "").replace("postgresql+asyncpg", "postgresql")

    async def insert(self, key: str, document: object) -> None:
        """Add a row."""
        statement = f"INSERT INTO documents (collection_id, key, body) VALUES ({COLLECTION}, $1, $2)"  # noqa: S608
        await self.execute(statement, key, _body(document))

    async def update(self, key: str, document: object) -> None:
        """Change what the row of a key holds."""
        statement = f"UPDATE documents SET body = $2 WHERE collection_id = {COLLECTION} AND key = $1"  # noqa: S608
        await self.execute(statement, key, _body(document))

    async def delete(self, key: str) -> None:
        """Remove the row of a key."""
        await self.execute(f"DELETE FROM documents WHERE collection_id = {COLLECTION} AND key = $1", key)  # noqa: S608

    async def execute(self, statement: str, *values: object) -> None:
        """Run a statement; parameters are ``$1`` and so on."""
        await self.fetch(statement, *values)

    async def fetch(self, statement: str, *values: object) -> list[Any]:  # Any: rows of whatever was asked
        """Run a statement, and give its rows."""
        if self.is_sqlite:  # in a thread: who has the lock may need the event loop to let go of it
            return await asyncio.to_thread(self._fetch_sqlite, statement, values)
        client = await asyncpg.connect(self._url)
        try:
            return [tuple(row) for row in await client.fetch(statement, *values)]
        finally:
            await client.close()

    def _fetch_sqlite(self, statement: str, values: Sequence[object]) -> list[Any]:
        with closing(sqlite3.connect(self._url, timeout=30)) as connection, connection:
            connection.execute("PRAGMA foreign_keys=ON")
            numbered = {str(place): value for place, value in enumerate(values, start=1)}
            return connection.execute(statement, numbered).fetchall()


def _body(document: object) -> bytes:
    return document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False).encode()
