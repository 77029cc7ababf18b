"""Users, and the link by which the first of them is made."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import User, UserRole
from livesearch.models import setup_links, users


def read_user(row: Row[Any], *, prefix: str = "") -> User:  # Any: columns of several types
    """The user that a row tells of.

    Args:
        prefix: What stands before the names of its columns.
    """
    values = row._mapping  # noqa: SLF001  # SQLAlchemy's public name for it
    return User(
        id=values[f"{prefix}id"],
        name=values[f"{prefix}name"],
        role=UserRole(values[f"{prefix}role"]),
        email=values[f"{prefix}email"],
        is_active=values[f"{prefix}is_active"],
        created_at=values[f"{prefix}created_at"],
        changed_at=values[f"{prefix}changed_at"],
        groups=tuple(values[f"{prefix}groups"]),
    )


async def list_users(conn: AsyncConnection) -> Sequence[User]:
    """All users, by name."""
    return [read_user(row) for row in await conn.execute(select(users).order_by(users.c.name_key))]


async def search_users(conn: AsyncConnection, words: Sequence[str], *, limit: int, offset: int) -> Sequence[User]:
    """Users whose name or address holds each of some folded words, in the order of their names.

    No index serves a part of a word, so every user is looked at: 15 ms for 100,000 of them on SQLite, 40 on PostgreSQL.
    In the order of what is compared, not of ``name_key``: by its index, each row is fetched for itself, in 250 ms.
    """
    query = select(users).where(*_holds(words)).order_by(users.c.search_text, users.c.id)
    return [read_user(row) for row in await conn.execute(query.limit(limit).offset(offset))]


async def count_found_users(conn: AsyncConnection, words: Sequence[str]) -> int:
    """How many users ``search_users`` finds."""
    return int((await conn.execute(select(func.count()).select_from(users).where(*_holds(words)))).scalar_one())


def _holds(words: Sequence[str]) -> list[ColumnElement[bool]]:
    # Who was written by an older livesearch is found by everything, rather than by nothing.
    text = users.c.search_text
    return [text.is_(None) | text.contains(word, autoescape=True) for word in words]


async def lock_active_admins(conn: AsyncConnection) -> set[int]:
    """The numbers of the administrators who may sign in; until the transaction ends, nobody else can change them."""
    query = select(users.c.id).where(users.c.role == UserRole.ADMIN.value, users.c.is_active)
    return set((await conn.execute(query.order_by(users.c.id).with_for_update())).scalars())


async def count_users(conn: AsyncConnection) -> int:
    """How many users there are, those that may not sign in too."""
    return int((await conn.execute(select(func.count()).select_from(users))).scalar_one())


async def find_user(conn: AsyncConnection, name_key: str) -> tuple[User, str] | None:
    """The user of a name and the hash of their password, or None."""
    return await _find(conn, select(users).where(users.c.name_key == name_key))


async def find_user_by_id(conn: AsyncConnection, user_id: int) -> tuple[User, str] | None:
    """The user of a number and the hash of their password, or None."""
    return await _find(conn, select(users).where(users.c.id == user_id))


async def _find(conn: AsyncConnection, query: Select[Any]) -> tuple[User, str] | None:
    row = (await conn.execute(query)).one_or_none()
    return (read_user(row), row.password_hash) if row else None


async def add_user(
    conn: AsyncConnection,
    name: str,
    *,
    name_key: str,
    role: UserRole,
    email: str | None,
    search_text: str,
    password_hash: str,
    now: float,
) -> User:
    """Store a user who may sign in.

    Args:
        search_text: What ``search_users`` looks into.
        now: Unix seconds, UTC.
    """
    values = {"name": name, "name_key": name_key, "role": role.value, "email": email, "search_text": search_text}
    added = insert(users).values(**values, password_hash=password_hash, is_active=True, created_at=now, changed_at=now)
    return read_user((await conn.execute(added.returning(users))).one())


async def change_user(conn: AsyncConnection, user_id: int, *, now: float, **values: object) -> None:
    """Set columns of a user.

    Args:
        now: Unix seconds, UTC.
    """
    await conn.execute(update(users).where(users.c.id == user_id).values(**values, changed_at=now))


async def delete_user(conn: AsyncConnection, user_id: int) -> None:
    """Remove a user, with their sessions and tokens."""
    await conn.execute(delete(users).where(users.c.id == user_id))


async def put_setup_link(conn: AsyncConnection, digest: bytes | None, *, expires_at: float = 0.0) -> None:
    """Make this the only link by which the first user can be made; None for no such link."""
    await conn.execute(delete(setup_links))
    if digest is not None:
        await conn.execute(insert(setup_links).values(digest=digest, expires_at=expires_at))


async def has_setup_link(conn: AsyncConnection, digest: bytes, *, now: float) -> bool:
    """Whether the link is there and has not ended."""
    query = select(setup_links).where(setup_links.c.digest == digest, setup_links.c.expires_at > now)
    return (await conn.execute(query)).one_or_none() is not None


async def use_setup_link(conn: AsyncConnection, digest: bytes, *, now: float) -> bool:
    """Remove the link, and tell whether it was there and had not ended: of two at once, one is told so."""
    used = delete(setup_links).where(setup_links.c.digest == digest, setup_links.c.expires_at > now)
    return (await conn.execute(used)).rowcount == 1
