"""Activity: what goes on in all collections, for whoever wants to look on."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from livesearch.domain import Collection, RecentChange, Viewer
from livesearch.search.visibility import names_granted
from livesearch.services.transactions import Transactions
from livesearch.store.collections import list_collections
from livesearch.store.journal import JournalCounts, latest_counts

# Seconds that are looked back, and entries of the journal that are read at most.
_SPAN, _ENTRY_COUNT = 7 * 86_400.0, 1_000
# Changes of a collection that follow each other within so many seconds are told as one; and so many of these.
_TOGETHER, _GROUP_COUNT = 300.0, 8


class ActivityService:
    """Tells what was changed lately."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def recent(self, viewer: Viewer) -> tuple[RecentChange, ...]:
        """What was changed lately, the newest first; of collections whose documents the viewer may all see.

        Raises:
            StoreUnavailableError: The store does not answer; also QueryTimeoutError and SchemaOutdatedError.
        """
        async with self._transactions.read() as conn:
            found = await list_collections(conn)
            entries = await latest_counts(conn, since=time.time() - _SPAN, limit=_ENTRY_COUNT)
        # Of the others a count would tell how many there are that the viewer does not see.
        visible = {one.id: one for one in found if names_granted(one.settings.visibility, viewer) is None}
        return tuple(together(entries, visible)[:_GROUP_COUNT])


def together(entries: Iterable[JournalCounts], collections: dict[int, Collection]) -> Sequence[RecentChange]:
    """Changes of one collection that follow each other closely, as one; others are left out.

    Args:
        entries: The newest first.
        collections: Those that are told of, by id.
    """
    groups: list[RecentChange] = []
    open_groups: dict[int, tuple[int, float]] = {}  # by collection: its group's place, and the earliest moment in it
    for entry in entries:
        collection = collections.get(entry.collection_id)
        if collection is None or not (entry.created or entry.updated or entry.removed):
            continue
        place, earliest = open_groups.get(entry.collection_id, (-1, 0.0))
        if place < 0 or earliest - entry.at > _TOGETHER:
            place = len(groups)
            groups.append(RecentChange(collection, entry.at, 0, 0, 0))
        group = groups[place]
        groups[place] = replace(
            group,
            new=group.new + entry.created,
            changed=group.changed + entry.updated,
            gone=group.gone + entry.removed,
        )
        open_groups[entry.collection_id] = place, entry.at
    return groups
