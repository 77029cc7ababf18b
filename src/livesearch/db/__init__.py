"""The database: connections to read and to write with, on both stores."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager, nullcontext, suppress

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from livesearch.config import Settings
from livesearch.db.faults import unavailable, wrapped_faults
from livesearch.db.postgres import postgres_engine
from livesearch.db.sqlite import BUSY_SECONDS, InterruptibleConnection, sqlite_engine
from livesearch.db.waiting import outlast
from livesearch.errors import ConfigError, QueryTimeoutError, StoreError, StoreUnavailableError

# Two cores answer two searches at a time; the other connections serve what waits for a disk or a network.
READER_COUNT = 8
PING_MS = 1000


class Database:
    """One store: pooled readers, one writer at a time.

    Use it on one event loop. It opens connections when they are first needed; ``warm`` opens them at once.

    Attributes:
        is_sqlite: Whether the store is the embedded one.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.is_sqlite = settings.is_sqlite
        self._turn: AbstractAsyncContextManager[object] = nullcontext()
        self._reader: AsyncEngine
        self._writer: AsyncEngine
        if self.is_sqlite:
            path = sqlite_path(settings.store_url)
            self._reader = sqlite_engine(settings.store_url, path, reader_count=READER_COUNT)
            self._writer = sqlite_engine(settings.store_url, path)
            # SQLite has one writer; those of this process queue here, in order, without polling for the lock.
            self._turn = asyncio.Lock()
        else:
            self._writer = postgres_engine(settings.store_url, pool_size=READER_COUNT)
            # The same pool: the transaction, not the connection, is read-only.
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Lend a read-only connection; all its statements see the store as it was at the first of them.

        Cancelling the task stops the statement it waits for, in the store too.

        Raises:
            StoreUnavailableError: The store does not answer, or every connection stayed busy for 2 seconds.
            StoreError: A statement failed.
        """
        with wrapped_faults():
            async with _connected(self._reader, is_left_at_once=self.is_sqlite) as connection:
                yield connection

    @asynccontextmanager
    async def write(self, *, patience_ms: int | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend a connection in a transaction: committed when the block ends well, rolled back otherwise.

        Cancelled while it commits, it is committed all the same, unless that fails; the cancellation is raised after
        that. On SQLite one block runs at a time; keep it short, and never open one inside another.

        Args:
            patience_ms: Milliseconds to wait for a lock of another process; 5 seconds unless told.

        Raises:
            ConflictError: A constraint of the store was violated.
            StoreUnavailableError: The store does not answer.
            StoreError: A statement failed.
        """
        with wrapped_faults():
            async with (
                self._turn,
                _connected(self._writer) as connection,
                self._patience(connection, patience_ms),
                connection.begin() as transaction,
            ):
                if patience_ms is not None and not self.is_sqlite:
                    await connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(patience_ms)}")
                yield connection
                # A server that was asked to stop meanwhile would leave open whether it has committed.
                await outlast(asyncio.ensure_future(transaction.commit()))

    @asynccontextmanager
    async def _patience(self, connection: AsyncConnection, milliseconds: int | None) -> AsyncIterator[None]:
        """Let SQLite wait for a lock no longer than that."""
        if milliseconds is None or not self.is_sqlite:
            yield
            return
        raw = (await connection.get_raw_connection()).driver_connection
        assert isinstance(raw, InterruptibleConnection)  # noqa: S101  # of our own engine
        await raw.set_patience(milliseconds / 1000)
        try:
            yield
        finally:
            with suppress(ValueError):  # closed meanwhile: a new one begins with that
                await raw.set_patience(BUSY_SECONDS)

    @asynccontextmanager
    async def time_limit(self, milliseconds: int | None = None) -> AsyncIterator[None]:
        """Stop the block, and the statement it waits for, when its time is up.

        Args:
            milliseconds: The limit; that of the settings unless told.

        Raises:
            QueryTimeoutError: The time was up.
        """
        limit = self.settings.query_timeout_ms if milliseconds is None else milliseconds
        try:
            async with asyncio.timeout(limit / 1000) as timer:
                yield
        except TimeoutError as error:
            if not timer.expired():
                raise
            raise QueryTimeoutError(f"This took longer than {limit} ms and was stopped. Ask for less.") from error

    async def ping(self) -> None:
        """See whether the store answers.

        Raises:
            StoreUnavailableError: It does not, or not within a second.
        """
        # SQLite answers `SELECT 1` without looking at its file.
        statement = "SELECT count(*) FROM sqlite_schema" if self.is_sqlite else "SELECT 1"
        try:
            async with self.time_limit(PING_MS), self.read() as connection:
                await connection.exec_driver_sql(statement)
        except StoreUnavailableError:
            raise
        except StoreError as error:
            raise StoreUnavailableError(str(error)) from error

    async def warm(self) -> None:
        """Open the connections before the first request needs them.

        Raises:
            StoreUnavailableError: The store does not answer.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.write())  # first: it prepares a new file
            for _ in range(READER_COUNT):
                await stack.enter_async_context(self.read())

    async def close(self) -> None:
        """Close every connection; SQLite's log is folded into its file. No thread is left."""
        await self._reader.dispose()
        try:
            if self.is_sqlite and self._writer.sync_engine.pool.checkedin():  # type: ignore[attr-defined]  # a QueuePool
                with wrapped_faults():
                    async with self._writer.connect() as connection:
                        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
                        await autocommit.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            await self._writer.dispose()


def sqlite_path(store_url: str) -> str:
    """The file of a SQLite store.

    Raises:
        ConfigError: The URL names no file, or has options.
    """
    url = make_url(store_url)
    if not url.database or url.database == ":memory:" or url.query:
        raise ConfigError(
            f"The store {store_url!r} cannot be used: name a file, without options, as in sqlite+aiosqlite:///livesearch.db."
        )
    return url.database


@asynccontextmanager
async def _connected(engine: AsyncEngine, *, is_left_at_once: bool = False) -> AsyncIterator[AsyncConnection]:
    """Lend a connection.

    Args:
        is_left_at_once: It is given back without waiting, as a reader of SQLite: nothing can break into that.
            Otherwise SQLAlchemy takes a task for it, which takes a sixth of the time of a small query.
    """
    is_open = False
    try:
        async with aclosing(await engine.connect()) if is_left_at_once else engine.connect() as connection:
            is_open = True
            yield connection
    except OSError as error:
        if is_open:
            raise  # the caller's own
        raise unavailable(str(error)) from error
