"""What an owner tuned, as searches and changes need it."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection
from livesearch.search.curations import CurationsOfQuery, group_curations
from livesearch.search.synonyms import SynonymMap
from livesearch.services.opening import write_collection
from livesearch.services.transactions import Transactions
from livesearch.store.curations import load_curations
from livesearch.store.settings import advance_version
from livesearch.store.synonyms import load_synonyms

# Collections whose tuning is kept, those read last: at most some megabytes each, most often nothing.
_KEPT_COUNT = 64


@asynccontextmanager
async def changing(transactions: Transactions, name: str) -> AsyncIterator[tuple[AsyncConnection, Collection]]:
    """A transaction that changes how a collection searches, and the collection at its new version.

    Other writers of the collection wait: what is read in the block stays true until it ends.

    Raises:
        CollectionNotFoundError: No collection has the name.
    """
    async with write_collection(transactions, name) as (conn, collection):
        version = await advance_version(conn, collection.id)
        yield conn, replace(collection, version=version, tuning_version=version)


@dataclass(frozen=True, slots=True)
class Tuning:
    """What an owner tuned for searches of a collection.

    Attributes:
        curations: By query, as `search.synonyms.folded_words` writes it.
    """

    synonyms: SynonymMap = field(default_factory=SynonymMap)
    curations: Mapping[str, CurationsOfQuery] = field(default_factory=dict)


_NOTHING = Tuning()


class TuningCache:
    """Tuning by collection. What the caller's own snapshot says of the last change decides whether it is still true."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[int, Tuning]] = OrderedDict()

    async def get(self, conn: AsyncConnection, collection: Collection) -> Tuning:
        """The collection's tuning; read only when that was changed, and not where it never was."""
        version, tuning = self._kept.get(collection.id, (0, _NOTHING))
        if version == collection.tuning_version:
            return tuning
        synonyms = await load_synonyms(conn, collection.id)
        curations = await load_curations(conn, collection.id)
        # In a thread: thousands of them take longer than others should wait.
        tuning = await asyncio.to_thread(lambda: Tuning(SynonymMap(synonyms), group_curations(curations)))
        # A slow reader of an older snapshot must not put back what a newer one has replaced.
        if self._kept.get(collection.id, (0, tuning))[0] < collection.tuning_version:
            self._kept[collection.id] = collection.tuning_version, tuning
            self._kept.move_to_end(collection.id)
            while len(self._kept) > _KEPT_COUNT:
                self._kept.popitem(last=False)
        return tuning
