"""Vocabularies, kept in memory and up to date."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import Collection
from livesearch.search.vocabulary import Row, Vocabulary
from livesearch.store.collections import list_collections
from livesearch.store.vocabulary import load_all_terms, load_vocabulary

T = TypeVar("T")

# Bytes of vocabularies that are kept, a million terms; those of the least recently searched collections go first.
_KEPT_SIZE = 128_000_000
# Recent terms that are put in order on the event loop, in 3 ms at most; more take a thread.
_SMALL_COUNT = 1000
# Frequencies are read anew when the collection is so many times as large as it was, or as small: what was meant is
# judged by comparing them, where a factor of two decides little.
_GROWTH = 2


@dataclass(slots=True, eq=False)
class _Kept:
    """The vocabulary of a collection; replaced by newer ones as long as it is kept.

    Attributes:
        exempt_names: The fields whose words are not in it.
        document_count: Of the collection when all frequencies were read.
        news: Rows added since the vocabulary began to be put in order anew; None when it is not.
    """

    name: str
    exempt_names: frozenset[str]
    document_count: int
    vocabulary: Vocabulary
    news: list[Row] | None = None

    def add(self, rows: list[Row], extended: Vocabulary) -> None:
        """Take the vocabulary with some more rows."""
        self.vocabulary = extended
        if self.news is not None:
            self.news += rows

    def is_of(self, collection: Collection) -> bool:
        """Whether it is a vocabulary of that collection, of whatever version."""
        is_same = (self.name, self.exempt_names) == (collection.name, _exempt_names(collection))
        return is_same and self.vocabulary.language == collection.settings.language

    def is_outgrown(self, collection: Collection) -> bool:
        """Whether the frequencies are to be read anew."""
        smaller, larger = sorted((self.document_count, collection.document_count))
        return larger > _GROWTH * smaller


class VocabularyCache:
    """Vocabularies by collection; use it on one event loop.

    A collection's terms are read once, and after that those which newer versions brought, each time in the snapshot of
    the search that wants them. One search reads for all that come meanwhile; when it is cancelled, another of them
    reads. What has been read is put in order whatever becomes of the search. Where much has changed everything is put
    in order anew; nobody waits for that, searches go on with what there is.
    """

    def __init__(self, *, kept_size: int = _KEPT_SIZE) -> None:
        """Args: kept_size: Bytes; the vocabulary used last is kept however large it is."""
        self._kept_size = kept_size
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        # By collection that is being read: done when those who wait may look again.
        self._loading: dict[int, asyncio.Future[None]] = {}
        self._tasks: set[asyncio.Task[Vocabulary]] = set()

    @property
    def is_busy(self) -> bool:
        """Whether vocabularies are being put in order."""
        return bool(self._tasks)

    async def get(self, conn: AsyncConnection, collection: Collection, *, patience: float | None = None) -> Vocabulary:
        """The vocabulary of a collection, with every term of its version, perhaps with some of later ones.

        Args:
            conn: A snapshot of the store.
            collection: As that snapshot has it.
            patience: Seconds to wait for terms to be put in order, which takes half a second for 300,000; None waits as
                long as it takes. When they are over, what there is is given: an older vocabulary, or an empty one.
        """
        while True:
            kept = self._find(collection)
            if kept is not None and kept.vocabulary.version >= collection.version:
                self._kept.move_to_end(collection.id)
                return kept.vocabulary
            loading = self._loading.get(collection.id)
            if loading is None:
                break
            if not await _is_over(loading, patience):
                return kept.vocabulary if kept is not None else _nothing()
        if kept is None:
            return await self._load(conn, collection, patience)
        vocabulary = await self._extend(conn, collection, kept, patience)
        await self._renew(conn, collection, kept)
        return vocabulary

    async def warm(self, conn: AsyncConnection) -> None:
        """Read the vocabularies of the collections, as long as they take no more than half of what may be kept."""
        for collection in await list_collections(conn):
            if self._size > self._kept_size / 2:
                return
            await self.get(conn, collection)

    async def close(self) -> None:
        """Stop what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _load(self, conn: AsyncConnection, collection: Collection, patience: float | None) -> Vocabulary:
        """Read all terms."""
        terms, frequencies = await self._reading(collection, load_all_terms(conn, collection.id))
        building = self._finish(collection, self._build(collection, terms, frequencies))
        return building.result() if await _is_over(building, patience) else _nothing()

    async def _build(self, collection: Collection, terms: str, frequencies: str) -> Vocabulary:
        vocabulary = await asyncio.to_thread(_build, terms, frequencies, collection)
        self._keep(collection, _Kept(collection.name, _exempt_names(collection), collection.document_count, vocabulary))
        return vocabulary

    async def _extend(
        self, conn: AsyncConnection, collection: Collection, kept: _Kept, patience: float | None
    ) -> Vocabulary:
        """Read the terms that came since."""
        rows = await self._reading(collection, load_vocabulary(conn, collection.id, kept.vocabulary.version))
        if kept.vocabulary.recent_count + len(rows) > _SMALL_COUNT:
            adding = self._finish(collection, self._add(collection, kept, rows))
            return adding.result() if await _is_over(adding, patience) else kept.vocabulary
        kept.add(rows, kept.vocabulary.extended(rows, version=collection.version))
        self._keep(collection, kept)
        self._release(collection)
        return kept.vocabulary

    async def _add(self, collection: Collection, kept: _Kept, rows: list[Row]) -> Vocabulary:
        base, extended = None, kept.vocabulary
        # It may be put in order anew in the meantime: that is the one to extend then.
        while base is not kept.vocabulary:
            base = kept.vocabulary
            extended = await asyncio.to_thread(base.extended, rows, version=collection.version)
        kept.add(rows, extended)
        self._keep(collection, kept)
        return extended

    async def _reading(self, collection: Collection, read: Awaitable[T]) -> T:
        """Read while others wait; they go on waiting until ``_release``, unless the reading fails."""
        self._loading[collection.id] = asyncio.get_running_loop().create_future()
        try:
            return await read
        except BaseException:
            self._release(collection)
            raise

    def _finish(self, collection: Collection, work: Coroutine[None, None, Vocabulary]) -> asyncio.Task[Vocabulary]:
        """Start work that goes on when the search is cancelled; when it is done the others may look."""
        task = self._start(work)
        task.add_done_callback(lambda _: self._release(collection))
        return task

    def _release(self, collection: Collection) -> None:
        self._loading.pop(collection.id).set_result(None)

    async def _renew(self, conn: AsyncConnection, collection: Collection, kept: _Kept) -> None:
        """Begin to put everything in order anew, where much has changed."""
        is_outgrown = kept.is_outgrown(collection)
        if kept.news is not None or not (is_outgrown or kept.vocabulary.is_lopsided):
            return
        kept.news = []
        rebuild = kept.vocabulary.compacted
        if is_outgrown:
            # Tried once, even if this search has no time for it: each of the following would have as little.
            kept.document_count = collection.document_count
            try:
                rebuild = partial(_build, *await load_all_terms(conn, collection.id), collection)
            except BaseException:
                kept.news = None
                raise
        self._start(self._replace(kept, rebuild))

    @staticmethod
    async def _replace(kept: _Kept, rebuild: Callable[[], Vocabulary]) -> Vocabulary:
        try:
            vocabulary = await asyncio.to_thread(rebuild)
            while kept.news:
                rows, kept.news = kept.news, []
                vocabulary = await asyncio.to_thread(vocabulary.extended, rows, version=vocabulary.version)
            kept.vocabulary = vocabulary.extended((), version=kept.vocabulary.version)
        finally:
            kept.news = None
        return kept.vocabulary

    def _start(self, work: Coroutine[None, None, Vocabulary]) -> asyncio.Task[Vocabulary]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _find(self, collection: Collection) -> _Kept | None:
        kept = self._kept.get(collection.id)
        return kept if kept is not None and kept.is_of(collection) else None

    def _keep(self, collection: Collection, kept: _Kept) -> None:
        self._kept[collection.id] = kept
        self._kept.move_to_end(collection.id)
        while len(self._kept) > 1 and self._size > self._kept_size:
            self._kept.popitem(last=False)

    @property
    def _size(self) -> int:
        return sum(kept.vocabulary.size for kept in self._kept.values())


def _nothing() -> Vocabulary:
    """No terms, older than any."""
    return Vocabulary.build("", np.zeros(0, np.uint32), version=-1, language="none")


async def _is_over(future: asyncio.Future[T], patience: float | None) -> bool:
    """Wait for what others wait for too: being cancelled cancels nothing else."""
    done, _ = await asyncio.wait([future], timeout=patience)
    return bool(done)


def _exempt_names(collection: Collection) -> frozenset[str]:
    return frozenset(field.name for field in collection.fields if not field.is_typo_tolerant)


def _build(terms: str, frequencies: str, collection: Collection) -> Vocabulary:
    counts = np.fromstring(frequencies, np.uint32, sep=" ")
    return Vocabulary.build(terms, counts, version=collection.version, language=collection.settings.language)
