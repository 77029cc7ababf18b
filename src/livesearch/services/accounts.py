"""Accounts: who may sign in, and how they prove that it is them."""

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import User, UserRole
from livesearch.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NameTakenError,
    NotFoundError,
    UnauthorizedError,
)
from livesearch.search.analysis import fold
from livesearch.search.visibility import folded_groups, folded_name
from livesearch.services.passwords import Passwords, require_good_password
from livesearch.services.sessions import SessionService
from livesearch.services.throttles import Throttle
from livesearch.services.transactions import Transactions
from livesearch.store import sessions as session_store
from livesearch.store import users as store

NAME_LENGTH = 80
EMAIL_LENGTH = 254
GROUP_LENGTH = 100
# Seconds the link for the first administrator is good for.
SETUP_SECONDS = 3600.0
_SETUP_BYTES = 32

# Attempts within five minutes, as PyPI has them: for one name, from one address, and by all together.
_WINDOW_SECONDS = 300.0
_ATTEMPTS, _ATTEMPTS_OF_ALL = 10, 1000
# New accounts from one address within half an hour, as Mastodon has it.
_NEW_ACCOUNTS, _NEW_ACCOUNT_SECONDS = 5, 1800.0

# What tells addresses apart, and words from them, in the head of a mail (RFC 5322, 3.2.3): within an address nobody has
# them, and with them one could be several.
_BETWEEN_ADDRESSES = frozenset('()<>[]:;,\\" ')

_WRONG = "The name or the password is wrong."


