"""API tokens: what a program proves itself with."""

import re
import secrets
import time
from collections.abc import Callable, Sequence
from hashlib import sha256

from livesearch.domain import Scope, Token, User
from livesearch.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, UnauthorizedError
from livesearch.services.opening import require_collection
from livesearch.services.transactions import Transactions
from livesearch.store import tokens as store

# 256 random bits: nobody guesses them, so a plain hash keeps them, and no attempt need be slowed down.
_SECRET_BYTES = 32
# A prefix by which scanners for leaked secrets know what they see.
_PREFIX = "lst_"
_SECRET = re.compile(_PREFIX + r"[A-Za-z0-9_-]{43}")
_BEARER = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
_NAME_LENGTH = 80
_DAY = 86_400.0
_LARGEST_DAYS = 3650
# Valid tokens of one user: more than one person has programs.
_OWN_TOKENS = 50


class TokenService:
    """Makes, lists, revokes and checks tokens.

    Args:
        clock: Tells Unix seconds, UTC.
    """

    def __init__(self, transactions: Transactions, clock: Callable[[], float] = time.time) -> None:
        self._transactions = transactions
        self._clock = clock

    async def create(
        self,
        name: str,
        scope: Scope,
        *,
        collection: str | None = None,
        days: int | None = None,
        owner: User | None = None,
    ) -> tuple[Token, str]:
        """Make a token.

        Args:
            name: Tells people what it is for.
            collection: The only collection it is for; None for all, those to come included.
            days: After which it ends by itself, 1 to 3,650; None for never.
            owner: The user it belongs to; None for one made at the command line.

        Returns:
            The token and its secret, which is not stored and cannot be shown again.

        Raises:
            InvalidInputError: The name is empty, longer than 80 characters, a number or not printable, or the days are
                out of their range.
            CollectionNotFoundError: No collection has the name.
            ConflictError: A token of the owner that is still valid has the name, or they have too many.
            ForbiddenError: The scope is more than the owner may do.
        """
        name, now = _checked_name(name), self._clock()
        if days is not None and not 1 <= days <= _LARGEST_DAYS:
            raise InvalidInputError(f"A token cannot end after {days} days: give 1 to {_LARGEST_DAYS:,}.")
        if owner is not None and not owner.role.scope.covers(scope):
            raise ForbiddenError(f"Your role is “{owner.role}”: a token of yours cannot have the scope “{scope}”.")
        secret = _PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        async with self._transactions.write() as conn:
            collection_id = None if collection is None else (await require_collection(conn, collection)).id
            owner_id = None if owner is None else owner.id
            valid = [token for token in await store.list_tokens_of(conn, owner_id) if token.is_valid(now)]
            if any(token.name == name for token in valid):
                raise ConflictError(f"A token is named “{name}” already. Choose another name, or revoke that one.")
            if owner is not None and len(valid) >= _OWN_TOKENS:
                raise ConflictError(f"You have {_OWN_TOKENS} tokens already. Revoke one that is not used.")
            made = await store.add_token(
                conn,
                name,
                digest=_digest(secret),
                scope=scope,
                collection_id=collection_id,
                user_id=owner_id,
                now=now,
                expires_at=None if days is None else now + days * _DAY,
            )
        return made, secret

    async def list_all(self) -> Sequence[Token]:
        """All tokens, those that open nothing any more too, in the order they were made."""
        async with self._transactions.read() as conn:
            return await store.list_tokens(conn)

    async def list_of(self, owner: User) -> Sequence[Token]:
        """A user's tokens that still open something, in the order they were made."""
        async with self._transactions.read() as conn:
            found = await store.list_tokens_of(conn, owner.id)
        return [token for token in found if self.is_valid(token)]

    def is_valid(self, token: Token) -> bool:
        """Whether a token opens anything now."""
        return token.is_valid(self._clock())

    async def revoke(self, wanted: str) -> Token:
        """Take a token back; it opens nothing from now on.

        Args:
            wanted: Its number, or its name.

        Raises:
            NotFoundError: No token that is still valid has it.
            ConflictError: Tokens of several owners have the name.
        """
        now = self._clock()
        async with self._transactions.write() as conn:
            tokens = [token for token in await store.list_tokens(conn) if token.is_valid(now)]
            found = [token for token in tokens if wanted in {token.name, str(token.id)}]
            if not found:
                raise NotFoundError(f"There is no valid token “{wanted}”. `livesearch token list` shows all.")
            if len(found) > 1:
                numbers = ", ".join(str(token.id) for token in found)
                raise ConflictError(f"Several tokens are named “{wanted}”. Give the number of one: {numbers}.")
            await store.revoke_token(conn, found[0].id, now=now)
        return found[0]

    async def revoke_of(self, owner: User, token_id: int) -> None:
        """Take one of a user's own tokens back.

        Raises:
            NotFoundError: It is not valid any more, or somebody else's.
        """
        now = self._clock()
        async with self._transactions.write() as conn:
            own = await store.list_tokens_of(conn, owner.id)
            if not any(token.id == token_id and token.is_valid(now) for token in own):
                raise NotFoundError("This token is not valid any more.")
            await store.revoke_token(conn, token_id, now=now)

    async def authenticate(self, authorization: str | None) -> Token:
        """The token that a request shows.

        Args:
            authorization: The header ``Authorization``; None where there is none.

        Raises:
            UnauthorizedError: There is no token in it, or none that is valid.
        """
        found = _BEARER.fullmatch(authorization or "")
        if found is None:
            raise UnauthorizedError("This needs an API token. Send one as “Authorization: Bearer lst_…”.")
        token = None
        if _SECRET.fullmatch(found[1]):
            async with self._transactions.read() as conn:
                # Looked up by its hash: how long that takes tells nothing about the secrets there are.
                token = await store.find_token(conn, _digest(found[1]))
        if token is None or not self.is_valid(token):
            raise UnauthorizedError("This API token is not valid (any more). Ask whoever runs this site for another.")
        return token


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > _NAME_LENGTH or not name.isprintable() or name.isdecimal():
        raise InvalidInputError(
            f"“{name[:_NAME_LENGTH]}” cannot be the name of a token: give 1 to {_NAME_LENGTH} letters, not a number."
        )
    return name
