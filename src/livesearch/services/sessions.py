"""Sessions of signed-in users: rows, so that the server can end them."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import User, UserSession
from livesearch.errors import NotFoundError, StoreError
from livesearch.services.transactions import Transactions
from livesearch.store import sessions as store

# 256 random bits, as for tokens: a plain hash keeps them.
_SECRET_BYTES = 32
# A session ends when nobody has used it for half a day, and after two weeks in any case (ASVS 5.0, 7.3).
IDLE_SECONDS = 12 * 3600.0
LONGEST_SECONDS = 14 * 86_400.0
# That a session was used is written once a minute at most, and only if the store can be written to at once.
_SEEN_SECONDS = 60.0
_PATIENCE_MS = 100
_USER_AGENT_LENGTH = 200


class SessionService:
    """Finds, lists and ends sessions.

    Args:
        clock: Tells Unix seconds, UTC.
    """

    def __init__(self, transactions: Transactions, clock: Callable[[], float] = time.time) -> None:
        self._transactions = transactions
        self._clock = clock

    async def begin(self, conn: AsyncConnection, user: User, *, user_agent: str, replaces: str | None) -> str:
        """Begin a session, in the transaction that made sure of its user, and give its secret.

        Args:
            user_agent: What the browser calls itself.
            replaces: The secret of the session that the browser had until now; it ends.
        """
        secret, now = secrets.token_urlsafe(_SECRET_BYTES), self._clock()
        if replaces is not None:
            await store.delete_session(conn, _digest(replaces))
        await store.delete_ended_sessions(conn, now=now, idle_seconds=IDLE_SECONDS)
        await store.add_session(
            conn,
            user.id,
            digest=_digest(secret),
            now=now,
            expires_at=now + LONGEST_SECONDS,
            user_agent=user_agent[:_USER_AGENT_LENGTH],
        )
        return secret

    async def find(self, secret: str) -> UserSession | None:
        """The session of a secret and its user; None where it has ended, or its user may not sign in any more."""
        now = self._clock()
        async with self._transactions.read() as conn:
            found = await store.find_session(conn, _digest(secret))
        if found is None or self._has_ended(found, now) or not found.user.is_active:
            return None
        if now - found.seen_at >= _SEEN_SECONDS:
            await self._touch(found, now)
        return found

    async def _touch(self, session: UserSession, now: float) -> None:
        # A page must not wait for an import that writes: the next one records it.
        with suppress(StoreError, TimeoutError):
            async with (
                asyncio.timeout(_PATIENCE_MS / 1000 * 2),
                self._transactions.write(patience_ms=_PATIENCE_MS) as conn,
            ):
                await store.touch_session(conn, session.id, now=now)

    async def list_of(self, user: User) -> Sequence[UserSession]:
        """A user's sessions that have not ended, the one last used first."""
        now = self._clock()
        async with self._transactions.read() as conn:
            found = await store.list_sessions(conn, user.id)
        return [session for session in found if not self._has_ended(session, now)]

    async def end(self, secret: str) -> None:
        """End the session of a secret, if there is one."""
        async with self._transactions.write() as conn:
            await store.delete_session(conn, _digest(secret))

    async def end_of(self, user: User, session_id: int) -> None:
        """End one of a user's own sessions.

        Raises:
            NotFoundError: It is not there, or somebody else's.
        """
        async with self._transactions.write() as conn:
            if not await store.delete_session_of(conn, user.id, session_id):
                raise NotFoundError("This session has ended already.")

    def _has_ended(self, session: UserSession, now: float) -> bool:
        return now >= session.expires_at or now - session.seen_at >= IDLE_SECONDS


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
