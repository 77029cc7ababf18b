"""Rows of a PostgreSQL table or view, through a cursor on the server."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import asyncpg

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest.postgres_connection import LoopThread, connected, list_tables, listed, shown_url
from livesearch.ingest.postgres_rows import RowMaker
from livesearch.ingest.postgres_table import ROW_SETTINGS, Table, find_table, load_table
from livesearch.ingest.source import MAX_FIELDS, Source, tidy_name
from livesearch.ingest.spec import SourceSpec

_CLOSE_SECONDS = 2
# Rows of one fetch, and bytes of it; the first is small, since nobody knows yet how large rows are.
_FIRST_COUNT, _MOST_COUNT, _FETCH_SIZE = 50, 2_000, 4_000_000
# A snapshot may be read for hours, with pauses while a batch is committed.
_NO_LIMITS = (
    "SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)"
)
# What the same server and database say, and no others: by addresses one cannot tell.
IDENTITY = "SELECT current_database()::text, extract(epoch FROM pg_postmaster_start_time())::text"


class PostgresSource(Source):
    """A table or view, in the server's order, as of one moment. Lines are row numbers, from 1.

    After ``rewind``, ``rows`` may be called again, and sees a new snapshot.

    Attributes:
        table: What is read.
        identity: Tells the server and database from any other.
        key: See ``RowMaker``; to be set before ``rows`` is called.
    """

    def __init__(self, spec: SourceSpec) -> None:
        super().__init__(spec)
        self.key: str | None = None
        self._transaction: Any = None  # Any: asyncpg has no types
        self._loop = LoopThread()
        self._connection: Any = None  # Any: asyncpg has no types
        try:
            self._connection = self._loop.run(connected(spec.location))
            self.identity, self.table = self._loop.run(_look_up(self._connection, spec))
        except BaseException:
            self.close()
            raise
        if len(self.table.columns) > MAX_FIELDS:
            self.close()
            raise SourceError(
                f"“{self.table.label}” has {len(self.table.columns):,} columns; the limit is {MAX_FIELDS:,}."
            )
        for column in self.table.columns:
            if not column.is_read:
                self._notes.append(f"{column.name} is of type {column.base.strip('_')}, which is left out")

    @property
    def likely_key(self) -> str | None:
        """The primary key, where it is one column that documents hold."""
        column = self.table.column(self.table.primary_key or "")
        return column.name if column and column.is_read and tidy_name(column.name) == column.name else None

    def rows(self) -> Iterator[Row | Reject]:
        """Give each row of the table."""
        maker, line, count = RowMaker(self.key), 0, _FIRST_COUNT
        try:
            cursor = self._loop.run(self._begun())
            while batch := self._loop.run(cursor.fetch(count)):
                size = 0
                for text, row_size, _ in batch:
                    line += 1
                    size += row_size
                    yield maker.row(line, text, row_size)
                count = max(1, min(_MOST_COUNT, _FETCH_SIZE * len(batch) // size))
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            raise SourceError(f"“{self.spec.shown}” cannot be read after row {line:,}: {error}.") from error
        self.rewind()

    def rewind(self) -> None:
        """End the snapshot; what of it was not read yet cannot be read any more."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                self._loop.run(transaction.rollback())

    def fingerprint(self) -> None:
        """None: what a table holds is known when it has been read."""
        return

    def close(self) -> None:
        """Let go of the server, whatever is under way."""
        if self._connection is not None:
            self._loop.cancel_all()
            self._loop.run(_closed(self._connection))
            self._connection = None
        self._loop.close()

    async def _begun(self) -> Any:  # Any: asyncpg has no types
        self._transaction = self._connection.transaction(isolation="repeatable_read", readonly=True)
        await self._transaction.start()
        await self._connection.execute(_NO_LIMITS)
        await self._connection.execute(ROW_SETTINGS)
        return await self._connection.cursor(self.table.select)


def is_table(spec: SourceSpec) -> bool:
    """Whether rows are read from a table, whose changes can be followed, and not from a view.

    Raises:
        SourceError: The server does not answer, or has no such table.
    """
    with PostgresSource(spec) as source:
        return source.table.kind == "table"


async def _closed(connection: Any) -> None:  # Any: asyncpg has no types
    # Not just hung up: the server would go on with a statement until it has something to say.
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        await connection.close(timeout=_CLOSE_SECONDS)


async def _look_up(connection: Any, spec: SourceSpec) -> tuple[tuple[str, ...], Table]:  # Any: asyncpg has no types
    name = spec.table or ""
    try:
        identity = tuple(await connection.fetchrow(IDENTITY))
        oid = await find_table(connection.fetch, name)
        if oid is None:
            names = await list_tables(connection)
            raise SourceError(f"“{shown_url(spec.location)}” has no table “{name}”. It has: {listed(names) or 'none'}.")
        async with connection.transaction(readonly=True):
            await connection.execute(ROW_SETTINGS)
            table = await load_table(connection.fetch, oid)
    except asyncpg.PostgresError as error:
        raise SourceError(f"“{spec.shown}” cannot be read: {error}.") from error
    assert table is not None  # noqa: S101  # found a moment ago
    return identity, table