class AccountService:
    """Makes, changes and removes accounts, and signs their people in.

    Args:
        is_registration_open: Whether visitors may make accounts.
        clock: Tells Unix seconds, UTC.
    """

    def __init__(
        self,
        transactions: Transactions,
        sessions: SessionService,
        *,
        is_registration_open: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._transactions = transactions
        self._sessions = sessions
        self.is_registration_open = is_registration_open
        self._clock = clock
        self._passwords = Passwords()
        self._of_all = Throttle(_ATTEMPTS_OF_ALL, _WINDOW_SECONDS)
        self._of_address = Throttle(_ATTEMPTS, _WINDOW_SECONDS)
        self._of_name = Throttle(_ATTEMPTS, _WINDOW_SECONDS)
        self._new_accounts = Throttle(_NEW_ACCOUNTS, _NEW_ACCOUNT_SECONDS)

    async def sign_in(
        self, name: str, password: str, *, address: str, user_agent: str = "", replaces: str | None = None
    ) -> str:
        """Begin a session for whoever proves to be this user, and give its secret.

        Args:
            address: Where the attempt comes from; that of the network for IPv6.
            user_agent: What the browser calls itself.
            replaces: The secret of the session that the browser had until now.

        Raises:
            UnauthorizedError: There is no such user, it is not their password, or they may not sign in: which of them
                is not told, neither in words nor by the time it takes.
            TooManyAttemptsError: There were too many wrong ones.
        """
        key = name_key(name)
        self._take(key, address)
        async with self._transactions.read() as conn:
            found = await store.find_user(conn, key)
        user, kept = found or (None, None)
        if not await self._passwords.verify(kept, password) or user is None or kept is None or not user.is_active:
            raise UnauthorizedError(_WRONG)
        self._give_back(key, address)
        renewed = await self._passwords.hash(password) if self._passwords.is_outdated(kept) else None
        async with self._transactions.write() as conn:
            # Between the look and now the password may have been changed, or the user disabled.
            if await store.find_user_by_id(conn, user.id) != (user, kept):
                raise UnauthorizedError(_WRONG)
            if renewed is not None:
                await store.change_user(conn, user.id, now=user.changed_at, password_hash=renewed)
            return await self._sessions.begin(conn, user, user_agent=user_agent, replaces=replaces)

    async def register(self, name: str, password: str, *, email: str | None, address: str) -> User:
        """Make an account for a visitor, who may search.

        Raises:
            ForbiddenError: Visitors may make none here.
            TooManyAttemptsError: There were too many from this address.
        """
        self.require_open_registration()
        self._new_accounts.take(address)
        return await self.add(name, password, role=UserRole.VIEWER, email=email)

    def require_open_registration(self) -> None:
        """See whether visitors may make accounts.

        Raises:
            ForbiddenError: They may not.
        """
        if not self.is_registration_open:
            raise ForbiddenError("New accounts are made by whoever runs this site. Ask them for one.")

    async def add(self, name: str, password: str, *, role: UserRole, email: str | None = None) -> User:
        """Make an account.

        Raises:
            InvalidInputError: The name, the address or the password cannot be used.
            NameTakenError: Somebody has the name.
        """
        kept = await self._checked_hash(name, password, email)
        async with self._transactions.write() as conn:
            return await self._add(conn, name, kept, role=role, email=email)

    async def _checked_hash(self, name: str, password: str, email: str | None) -> str:
        require_good_name(name)
        require_good_email(email)
        require_good_password(password, name=name)
        return await self._passwords.hash(password)

    async def _add(self, conn: AsyncConnection, name: str, kept: str, *, role: UserRole, email: str | None) -> User:
        name, key = name.strip(), name_key(name)
        if await store.find_user(conn, key) is not None:
            raise NameTakenError(name)
        return await store.add_user(
            conn,
            name,
            name_key=key,
            role=role,
            email=email or None,
            search_text=search_text(name, email),
            password_hash=kept,
            now=self._clock(),
        )

    async def list_all(self) -> Sequence[User]:
        """All users, those that may not sign in too, by name."""
        async with self._transactions.read() as conn:
            return await store.list_users(conn)

    async def change_password(self, user: User, current: str, new: str, *, address: str, user_agent: str = "") -> str:
        """Change one's own password: every session of the user ends, and the secret of a new one is given.

        Raises:
            UnauthorizedError: The current password is another.
            InvalidInputError: The new one cannot be used.
            TooManyAttemptsError: There were too many wrong ones.
        """
        require_good_password(new, name=user.name)
        await self._require_password(user, current, address=address)
        kept = await self._passwords.hash(new)
        async with self._transactions.write() as conn:
            await self._set_password(conn, user, kept)
            return await self._sessions.begin(conn, user, user_agent=user_agent, replaces=None)

    async def set_password(self, name: str, new: str) -> User:
        """Give a user another password, and end every session of theirs.

        Raises:
            NotFoundError: Nobody has the name.
            InvalidInputError: The password cannot be used.
        """
        require_good_password(new, name=name)
        kept = await self._passwords.hash(new)
        async with self._transactions.write() as conn:
            user = await _require_user(conn, name)
            await self._set_password(conn, user, kept)
        return user

    async def reset_password(self, user: User, new: str) -> None:
        """As ``set_password``, of a user one has looked up.

        Raises:
            InvalidInputError: The password cannot be used.
        """
        require_good_password(new, name=user.name)
        kept = await self._passwords.hash(new)
        async with self._transactions.write() as conn:
            await self._set_password(conn, user, kept)

    async def _set_password(self, conn: AsyncConnection, user: User, kept: str) -> None:
        await store.change_user(conn, user.id, now=self._clock(), password_hash=kept)
        await session_store.delete_sessions(conn, user.id)

    async def set_active(self, name: str, *, is_active: bool) -> User:
        """Let a user sign in, or not; where not, every session of theirs ends and their tokens open nothing.

        Raises:
            NotFoundError: Nobody has the name.
        """
        async with self._transactions.write() as conn:
            user = await _require_user(conn, name)
            await store.change_user(conn, user.id, now=self._clock(), is_active=is_active)
            if not is_active:
                await session_store.delete_sessions(conn, user.id)
        return user

    async def set_groups(self, name: str, groups: Sequence[str]) -> User:
        """Put a user into groups and out of all others; what rows are for a group is decided by collections.

        Raises:
            NotFoundError: Nobody has the name.
            InvalidInputError: A group has no name, or one with a comma, a semicolon, a bar or over 100 characters.
        """
        wanted = checked_groups(groups)
        async with self._transactions.write() as conn:
            user = await _require_user(conn, name)
            await store.change_user(conn, user.id, now=self._clock(), groups=list(wanted))
        return replace(user, groups=wanted)

    async def delete(self, name: str) -> User:
        """Remove a user, with their sessions and tokens.

        Raises:
            NotFoundError: Nobody has the name.
        """
        async with self._transactions.write() as conn:
            user = await _require_user(conn, name)
            await store.delete_user(conn, user.id)
        return user

    async def delete_own(self, user: User, password: str, *, address: str) -> None:
        """Remove one's own account.

        Raises:
            UnauthorizedError: It is not the password.
            ConflictError: Nobody could run the site any more.
            TooManyAttemptsError: There were too many wrong ones.
        """
        await self._require_password(user, password, address=address)
        async with self._transactions.write() as conn:
            if await store.lock_active_admins(conn) == {user.id}:
                raise ConflictError("You are the only administrator. Make another one first.")
            await store.delete_user(conn, user.id)

    async def _require_password(self, user: User, password: str, *, address: str) -> None:
        key = name_key(user.name)
        self._take(key, address)
        async with self._transactions.read() as conn:
            found = await store.find_user_by_id(conn, user.id)
        if found is None or not await self._passwords.verify(found[1], password):
            raise UnauthorizedError("This is not your password.")
        self._give_back(key, address)

    def _take(self, key: str, address: str) -> None:
        """Count an attempt before it is looked at: of many at once, none is overlooked."""
        # By all together last: what is refused before does not count, or one address could lock everybody out.
        self._of_address.take(address)
        self._of_name.take(key)
        self._of_all.take("")

    def _give_back(self, key: str, address: str) -> None:
        self._of_address.give_back(address)
        self._of_name.give_back(key)
        self._of_all.give_back("")

    async def open_setup(self) -> str | None:
        """Make the link for the first administrator in place of any older one; None where there are users."""
        secret = secrets.token_urlsafe(_SETUP_BYTES)
        async with self._transactions.write() as conn:
            has_users = bool(await store.count_users(conn))
            expires_at = self._clock() + SETUP_SECONDS
            await store.put_setup_link(conn, None if has_users else _digest(secret), expires_at=expires_at)
        return None if has_users else secret

    async def require_setup(self, secret: str) -> None:
        """See whether a link for the first administrator is good.

        Raises:
            ForbiddenError: It was used, has ended, or was replaced when the site was started anew.
        """
        async with self._transactions.read() as conn:
            if not await store.has_setup_link(conn, _digest(secret), now=self._clock()):
                raise _setup_is_over()

    async def set_up(self, secret: str, name: str, password: str) -> User:
        """Make the first administrator.

        Raises:
            ForbiddenError: The link was used, has ended, or was replaced when the site was started anew.
            InvalidInputError: The name or the password cannot be used.
        """
        # Asked twice: a password takes time, which nobody gets who has no link.
        await self.require_setup(secret)
        kept = await self._checked_hash(name, password, None)
        async with self._transactions.write() as conn:
            is_good = await store.use_setup_link(conn, _digest(secret), now=self._clock())
            if not is_good or await store.count_users(conn):
                raise _setup_is_over()
            return await self._add(conn, name, kept, role=UserRole.ADMIN, email=None)


def _setup_is_over() -> ForbiddenError:
    return ForbiddenError(
        "This link has been used or has ended. Make an administrator with: livesearch user add NAME --role admin"
    )


def name_key(name: str) -> str:
    """A name as names are compared: ``Zoë`` and ``ZOË`` are one, in letters of any width."""
    # PostgreSQL takes no character of code 0, not even to look for; no name has one.
    return folded_name(name.replace("\0", "\ufffd"))


def checked_groups(groups: Sequence[str]) -> tuple[str, ...]:
    """The groups without spaces around them, each once.

    Raises:
        InvalidInputError: One has no name, or one that cannot be told from two.
    """
    wanted = {folded_name(group): group.strip() for group in groups}
    for folded, group in wanted.items():
        if list(folded_groups(group)) != [folded] or len(group) > GROUP_LENGTH or not group.isprintable():
            raise InvalidInputError(
                f"“{group[:40]}” cannot be a group: give 1 to {GROUP_LENGTH} characters, without “,”, “;” or “|”."
            )
    return tuple(wanted.values())


def search_text(name: str, email: str | None) -> str:
    """What the search of users looks into: name and address, without case, width and diacritics."""
    return fold(f"{name}\n{email or ''}")


def require_good_name(name: str) -> None:
    """Refuse what cannot be the name of a user.

    Raises:
        InvalidInputError: It is empty, longer than 80 characters, or not printable.
    """
    if not name_key(name) or len(name.strip()) > NAME_LENGTH or not name.strip().isprintable():
        raise InvalidInputError(f"A name has 1 to {NAME_LENGTH} characters that can be printed.")


def require_good_email(email: str | None) -> None:
    """Refuse what is no address; whether mail arrives only a mail can tell.

    Raises:
        InvalidInputError: It has no ``@`` inside, or two, spaces or signs that stand between addresses, or is longer
            than 254 characters.
    """
    if not email:
        return
    local, _, domain = email.partition("@")
    has_odd_signs = not email.isprintable() or not _BETWEEN_ADDRESSES.isdisjoint(email) or "@" in domain
    if not local or not domain or len(email) > EMAIL_LENGTH or has_odd_signs:
        raise InvalidInputError("This is no e-mail address.")


async def _require_user(conn: AsyncConnection, name: str) -> User:
    found = await store.find_user(conn, name_key(name))
    if found is None:
        raise NotFoundError(f"Nobody is named “{name}”. `livesearch user list` shows all.")
    return found[0]


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
