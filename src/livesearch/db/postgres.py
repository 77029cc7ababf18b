"""PostgreSQL: the engine over asyncpg, whose statements end on the server when their task is cancelled."""

import asyncio
import time
from typing import Any

import asyncpg
from sqlalchemy import event, exc
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from livesearch.db.waiting import outlast

# Milliseconds after which the server ends a statement, a wait for a lock, and an idle transaction. The time limit of
# a search is shorter and ours; these are for what nobody waits for any more. Bulk statements of an import fit.
SERVER_SETTINGS = {
    "application_name": "livesearch",
    "statement_timeout": "30000",
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "60000",
}
# Seconds the server gets to obey a request to cancel before it is asked again: at first, and at most, as each pause is
# twice as long as the one before. A request costs it a process.
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 1.0
# Seconds for which a connection that has answered is taken to be there. A server that stops says so, and the connection
# knows at once; only a network that goes silent says nothing.
_TRUST_SECONDS = 5.0
# Under which a pooled connection notes when it was given back.
_GIVEN_BACK = "given back"


class InsistentConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg ships no types
    """A connection that asks the server to cancel a statement until it has.

    A server ignores the request when the statement it is for has not reached it yet, and then runs the statement to its
    end: 2 of 8 ran on when the machine was busy. It overrides a method of asyncpg 0.32 that is not public.
    """

    async def _cancel(self, waiter: asyncio.Future[None], cancel_waiter: asyncio.Future[None] | None = None) -> None:
        """Ask until ``cancel_waiter`` is done, as it is when the server has answered or the connection is lost.

        Args:
            waiter: Set when no request is under way any more. The next statement waits for it, or could be hit.
        """
        pause = FIRST_PAUSE
        try:
            await super()._cancel(self._loop.create_future())
            while cancel_waiter is not None and not (await asyncio.wait([cancel_waiter], timeout=pause))[0]:
                await super()._cancel(self._loop.create_future())
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            if not waiter.done():
                waiter.set_result(None)


async def _connect(**arguments: Any) -> InsistentConnection:  # Any: as asyncpg has them
    """Connect; cancelled, the attempt is waited for and closed. asyncpg would leave half of one behind."""
    opening = asyncio.ensure_future(asyncpg.connect(connection_class=InsistentConnection, **arguments))
    try:
        return await outlast(opening)
    except asyncio.CancelledError:
        if not opening.cancelled() and not opening.exception():
            opening.result().terminate()
        raise


def _judge_connection(context: ExceptionContext) -> None:
    """Keep a connection whose statement was cancelled: rolling back costs less than a new process on the server."""
    if isinstance(context.original_exception, asyncio.CancelledError) and context.connection is not None:
        adapted = context.connection.connection.dbapi_connection
        # Cancelled while a transaction began or ended: whether there is one is not known.
        context.is_disconnect = adapted._transaction is None  # type: ignore[union-attr]  # noqa: SLF001  # SQLAlchemy's


def _note_return(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_GIVEN_BACK] = time.monotonic()


def _require_life(connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
    """See whether a pooled connection is there still; a server that restarted then costs nobody a failed request.

    SQLAlchemy's own `pool_pre_ping` asks each time, in three trips: as many as a search takes for all it wants to know.

    Raises:
        InvalidatePoolError: It is not: the pool then opens another, and gives out no older one.
    """
    given_back = record.info.get(_GIVEN_BACK)
    if given_back is None:  # it was opened just now
        return
    if record.driver_connection.is_closed():  # type: ignore[union-attr]  # asyncpg's
        raise exc.InvalidatePoolError
    if time.monotonic() - given_back > _TRUST_SECONDS:
        try:
            connection.ping()
        except Exception as error:  # whatever it is, it is of no use
            raise exc.InvalidatePoolError from error


def postgres_engine(url: str, *, pool_size: int) -> AsyncEngine:
    """Make an engine that opens connections as they are needed, at most `pool_size` and half as many more."""
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size // 2,
        pool_timeout=2,  # seconds, as for SQLite
        # The connection used last: it need not be asked, and its server process has all it needs at hand.
        pool_use_lifo=True,
        pool_recycle=300,  # seconds: shorter than what firewalls forget
        hide_parameters=True,
        connect_args={
            "async_creator_fn": _connect,
            "timeout": 3,  # seconds to connect
            "command_timeout": 35,  # seconds; past the server's own limit, for a network that went silent
            "server_settings": SERVER_SETTINGS,
        },
    )
    event.listen(engine.sync_engine, "handle_error", _judge_connection)
    event.listen(engine.sync_engine, "checkin", _note_return)
    event.listen(engine.sync_engine, "checkout", _require_life)
    return engine
