"""What searches have just found, shared with whoever asks for the same at the same time.

A letter typed asks for results and for suggestions at once. Both look for the same documents, which is most of their
work: suggestions wait for the search, and take what it has found.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from livesearch.domain import ANYBODY, Collection, SearchQuery, Viewer

T = TypeVar("T")

# Collection, its version, and the text as typed.
_Key = tuple[int, int, str]

# Searches whose finds are kept, those of visitors alone, and seconds for which they are of use.
_KEPT_COUNT, _KEPT_SECONDS = 16, 2.0


class RecentFinds(Generic[T]):
    """Finds of plain searches by visitors: those under way, and the last few."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, tuple[float, asyncio.Future[T]]] = OrderedDict()

    @contextmanager
    def finding(self, collection: Collection, query: SearchQuery, viewer: Viewer) -> Iterator[asyncio.Future[T]]:
        """Give what is to be told of what the block finds; where it ends without, others find for themselves."""
        told: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        key = collection.id, collection.version, query.text
        if viewer == ANYBODY and query == SearchQuery(query.text, page_size=query.page_size):
            self._kept[key] = time.monotonic(), told
            while len(self._kept) > _KEPT_COUNT:
                self._kept.popitem(last=False)
        try:
            yield told
        finally:
            if not told.done():
                told.cancel()
                if self._kept.get(key, (0.0, None))[1] is told:
                    del self._kept[key]

    async def get(self, collection: Collection, text: str, viewer: Viewer) -> T | None:
        """What another search for the text finds in this version, or has just found; None without one."""
        begun, told = self._kept.get((collection.id, collection.version, text), (0.0, None))
        if told is None or viewer != ANYBODY or time.monotonic() - begun > _KEPT_SECONDS:
            return None
        if not told.done():
            await asyncio.wait([told])
        return None if told.cancelled() else told.result()
