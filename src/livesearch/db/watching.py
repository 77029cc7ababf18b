"""Noticing that something was committed: cheaply on SQLite, by being told on PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.config import Settings
from livesearch.db import sqlite_path
from livesearch.db.faults import unavailable, wrapped_faults
from livesearch.db.postgres import postgres_engine

# What migration 0006 has PostgreSQL call out.
CHANNEL = "livesearch"


class SqliteWatch:
    """A connection of its own that tells whether anybody, this process included, has committed since it last looked.

    It is asked on the event loop: 5 µs in shared memory, and nothing that waits, not even for a lock.
    """

    def __init__(self, settings: Settings) -> None:
        self._path = sqlite_path(settings.store_url)
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None

    def stamp(self) -> int | None:
        """A number that changes with every commit; None where that cannot be told now."""
        try:
            cursor = self._cursor or self._open()
            # One row, so the statement is over when it is read: an open one would keep the log from being folded in.
            stamp: int = cursor.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            self.close()
            return None
        return stamp

    def _open(self) -> sqlite3.Cursor:
        self._connection = sqlite3.connect(self._path, timeout=0, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA query_only=ON")
        self._cursor = self._connection.cursor()
        return self._cursor

    def close(self) -> None:
        """Close the connection; the next look opens another."""
        connection, self._connection, self._cursor = self._connection, None, None
        if connection is not None:
            connection.close()


class PostgresWatch:
    """A connection of its own: for a small query outside of transactions, and to be told of commits meanwhile.

    Attributes:
        heard: Set when something was committed, or the connection that would tell is lost.
    """

    def __init__(self, settings: Settings) -> None:
        self._engine = postgres_engine(settings.store_url, pool_size=1).execution_options(isolation_level="AUTOCOMMIT")
        self._connection: AsyncConnection | None = None
        self.heard = asyncio.Event()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[AsyncConnection]:
        """Lend the connection, to one user at a time; it is given up when the block fails.

        Raises:
            StoreUnavailableError: The store does not answer.
        """
        try:
            with wrapped_faults():
                if self._connection is None:
                    self._connection = await self._engine.connect()
                    driver = (await self._connection.get_raw_connection()).driver_connection
                    await driver.add_listener(CHANNEL, self._hear)  # type: ignore[union-attr]  # asyncpg's
                    driver.add_termination_listener(self._hear)  # type: ignore[union-attr]
                yield self._connection
        except BaseException as error:
            await self.close()
            if isinstance(error, OSError):
                raise unavailable(str(error)) from error
            raise

    def _hear(self, *_: object) -> None:
        self.heard.set()

    async def close(self) -> None:
        """Close the connection; the next user opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(exc.DBAPIError, OSError):
                await connection.invalidate()  # it listens: nobody else shall have it
                await connection.close()
        await self._engine.dispose()
