"""SQLite: connections whose statements can be interrupted, and the engines over them.

Each connection lives in a thread of its own (aiosqlite). Two things differ from the stock driver:

- A cancelled statement is interrupted and waited for; the connection is idle afterwards and stays in the pool. The
  stock driver lets the statement run on, and whoever gets the connection next waits for it.
- ``BEGIN``, the statement and the fetching of its rows are one trip to the thread instead of five. A statement of which
  nothing is asked back can be handed over without waiting for it: an edit then waits six times instead of twelve.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Self, TypeVar
from weakref import WeakSet

import aiosqlite
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from livesearch.db.waiting import outlast

T = TypeVar("T")

# Seconds a statement waits for another process's lock.
BUSY_SECONDS = 5.0
# Seconds a request waits for a free connection.
POOL_SECONDS = 2.0

PRAGMAS = (
    # NORMAL lost acknowledged commits in 10 of 25 simulated power cuts, FULL in none.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA trusted_schema=OFF",
    # A write-ahead log that a burst has grown past 64 MiB is cut back.
    "PRAGMA journal_size_limit=67108864",
)
# A reader reads the first 128 MiB straight from the page cache of the system: half the processor time for rows of
# several pages. Each mapping counts as resident memory though it is the same (two of 256 MiB came to 270 in 3,000
# searches), so one reader has one, which is lent most: the pool lends the one that came back last. The writer maps
# nothing: an import goes through the whole file.
MAPPED_SIZE, MAPPED_COUNT = 1 << 27, 1
# KiB of cached pages a connection, negative as SQLite wants it: what readers without a mapping fall back on; an import
# writes in the order of keys, for which more than 16 MiB are of no use.
WRITER_CACHE, READER_CACHE = -16384, -4096

# What may be the fault of one connection alone; a new one is tried the next time.
BROKEN_CODES = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB})
# SQL, and its parameters.
Statement = tuple[str, Sequence[Any]]  # Any: what SQLite takes
# What begins a transaction of a reader, and of the writer.
_READING, _WRITING = "BEGIN", "BEGIN IMMEDIATE"


class StatementCursor:
    """A cursor that runs a statement and fetches all its rows in one trip to the thread.

    Rows are in memory when ``execute`` returns: page through large results by key.
    """

    def __init__(self, connection: "InterruptibleConnection") -> None:
        self._connection = connection
        self._rows: list[Any] = []  # Any: rows of whatever was asked
        self.description: Any = None  # Any: as sqlite3 has it
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Run a statement once."""
        return await self._run(sqlite3.Cursor.execute, sql, parameters)

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Run a statement for each set of parameters."""
        return await self._run(sqlite3.Cursor.executemany, sql, parameters)

    async def _run(self, method: Callable[..., object], sql: str, parameters: object) -> Self:
        await self._connection.run_statement(self._run_in_thread, method, sql, parameters)
        return self

    def _run_in_thread(self, method: Callable[..., object], sql: str, parameters: object) -> None:
        cursor = self._connection.begin()
        try:
            method(cursor, sql, parameters)
            self._rows = cursor.fetchall() if cursor.description else []
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
        finally:
            cursor.close()

    async def fetchone(self) -> Any:
        """Take the next row; None when there is none."""
        return self._rows.pop(0) if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        """Take the next rows, ``arraysize`` unless told."""
        count = size or self.arraysize
        taken, self._rows = self._rows[:count], self._rows[count:]
        return taken

    async def fetchall(self) -> list[Any]:
        """Take the rows that are left."""
        taken, self._rows = self._rows, []
        return taken

    async def close(self) -> None:
        """Do nothing: the cursor in the thread is closed already."""


class InterruptibleConnection(aiosqlite.Connection):
    """A connection whose statements end when the task that waits for them is cancelled.

    ``COMMIT``, ``ROLLBACK``, opening and closing are waited for instead: half of them is nothing.
    It overrides internals of aiosqlite 0.22, which the project pins.
    """

    def __init__(self, connector: Callable[[], sqlite3.Connection], begin_statement: str) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._begin_statement = begin_statement
        self._is_ahead = False  # Statements were handed over since the transaction began.
        self._functions: set[str] = set()
        # What became of statements that were handed over; only the thread looks at it.
        self._failure: BaseException | None = None
        self._stopping: asyncio.Future[Any] | None = None
        # A process that ends without `close` must not wait for this thread (github.com/omnilib/aiosqlite/issues/369).
        self._thread.daemon = True

    def begin(self) -> sqlite3.Cursor:
        """Open the transaction that the next statement needs; called in the thread.

        Raises what has gone wrong with a statement that was handed over, until the transaction is rolled back.
        """
        if self._failure is not None:
            raise self._failure
        if self._conn.isolation_level is not None and not self._conn.in_transaction:  # None: autocommit
            self._conn.execute(self._begin_statement)
        return self._conn.cursor()

    def hand_over(self, sql: str, parameters: Sequence[Any]) -> None:
        """Run a statement without waiting for it, before any that is waited for from now on.

        What goes wrong with it goes wrong with the next one that is waited for, or with the commit.
        """
        self._is_ahead = True
        self._put_unasked(self._run_ahead, sql, parameters)

    def define(self, name: str, function: Callable[..., bytes], parameter_count: int) -> None:
        """Let statements from now on call a function by a name, which stands for that one only."""
        if name not in self._functions:
            self._functions.add(name)
            self._put_unasked(self._define, name, parameter_count, function)

    def _define(self, name: str, parameter_count: int, function: Callable[..., bytes]) -> None:
        self._conn.create_function(name, parameter_count, function, deterministic=True)

    def fail(self, error: sqlite3.Error) -> None:
        """Let all statements go wrong with an error that one has already met, until the transaction is rolled back."""
        self._is_ahead = True
        self._put_unasked(self._note, error)

    def _run_ahead(self, sql: str, parameters: Sequence[Any]) -> None:
        if self._failure is None:
            try:
                self.begin().execute(sql, parameters)
            except BaseException as error:  # noqa: BLE001  # raised where somebody waits
                self._failure = error

    def _note(self, error: sqlite3.Error) -> None:
        self._failure = error

    async def set_patience(self, seconds: float) -> None:
        """Say how long a statement waits for another process's lock."""
        await self._execute(self._conn.execute, f"PRAGMA busy_timeout={int(seconds * 1000)}")

    @property
    def is_reader(self) -> bool:
        """Whether it only reads, and so waits for no writer."""
        return self._begin_statement == _READING

    async def fetch(self, *statements: Statement) -> list[list[Any]]:
        """Run statements in one trip to the thread and give the rows of each."""
        return await self.run_statement(self._fetch_in_thread, statements)

    def _fetch_in_thread(self, statements: Iterable[Statement]) -> list[list[Any]]:
        cursor = self.begin()
        return [cursor.execute(sql, parameters).fetchall() for sql, parameters in statements]

    async def run_statement(self, function: Callable[..., T], *args: object) -> T:
        """Run a function in the thread; interrupt it when this task is cancelled."""
        return await outlast(self._put(function, *args), self._conn.interrupt)

    async def _execute(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await outlast(self._put(fn, *args, **kwargs))

    def _put(self, function: Callable[..., T], *args: object, **kwargs: object) -> asyncio.Future[T]:
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        future = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, partial(function, *args, **kwargs)))
        return future

    def _put_unasked(self, function: Callable[..., object], *args: object) -> None:
        # Of a connection that is closed the next one who waits hears, and the commit.
        self._tx.put_nowait((None, partial(function, *args)))

    async def _connect(self) -> Self:
        opening: asyncio.Future[sqlite3.Connection] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((opening, self._connector))
        try:
            self._connection = await outlast(opening)
        except BaseException:
            # Cancelled, it may have been opened all the same: a handle without an owner would keep the file open.
            if not opening.exception():
                self._connection = opening.result()
            if stopping := self.stop():
                await outlast(stopping)
            raise
        return self

    def cursor(self) -> StatementCursor:  # type: ignore[override]  # what SQLAlchemy's adapter asks of a cursor, no more
        """Make a cursor; it needs no trip to the thread."""
        return StatementCursor(self)

    async def commit(self) -> None:
        """Commit; costs nothing when no transaction is open."""
        if self._is_ahead or self._conn.in_transaction:
            self._is_ahead = False
            await self._execute(self._commit_in_thread)

    def _commit_in_thread(self) -> None:
        try:
            self.begin().close()
            self._conn.commit()
        except BaseException:
            # To SQLAlchemy the transaction has ended: what it wrote would be committed with the next one.
            with suppress(sqlite3.Error):
                self._rollback_in_thread()
            raise

    async def rollback(self) -> None:
        """Roll back; costs nothing when no transaction is open."""
        if not (self._is_ahead or self._conn.in_transaction):
            return
        self._is_ahead = False
        if self.is_reader:
            # It undoes nothing, so nobody needs to wait: the thread ends this snapshot before it begins another.
            self._put_unasked(self._rollback_in_thread)
        else:
            await self._execute(self._rollback_in_thread)

    def _rollback_in_thread(self) -> None:
        self._failure = None
        self._conn.rollback()

    def stop(self) -> asyncio.Future[Any] | None:
        """Have the thread close the connection and end: once. Who asked again would wait for a thread that has ended.

        SQLAlchemy asks while it closes, when whoever waits for that is cancelled.
        """
        if self._running:
            self._stopping = super().stop()
        return self._stopping

    async def close(self) -> None:
        """Close the connection and see its thread end."""
        try:
            await super().close()
        finally:
            self._thread.join(timeout=1)  # it has answered already: microseconds


