"""Sessions of signed-in users; of each secret only its hash."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import UserSession
from livesearch.models import user_sessions, users
from livesearch.store.users import read_user

_OWNER = "owner_"
_ROW = select(user_sessions, *(column.label(_OWNER + column.name) for column in users.c)).join(
    users, user_sessions.c.user_id == users.c.id
)


def _session(row: Row[Any]) -> UserSession:  # Any: columns of several types
    return UserSession(
        id=row.id,
        user=read_user(row, prefix=_OWNER),
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
        user_agent=row.user_agent,
    )


async def find_session(conn: AsyncConnection, digest: bytes) -> UserSession | None:
    """The session whose secret has this hash, ended or not, or None."""
    row = (await conn.execute(_ROW.where(user_sessions.c.digest == digest))).one_or_none()
    return _session(row) if row else None


async def list_sessions(conn: AsyncConnection, user_id: int) -> Sequence[UserSession]:
    """A user's sessions, the one last used first."""
    query = _ROW.where(user_sessions.c.user_id == user_id).order_by(user_sessions.c.seen_at.desc(), user_sessions.c.id)
    return [_session(row) for row in await conn.execute(query)]


async def add_session(
    conn: AsyncConnection, user_id: int, *, digest: bytes, now: float, expires_at: float, user_agent: str
) -> None:
    """Store a session.

    Args:
        digest: SHA-256 of the secret.
        now: Unix seconds, UTC; so is ``expires_at``.
    """
    await conn.execute(
        insert(user_sessions).values(
            user_id=user_id, digest=digest, created_at=now, seen_at=now, expires_at=expires_at, user_agent=user_agent
        )
    )


async def touch_session(conn: AsyncConnection, session_id: int, *, now: float) -> None:
    """Record that a session was used."""
    await conn.execute(update(user_sessions).where(user_sessions.c.id == session_id).values(seen_at=now))


async def delete_session(conn: AsyncConnection, digest: bytes) -> None:
    """End the session whose secret has this hash, if there is one."""
    await conn.execute(delete(user_sessions).where(user_sessions.c.digest == digest))


async def delete_session_of(conn: AsyncConnection, user_id: int, session_id: int) -> bool:
    """End a session, if it is this user's, and tell whether it was."""
    ended = delete(user_sessions).where(user_sessions.c.id == session_id, user_sessions.c.user_id == user_id)
    return (await conn.execute(ended)).rowcount == 1


async def delete_sessions(conn: AsyncConnection, user_id: int) -> None:
    """End all sessions of a user."""
    await conn.execute(delete(user_sessions).where(user_sessions.c.user_id == user_id))


async def delete_ended_sessions(conn: AsyncConnection, *, now: float, idle_seconds: float) -> None:
    """Forget the sessions that have ended by themselves."""
    is_over = (user_sessions.c.expires_at <= now) | (user_sessions.c.seen_at <= now - idle_seconds)
    await conn.execute(delete(user_sessions).where(is_over))
