"""Users as those who run the site see them: found, changed and removed."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import User, UserPage, UserRole
from livesearch.errors import ConflictError, NameTakenError, NotFoundError
from livesearch.search.analysis import fold
from livesearch.search.query import QUERY_LENGTH
from livesearch.services.accounts import checked_groups, name_key, require_good_email, require_good_name, search_text
from livesearch.services.transactions import Transactions
from livesearch.store import sessions as session_store
from livesearch.store import users as store

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class UserChange:
    """What a user is to be from now on.

    Attributes:
        changed_at: When the user whom somebody saw was last changed; None where nobody looked.
    """

    name: str
    email: str | None
    role: UserRole
    is_active: bool
    groups: tuple[str, ...] = ()
    changed_at: float | None = None


class UserService:
    """Finds, changes and removes users. New ones, and their passwords, are made by ``AccountService``.

    Args:
        clock: Tells Unix seconds, UTC.
    """

    def __init__(self, transactions: Transactions, clock: Callable[[], float] = time.time) -> None:
        self._transactions = transactions
        self._clock = clock

    async def search(self, text: str = "", *, page: int = 1) -> UserPage:
        """Users whose name or address holds each word of a text, as a part of a word too, by name.

        Args:
            text: Without regard to case, width and diacritics; its first 512 characters count.
            page: From 1; past the last one there are no users.
        """
        text = text.strip()[:QUERY_LENGTH]
        words = fold(text).replace("\0", "\ufffd").split()
        async with self._transactions.read() as conn:
            total = await store.count_found_users(conn, words)
            found = await store.search_users(conn, words, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE)
        return UserPage(text, tuple(found), total, page, max(1, -(-total // PAGE_SIZE)))

    async def get(self, user_id: int) -> User:
        """One user.

        Raises:
            NotFoundError: There is no such user (any more).
        """
        async with self._transactions.read() as conn:
            return await _require(conn, user_id)

    async def change(self, user_id: int, change: UserChange) -> User:
        """Change a user. Another role, or not to be active any more, ends every session of theirs.

        Raises:
            NotFoundError: There is no such user (any more).
            InvalidInputError: The name, the address or a group cannot be used.
            NameTakenError: Somebody else has the name.
            ConflictError: Nobody could run the site any more, or somebody else has changed the user meanwhile.
        """
        require_good_name(change.name)
        require_good_email(change.email)
        groups = checked_groups(change.groups)
        name, key = change.name.strip(), name_key(change.name)
        async with self._transactions.write() as conn:
            user = await _require(conn, user_id)
            if change.changed_at not in {None, user.changed_at}:
                raise ConflictError(f"Somebody else has changed “{user.name}” meanwhile. Look at them again.")
            namesake = await store.find_user(conn, key)
            if namesake is not None and namesake[0].id != user_id:
                raise NameTakenError(name)
            if change.role is not UserRole.ADMIN or not change.is_active:
                await _require_another_admin(conn, user)
            await store.change_user(
                conn,
                user_id,
                now=self._clock(),
                name=name,
                name_key=key,
                email=change.email or None,
                search_text=search_text(name, change.email),
                role=change.role.value,
                is_active=change.is_active,
                groups=list(groups),
            )
            if change.role is not user.role or not change.is_active:
                await session_store.delete_sessions(conn, user_id)
            return await _require(conn, user_id)

    async def delete(self, user_id: int) -> User:
        """Remove a user, with their sessions and tokens.

        Raises:
            NotFoundError: There is no such user (any more).
            ConflictError: Nobody could run the site any more.
        """
        async with self._transactions.write() as conn:
            user = await _require(conn, user_id)
            await _require_another_admin(conn, user)
            await store.delete_user(conn, user_id)
        return user


async def _require(conn: AsyncConnection, user_id: int) -> User:
    found = await store.find_user_by_id(conn, user_id)
    if found is None:
        raise NotFoundError("This user is not there (any more).")
    return found[0]


async def _require_another_admin(conn: AsyncConnection, user: User) -> None:
    """Refuse to take away the last one who can run the site; of two at once who go, one stays."""
    if await store.lock_active_admins(conn) == {user.id}:
        raise ConflictError(
            f"“{user.name}” is the only administrator who can sign in, and stays one. Make somebody else one first."
        )
