"""Live lists: what has become of a result since it was shown, for pages that ask again and again."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import TypeVar

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import ANYBODY, Collection, ListChange, SearchQuery, Viewer
from livesearch.errors import OverloadedError
from livesearch.services.change_tokens import ChangeTokens
from livesearch.services.history import Past, load_past
from livesearch.services.opening import open_collection
from livesearch.services.search import SearchService
from livesearch.services.transactions import Transactions
from livesearch.store.documents import load_bodies, load_documents

T = TypeVar("T")

# Answers that are kept, some hundred bytes each, and pasts.
_ANSWER_COUNT, _PAST_COUNT = 4_096, 16
# Pages whose lists are compared at once, and those that wait for it: fewer than requests that the bridge lets work at
# once, so that people who type never wait for them. Others are told to come later.
_AT_ONCE, _WAITING_COUNT = 2, 3
# Keys of documents that are gone, as many as stand on a few pages.
_KEY_COUNT = 100
# Changed documents that are looked at: have they been changed back?
_COMPARED_COUNT = 100


class LiveService:
    """Says what has changed. Its answers of one version are shared by all who ask the same; use it on one loop."""

    def __init__(self, transactions: Transactions, tokens: ChangeTokens, search: SearchService) -> None:
        self._transactions = transactions
        self._tokens = tokens
        self._search = search
        self._answers: OrderedDict[Hashable, ListChange] = OrderedDict()
        self._pasts: OrderedDict[Hashable, Past | None] = OrderedDict()
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._count = 0

    async def changes(
        self, name: str, query: SearchQuery, *, since: int, total: int | None = None, viewer: Viewer = ANYBODY
    ) -> ListChange:
        """What has become of a viewer's result; costs no query while its collection is as it was.

        Args:
            since: The collection's version that the result was made from.
            total: Documents that it held, where who asks knows it: tells what the journal does not.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: As for ``SearchService.search``.
            OverloadedError: Too many ask at once.
        """
        token = (await self._tokens.latest()).get(name)
        if token is not None and token.is_settled:
            known = self._known((_view(query), viewer), token.id, token.version, since, total)
            if known is not None:
                return known
        async with self._turn_taken(), open_collection(self._transactions, name) as (conn, collection):
            view = (_view(query), viewer)
            known = self._known(view, collection.id, collection.version, since, total)
            if known is None:
                known = await self._compare(conn, collection, query, viewer, since, total)
                _keep(self._answers, (view, collection.id, collection.version, since, total), known, _ANSWER_COUNT)
            return known

    def _known(self, view: Hashable, id_: int, version: int, since: int, total: int | None) -> ListChange | None:
        if version == since:
            return ListChange(id_, version)
        return self._answers.get((view, id_, version, since, total))

    @asynccontextmanager
    async def _turn_taken(self) -> AsyncIterator[None]:
        if self._count >= _AT_ONCE + _WAITING_COUNT:
            raise OverloadedError("Too many pages ask at once what has changed. Ask again in a moment.")
        self._count += 1
        try:
            async with self._turn:
                yield
        finally:
            self._count -= 1

    async def _compare(
        self,
        conn: AsyncConnection,
        collection: Collection,
        query: SearchQuery,
        viewer: Viewer,
        since: int,
        total: int | None,
    ) -> ListChange:
        past = await self._past(conn, collection, since)
        if past is None:
            return ListChange(collection.id, collection.version, is_counted=False)
        changed = past.changed
        if not changed:
            return ListChange(collection.id, collection.version)
        now = await self._search.finder.find(conn, collection, query, viewer)
        then = await self._search.finder.find(conn, collection, query, viewer, past=past)
        shown, held = now.narrowed.all, then.narrowed.all
        if not (now.is_exact and then.is_exact):
            return ListChange(collection.id, collection.version, is_counted=not (shown | held) & changed)
        if past.unknown and total not in {None, len(held)}:
            return ListChange(collection.id, collection.version, is_counted=False)
        gone = held - shown
        return ListChange(
            collection.id,
            collection.version,
            new=len(shown - held),
            changed=await _changed_count(conn, collection, past, shown & held & changed),
            gone=len(gone),
            gone_keys=await _keys(conn, collection, past, list(gone[:_KEY_COUNT])),
        )

    async def _past(self, conn: AsyncConnection, collection: Collection, since: int) -> Past | None:
        key = (collection.id, collection.version, since)
        if key not in self._pasts:
            # A version that is not there yet was another store's.
            past = await load_past(conn, collection, since) if since < collection.version else None
            _keep(self._pasts, key, past, _PAST_COUNT)
        return self._pasts[key]


async def _changed_count(conn: AsyncConnection, collection: Collection, past: Past, numbers: BitMap) -> int:
    """How many of some documents are not what they were."""
    known = [number for number in numbers if number in past.former]
    if len(known) > _COMPARED_COUNT:
        return len(numbers)
    documents = await load_documents(conn, collection, known)
    same = [number for number, (_, document) in documents.items() if document == past.former[number].document]
    return len(numbers) - len(same)


async def _keys(conn: AsyncConnection, collection: Collection, past: Past, numbers: list[int]) -> tuple[str, ...]:
    """The keys of some documents, as far as they are known."""
    # What has not changed is gone because the words are read otherwise now, say for a correction that is not needed.
    stored = await load_bodies(conn, collection.id, [number for number in numbers if number not in past.former])
    keys = {number: key for number, (key, _) in stored.items()}
    former = {number: past.former[number].key for number in numbers if number in past.former}
    return tuple(key for number in numbers if (key := keys.get(number) or former.get(number)))


def _view(query: SearchQuery) -> Hashable:
    """What tells apart which documents a query finds, in whatever order and however many at a time."""
    ranges = [(name, chosen.minimum, chosen.maximum) for name, chosen in query.ranges.items()]
    return query.text, query.is_verbatim, tuple(sorted(query.filters.items())), tuple(sorted(ranges, key=repr))


def _keep(kept: OrderedDict[Hashable, T], key: Hashable, value: T, limit: int) -> None:
    kept[key] = value
    if len(kept) > limit:
        kept.popitem(last=False)
