"""Transactions as services use them: on a store whose schema fits, within the time limit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.db import READER_COUNT, Database
from livesearch.errors import OverloadedError, SchemaOutdatedError
from livesearch.store.schema import SchemaState, schema_state, upgrade_schema

# Seconds a search waits for its turn: the two longest searches before it. The bridge admits few more than have a turn.
_TURN_SECONDS = 2.0
# Milliseconds a search waits at least for a connection, however short its own limit is.
_CONNECTION_MS = 1000

_WAY_OUT = {
    SchemaState.EMPTY: "The store is empty. Run `livesearch db upgrade`, or `livesearch serve`, to set it up.",
    SchemaState.OUTDATED: "The store was made by an older livesearch. Run `livesearch db upgrade`; your rows stay.",
    SchemaState.STALE: (
        "The index was made by an older livesearch, or making it anew was interrupted. Run `livesearch db upgrade`;"
        " your rows stay."
    ),
    SchemaState.UNKNOWN: (
        "The store was made by a newer livesearch, or not by livesearch. Start the version that made it, or set"
        " LIVESEARCH_STORE_URL to another store."
    ),
}


class Transactions:
    """Opens transactions; every service has its connections from here."""

    def __init__(self, database: Database) -> None:
        self.database = database
        # Fewer than there are connections: one stays free for work without a limit, such as an import's look-ups.
        self._turns = asyncio.Semaphore(READER_COUNT - 1)
        # Once the schema has been found current it stays so: migrations only go forward.
        self._is_current = False
        # By collection, until when rows of other programs are not indexed, because the store could not be written to:
        # seconds on the monotonic clock. `opening` keeps it.
        self.foreign_pauses: dict[int, float] = {}

    @asynccontextmanager
    async def read(self, *, is_limited: bool = True) -> AsyncIterator[AsyncConnection]:
        """A snapshot to read.

        Args:
            is_limited: Within the query time limit, as all that answers a request must be.

        Raises:
            SchemaOutdatedError: The store must be upgraded first.
            QueryTimeoutError: The block took longer than the setting `query_timeout_ms`.
            OverloadedError: Too many blocks want to run within the limit at once.
            StoreUnavailableError: The store does not answer.
        """
        if not is_limited:
            async with self.database.read() as conn:
                await self._require_schema(conn)
                yield conn
            return
        # Waiting one's turn and opening a connection are not the query's time: the limit runs from when there is one.
        async with self._turn(), AsyncExitStack() as stack:
            async with self.database.time_limit(max(_CONNECTION_MS, self.database.settings.query_timeout_ms)):
                conn = await stack.enter_async_context(self.database.read())
                await self._require_schema(conn)
            async with self.database.time_limit():
                yield conn

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait one's turn, in the order of coming, but not for ever."""
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError as error:
            raise OverloadedError("Too many searches at once. Try again in a moment.") from error
        try:
            yield
        finally:
            self._turns.release()

    @asynccontextmanager
    async def write(
        self, *, is_for_index: bool = False, patience_ms: int | None = None
    ) -> AsyncIterator[AsyncConnection]:
        """A transaction that commits when the block ends well.

        Args:
            is_for_index: It makes an index anew, so that this may be out of date.
            patience_ms: Milliseconds to wait for a lock of another process; 5 seconds unless told.

        Raises:
            SchemaOutdatedError: The store must be upgraded first.
            StoreUnavailableError: The store does not answer.
        """
        async with self.database.write(patience_ms=patience_ms) as conn:
            await self._require_schema(conn, is_for_index=is_for_index)
            yield conn

    async def _require_schema(self, conn: AsyncConnection, *, is_for_index: bool = False) -> None:
        if self._is_current:
            return
        state = await schema_state(conn)
        if is_for_index and state is SchemaState.STALE:
            return
        if state is not SchemaState.CURRENT:
            raise SchemaOutdatedError(_WAY_OUT[state])
        self._is_current = True

    async def schema(self) -> SchemaState:
        """How the store's schema stands to this code."""
        async with self.database.read() as conn:
            return await schema_state(conn)

    async def upgrade(self, *, only_if_empty: bool = False) -> SchemaState:
        """Bring the schema up to date.

        Args:
            only_if_empty: Set up an empty store, but leave an older one as it is.

        Returns:
            What state the store was in.

        Raises:
            SchemaOutdatedError: The store is not one this version can upgrade.
        """
        async with self.database.write() as conn:
            state = await schema_state(conn)
            if state is SchemaState.UNKNOWN:
                raise SchemaOutdatedError(_WAY_OUT[state])
            if state is SchemaState.EMPTY or (state is SchemaState.OUTDATED and not only_if_empty):
                await upgrade_schema(conn)
            return state
