"""The change tokens of all collections, read at once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.models import collections
from livesearch.store.collections import HAS_FOREIGN_CHANGES, REPLACEMENT_SUFFIX

_VERSIONS: Any = select(  # Any: columns of several types
    collections.c.name,
    collections.c.id,
    collections.c.version,
    HAS_FOREIGN_CHANGES,
).where(~collections.c.name.endswith(REPLACEMENT_SUFFIX))


@dataclass(frozen=True, slots=True)
class ChangeToken:
    """What a collection is, as of one moment. Two that are equal speak of the same rows, as long as they are settled.

    Attributes:
        id: A collection that replaces another has another one.
        version: Grows with every writing transaction.
        is_settled: Whether nothing waits to be indexed that other programs wrote.
    """

    id: int
    version: int
    is_settled: bool


async def load_versions(conn: AsyncConnection) -> dict[str, ChangeToken]:
    """The change tokens by collection; not those of collections that are being built to replace one."""
    rows = await conn.execute(_VERSIONS)
    return {name: ChangeToken(id_, version, not has_foreign) for name, id_, version, has_foreign in rows}