def _enter_wal(raw: sqlite3.Connection) -> None:
    """Switch to write-ahead logging. SQLite does not wait for a lock there, so two who open a new file can collide."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            raw.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _open(path: str, *, is_reader: bool, is_mapped: bool) -> sqlite3.Connection:
    raw = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        _enter_wal(raw)
        for pragma in PRAGMAS:
            raw.execute(pragma)
        raw.execute(f"PRAGMA mmap_size={MAPPED_SIZE if is_mapped else 0}")
        raw.execute(f"PRAGMA cache_size={READER_CACHE if is_reader else WRITER_CACHE}")
        if is_reader:
            raw.execute("PRAGMA query_only=ON")
    except BaseException:
        raw.close()
        raise
    return raw


def _judge_connection(context: ExceptionContext) -> None:
    """Decide whether the connection that failed is kept."""
    error = context.original_exception
    if isinstance(error, asyncio.CancelledError):
        context.is_disconnect = False  # interrupted and idle
    elif getattr(error, "sqlite_errorcode", 0) & 0xFF in BROKEN_CODES:
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def sqlite_engine(url: str, path: str, *, reader_count: int = 0) -> AsyncEngine:
    """Make an engine over one file.

    Args:
        url: The store's URL.
        path: The file; it is created when it does not exist.
        reader_count: Connections, all read-only; 0 makes an engine with a single connection that writes.
    """
    is_reader = reader_count > 0
    mapped: WeakSet[InterruptibleConnection] = WeakSet()

    def connect() -> InterruptibleConnection:
        is_mapped = is_reader and len(mapped) < MAPPED_COUNT
        opening = partial(_open, path, is_reader=is_reader, is_mapped=is_mapped)
        connection = InterruptibleConnection(opening, _READING if is_reader else _WRITING)
        if is_mapped:
            mapped.add(connection)
        return connection

    engine = create_async_engine(
        url,
        async_creator=connect,
        pool_size=reader_count or 1,
        max_overflow=0,
        pool_use_lifo=True,  # the connection used last has the warmest cache
        pool_timeout=POOL_SECONDS,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "handle_error", _judge_connection)
    return engine
