"""Shortlists of users."""

from collections.abc import Iterable

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Place, SharedShortlist, ShortlistEntry
from livesearch.models import shortlists, users

Entries = tuple[ShortlistEntry, ...]


async def load_shortlist(conn: AsyncConnection, user_id: int) -> Entries:
    """What a user keeps, in their order."""
    found = (await conn.execute(select(shortlists.c.entries).where(shortlists.c.user_id == user_id))).scalar()
    return _entries(found or ())


async def lock_shortlist(conn: AsyncConnection, user_id: int) -> Entries:
    """What a user keeps, for a transaction that changes it: others that want to do so wait for its end."""
    # The user's row, for there may be no list yet. SQLite has one writer anyway.
    await conn.execute(select(users.c.id).where(users.c.id == user_id).with_for_update(key_share=True))
    return await load_shortlist(conn, user_id)


async def save_shortlist(conn: AsyncConnection, user_id: int, entries: Iterable[ShortlistEntry]) -> None:
    """Put this in place of what a user keeps."""
    await _put(conn, user_id, entries=[[*entry.place, entry.note] for entry in entries])


async def set_share_token(conn: AsyncConnection, user_id: int, token: str | None) -> None:
    """Make this the secret of the link to a user's list; None for no link."""
    await _put(conn, user_id, share_token=token)


async def find_share_token(conn: AsyncConnection, user_id: int) -> str | None:
    """The secret of the link to a user's list, if there is one."""
    query = select(shortlists.c.share_token).where(shortlists.c.user_id == user_id)
    return (await conn.execute(query)).scalar_one_or_none()


async def find_shared(conn: AsyncConnection, token: str) -> SharedShortlist | None:
    """The list behind a link, as long as its owner may sign in."""
    query = (
        select(users.c.name, shortlists.c.entries)
        .join(users, shortlists.c.user_id == users.c.id)
        .where(shortlists.c.share_token == token, users.c.is_active)
    )
    row = (await conn.execute(query)).one_or_none()
    return SharedShortlist(row.name, _entries(row.entries)) if row else None


async def _put(conn: AsyncConnection, user_id: int, **values: object) -> None:
    changed = await conn.execute(update(shortlists).where(shortlists.c.user_id == user_id).values(**values))
    if not changed.rowcount:
        await conn.execute(insert(shortlists).values(**{"entries": [], **values}, user_id=user_id))


def _entries(stored: Iterable[tuple[str, str, str]]) -> Entries:
    return tuple(ShortlistEntry(Place(collection, key), note) for collection, key, note in stored)
