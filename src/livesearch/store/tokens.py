"""API tokens; of each secret only its hash."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Scope, Token
from livesearch.models import api_tokens, collections, users
from livesearch.store.users import read_user

_OWNER = "owner_"
_ROW = (
    select(
        api_tokens,
        collections.c.name.label("collection"),
        *(column.label(_OWNER + column.name) for column in users.c),
    )
    .outerjoin(collections, api_tokens.c.collection_id == collections.c.id)
    .outerjoin(users, api_tokens.c.user_id == users.c.id)
)


def _token(row: Row[Any]) -> Token:  # Any: columns of several types
    return Token(
        id=row.id,
        name=row.name,
        scope=Scope(row.scope),
        collection=row.collection,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        owner=None if row.user_id is None else read_user(row, prefix=_OWNER),
    )


async def list_tokens(conn: AsyncConnection) -> Sequence[Token]:
    """All tokens, those that open nothing any more too, in the order they were made."""
    return [_token(row) for row in await conn.execute(_ROW.order_by(api_tokens.c.id))]


async def list_tokens_of(conn: AsyncConnection, user_id: int | None) -> Sequence[Token]:
    """A user's tokens, or nobody's, in the order they were made."""
    query = _ROW.where(api_tokens.c.user_id.is_not_distinct_from(user_id)).order_by(api_tokens.c.id)
    return [_token(row) for row in await conn.execute(query)]


async def find_token(conn: AsyncConnection, digest: bytes) -> Token | None:
    """The token whose secret has this hash, or None."""
    row = (await conn.execute(_ROW.where(api_tokens.c.digest == digest))).one_or_none()
    return _token(row) if row else None


async def add_token(
    conn: AsyncConnection,
    name: str,
    *,
    digest: bytes,
    scope: Scope,
    collection_id: int | None,
    user_id: int | None,
    now: float,
    expires_at: float | None,
) -> Token:
    """Store a token.

    Args:
        digest: SHA-256 of the secret.
        collection_id: The only collection it is for; None for all.
        user_id: Whose it is; None for nobody's.
        now: Unix seconds, UTC; so is ``expires_at``.
    """
    await conn.execute(
        insert(api_tokens).values(
            name=name,
            digest=digest,
            scope=scope.value,
            collection_id=collection_id,
            user_id=user_id,
            created_at=now,
            expires_at=expires_at,
        )
    )
    added = await find_token(conn, digest)
    assert added is not None  # noqa: S101  # written in this transaction
    return added


async def revoke_token(conn: AsyncConnection, token_id: int, *, now: float) -> None:
    """Record that a token opens nothing any more.

    Args:
        now: Unix seconds, UTC.
    """
    await conn.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(revoked_at=now))
