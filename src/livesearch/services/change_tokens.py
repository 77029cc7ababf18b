"""Change tokens: whether what was once read of a collection is still so, for caches and for pages that wait for news.

There are two grades. What is *current* was read after it was asked for: no commit acknowledged before is missed.
What was *noticed* may be a moment late, and costs nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from livesearch.db import Database
from livesearch.db.watching import PostgresWatch, SqliteWatch
from livesearch.errors import LivesearchError
from livesearch.services.transactions import Transactions
from livesearch.store.versions import ChangeToken, load_versions

__all__ = ["ChangeToken", "ChangeTokens", "PostgresTokens", "SqliteTokens", "tokens_of"]

Tokens = Mapping[str, ChangeToken]

# Milliseconds after which a store that does not answer is done without.
_PATIENCE_MS = 1000
# Seconds between two looks at SQLite for what is only noticed; some microseconds each.
_LOOK_SECONDS = 0.25
# PostgreSQL tells by itself. Seconds after which a store is asked all the same: while it tells, and while it does not
# answer.
_HEARING_SECONDS, _DEAF_SECONDS = 30.0, 1.0


class ChangeTokens:
    """The change tokens of all collections by name; a name that is missing is no collection's. Use it on one loop."""

    def __init__(self) -> None:
        self._known: Tokens = {}

    def glance(self) -> Tokens | None:
        """What is current, where that can be told without waiting; the same object as long as nothing has changed."""
        return None

    async def read(self) -> Tokens:
        """What is current.

        Raises:
            StoreUnavailableError: The store does not answer; also QueryTimeoutError and SchemaOutdatedError.
        """
        raise NotImplementedError

    async def latest(self) -> Tokens:
        """What is current, or was a moment ago; asks nothing while nothing changes and the block of ``watching`` runs.

        Raises:
            StoreUnavailableError: As ``read``.
        """
        return await self.read()

    async def current(self, name: str) -> ChangeToken | None:
        """The token of a collection now; raises as ``read``."""
        return (await self.read()).get(name)

    def noticed(self, name: str) -> ChangeToken | None:
        """The token of a collection as of a moment ago, while ``watching``; nothing is asked for it."""
        return self._known.get(name)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Notice commits while the block runs."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await self.close()

    async def close(self) -> None:
        """Let go of the store."""

    async def _follow(self) -> None:
        raise NotImplementedError

    def _take(self, found: Tokens) -> Tokens:
        # Kept when it says the same: who has seen it need not look into it again.
        if found != self._known:
            self._known = found
        return self._known


class SqliteTokens(ChangeTokens):
    """Tokens of a SQLite store: no query while nobody commits to the file."""

    def __init__(self, transactions: Transactions) -> None:
        super().__init__()
        self._transactions = transactions
        self._watch = SqliteWatch(transactions.database.settings)
        # What the watch said before the known tokens were read.
        self._stamp: int | None = None
        self._has_looked = False
        self._reading: tuple[int, asyncio.Task[Tokens]] | None = None
        # Readings that were begun, and the last of them whose tokens were taken.
        self._begun_count = self._taken_count = 0

    def glance(self) -> Tokens | None:
        """As of now, unless there was a commit.

        One look serves all that is run in the same turn of the loop: it was scheduled before the look, so it had come.
        """
        if self._has_looked:
            return self._known
        if self._stamp is None or self._watch.stamp() != self._stamp:
            return None
        self._has_looked = True
        # Whatever is scheduled from here on runs after this.
        asyncio.get_running_loop().call_soon(self._forget_look)
        return self._known

    def _forget_look(self) -> None:
        self._has_looked = False

    async def read(self) -> Tokens:
        """As of now; one query after each commit, for all that ask."""
        known = self.glance()
        if known is not None:
            return known
        stamp = self._watch.stamp()
        if stamp is None:
            return await self._load()
        if self._reading is None or self._reading[0] != stamp:
            # One under way that began before this commit may not know of it.
            self._begun_count += 1
            task = asyncio.create_task(self._take_up(stamp, self._begun_count))
            task.add_done_callback(_look_at)
            self._reading = stamp, task
        return await asyncio.shield(self._reading[1])

    async def _load(self) -> Tokens:
        database = self._transactions.database
        async with database.time_limit(_PATIENCE_MS), self._transactions.read(is_limited=False) as conn:
            return await load_versions(conn)

    async def _take_up(self, stamp: int, number: int) -> Tokens:
        try:
            found = await self._load()
        finally:
            if self._begun_count == number:
                self._reading = None
        if number > self._taken_count:  # else a later reading was faster
            self._taken_count, self._stamp = number, stamp
            return self._take(found)
        return found

    async def close(self) -> None:
        """Close the connection that looks."""
        if self._reading is not None:
            await asyncio.wait([self._reading[1]])
        self._watch.close()
        self._stamp = None

    async def _follow(self) -> None:
        while True:
            try:
                await self.read()
                await asyncio.sleep(_LOOK_SECONDS)
            except LivesearchError:
                await asyncio.sleep(_DEAF_SECONDS)


class PostgresTokens(ChangeTokens):
    """Tokens of a PostgreSQL store: a small query for all that ask while the one before is under way."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._watch = PostgresWatch(database.settings)
        self._running: asyncio.Task[Tokens] | None = None
        self._next: asyncio.Task[Tokens] | None = None
        # Whether commits are being told, and what is known is no older than the last that was.
        self._is_told = False

    async def latest(self) -> Tokens:
        """As of the last commit that PostgreSQL has told; as of now where it does not tell."""
        return self._known if self._is_told else await self.read()

    async def read(self) -> Tokens:
        """As of now: by the next query, for the one under way may have begun before a commit that must be seen."""
        if self._next is None:
            self._next = asyncio.create_task(self._load_after(self._running))
            self._next.add_done_callback(_look_at)
        return await asyncio.shield(self._next)

    async def _load_after(self, before: asyncio.Task[Tokens] | None) -> Tokens:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        async with self._database.time_limit(_PATIENCE_MS), self._watch.connected() as conn:
            return self._take(await load_versions(conn))

    async def close(self) -> None:
        """Close the connection that listens."""
        self._is_told = False
        under_way = [task for task in (self._running, self._next) if task is not None]
        if under_way:
            await asyncio.wait(under_way)
        await self._watch.close()

    async def _follow(self) -> None:
        while True:
            self._watch.heard.clear()
            seconds = _HEARING_SECONDS
            try:
                await self.read()
                self._is_told = True
            except LivesearchError:
                self._is_told, seconds = False, _DEAF_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._watch.heard.wait()


def _look_at(task: asyncio.Task[Tokens]) -> None:
    """Everybody who waited for it may have gone: then nobody is left to be told what went wrong."""
    if not task.cancelled():
        task.exception()


def tokens_of(transactions: Transactions) -> ChangeTokens:
    """The change tokens of a store."""
    is_sqlite = transactions.database.is_sqlite
    return SqliteTokens(transactions) if is_sqlite else PostgresTokens(transactions.database)
