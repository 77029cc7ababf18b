"""Which saved searches are to be written about, and what their owners were told."""

from dataclasses import dataclass

from pyroaring import BitMap
from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import DigestRhythm, SavedSearch, User
from livesearch.models import saved_searches, users
from livesearch.store.saved_searches import encode_set, list_saved_searches
from livesearch.store.users import read_user


@dataclass(frozen=True, slots=True)
class DueDigest:
    """A saved search whose owner may be written to.

    Attributes:
        stop_token: The secret of the link that ends this.
        told_at: When they were last written to about it, Unix seconds; None for never.
    """

    saved: SavedSearch
    stop_token: str
    told_at: float | None


async def list_due(conn: AsyncConnection, before: dict[DigestRhythm, float]) -> list[tuple[User, list[DueDigest]]]:
    """By user who can be written to, the searches that are due.

    Args:
        before: By rhythm, the Unix seconds before which the last mail must have been.
    """
    is_due = or_(
        *(
            (saved_searches.c.digest == rhythm.value)
            & or_(saved_searches.c.told_at.is_(None), saved_searches.c.told_at <= moment)
            for rhythm, moment in before.items()
        )
    )
    has_address = users.c.is_active & users.c.email.is_not(None)
    query = select(users).where(has_address, users.c.id.in_(select(saved_searches.c.user_id).where(is_due)))
    owners = [read_user(row) for row in await conn.execute(query.order_by(users.c.id))]
    found = []
    for owner in owners:
        mine = select(saved_searches.c.id, saved_searches.c.stop_token, saved_searches.c.told_at)
        rows = await conn.execute(mine.where(is_due, saved_searches.c.user_id == owner.id))
        due = {row.id: row for row in rows}
        every = await list_saved_searches(conn, owner.id)
        found.append(
            (owner, [DueDigest(one, due[one.id].stop_token, due[one.id].told_at) for one in every if one.id in due])
        )
    return found


async def note_told(conn: AsyncConnection, due: DueDigest, told: BitMap, *, now: float | None) -> bool:
    """Remember what an owner was written to about; says no where another process was faster.

    Args:
        told: All that they were ever written to about.
        now: Unix seconds, UTC.
    """
    is_as_it_was = saved_searches.c.told_at.is_not_distinct_from(due.told_at)
    changed = (
        update(saved_searches)
        .where(saved_searches.c.id == due.saved.id, is_as_it_was)
        .values(told=encode_set(told), told_at=now)
    )
    return bool((await conn.execute(changed)).rowcount)


async def find_stop(conn: AsyncConnection, token: str) -> tuple[int, int, str] | None:
    """The user, the number and the name of the saved search whose digest a link ends, or None."""
    query = select(saved_searches.c.user_id, saved_searches.c.id, saved_searches.c.name)
    row = (await conn.execute(query.where(saved_searches.c.stop_token == token))).one_or_none()
    return (row.user_id, row.id, row.name) if row else None


async def stop_digests(conn: AsyncConnection, user_id: int, search_id: int | None) -> None:
    """Write to a user no more about a search, or about any."""
    mine = saved_searches.c.user_id == user_id
    chosen = mine if search_id is None else mine & (saved_searches.c.id == search_id)
    await conn.execute(update(saved_searches).where(chosen).values(digest=DigestRhythm.OFF.value))
