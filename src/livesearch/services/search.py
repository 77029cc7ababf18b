"""Searching: from a query to a page of results, one snapshot of the store a search."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from time import perf_counter

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import (
    ANYBODY,
    Collection,
    Explanation,
    Facet,
    Hit,
    RangeFacet,
    ResultPage,
    Role,
    SearchQuery,
    Viewer,
)
from livesearch.errors import SchemaOutdatedError
from livesearch.search.cursors import encode_cursor
from livesearch.search.faceting import count_values, leave_out
from livesearch.search.hits import HitMaker
from livesearch.search.selections import Base
from livesearch.services.explaining import explain
from livesearch.services.facets import count_facets, load_columns
from livesearch.services.finding import Finder, Found
from livesearch.services.opening import open_collection, open_collections
from livesearch.services.paging import NOT_RANKED, Ranked, page_of, rank
from livesearch.services.ranges import require_field
from livesearch.services.ranking import RankingChange, changed
from livesearch.services.recent import RecentFinds
from livesearch.services.sights import outward
from livesearch.services.transactions import Transactions
from livesearch.store.documents import load_documents

_NONE_NOTICE = "No row holds all the words. These hold the most of them."
_FEW_NOTICE = "Few rows hold all the words. Those that hold the most of them follow."


class SearchService:
    """Answers searches. Counts are exact unless they are marked as lower bounds."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self.finder = Finder()
        self._recent = RecentFinds[tuple[Found, Ranked]]()

    async def warm(self) -> None:
        """Read ahead what searches will need; a store that is not set up has nothing of it.

        Raises:
            StoreUnavailableError: The store does not answer.
        """
        with suppress(SchemaOutdatedError):
            async with self._transactions.read(is_limited=False) as conn:
                await self.finder.warm(conn)

    async def close(self) -> None:
        """Stop what is under way."""
        await self.finder.close()

    async def search(
        self, name: str, query: SearchQuery, *, viewer: Viewer = ANYBODY, with_facets: bool = True
    ) -> ResultPage:
        """Search one collection, for a viewer.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: A filter, range or sort names a field that cannot do it, or a range end is not a number
                or date; or the cursor is of another search.
            QueryTimeoutError: The search took longer than the setting `query_timeout_ms`.
        """
        started = perf_counter()
        async with open_collection(self._transactions, name) as (conn, collection):
            with self._recent.finding(collection, query, viewer) as told:
                return await self._search(
                    conn, collection, query, viewer, with_facets=with_facets, started=started, told=told
                )

    async def compare(
        self, name: str, query: SearchQuery, change: RankingChange, *, viewer: Viewer = ANYBODY
    ) -> tuple[ResultPage, ResultPage]:
        """Search one collection as it ranks and as it would rank, in one snapshot; nothing is saved.

        Args:
            change: Weights, popularity and recency. Language and typo tolerance stay, as the index has them.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: As for ``search`` and `RankingService.change`.
        """
        started = perf_counter()
        change = replace(change, language=None, typos={})
        async with open_collection(self._transactions, name) as (conn, collection):
            wanted = changed(collection, change)
            before = await self._search(conn, collection, query, viewer, with_facets=False, started=started)
            after = await self._search(conn, wanted, query, viewer, with_facets=False, started=started)
            return before, after

    async def search_all(self, text: str, *, viewer: Viewer = ANYBODY, hits: int = 3) -> tuple[ResultPage, ...]:
        """Search every collection, in order of name.

        Args:
            hits: Best hits to give of each.
        """
        query = SearchQuery(text=text, page_size=hits)
        async with open_collections(self._transactions) as (conn, found):
            return tuple(
                [
                    await self._search(conn, collection, query, viewer, with_facets=False, started=perf_counter())
                    for collection in found
                ]
            )

    async def facet_values(
        self,
        name: str,
        query: SearchQuery,
        field: str,
        *,
        viewer: Viewer = ANYBODY,
        contains: str = "",
        limit: int = 100,
    ) -> Facet:
        """More values of one facet than a result page gives.

        Args:
            contains: Only values that hold this text, case and diacritics aside.
            limit: Values at most, besides the chosen ones.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: The field is no facet, or as for ``search``.
        """
        async with open_collection(self._transactions, name) as (conn, collection):
            facet = require_field(collection, field, {Role.FACET}, "a facet")
            found = await self.finder.find(conn, collection, query, viewer)
            columns = await self.finder.columns.load(conn, collection, facets=[field])
            return count_values(
                facet,
                columns.facets[field],
                Base(leave_out(found.match.all, found.allowed, field), columns.everything),
                selected=query.filters.get(field, ()),
                limit=limit,
                contains=contains,
            )

    async def explain(self, name: str, query: SearchQuery, key: str, *, viewer: Viewer = ANYBODY) -> Explanation:
        """Say why a document stands where it does in a result, or why it is not there.

        Raises:
            DocumentNotFoundError: No document has the key.
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: As for ``search``.
        """
        async with open_collection(self._transactions, name) as (conn, collection):
            found, ranked = await self._find(conn, collection, query, viewer)
            return await explain(conn, found, ranked, key)

    async def _search(
        self,
        conn: AsyncConnection,
        collection: Collection,
        query: SearchQuery,
        viewer: Viewer,
        *,
        with_facets: bool,
        started: float,
        told: asyncio.Future[tuple[Found, Ranked]] | None = None,
    ) -> ResultPage:
        found, ranked = await self._find(conn, collection, query, viewer)
        if told:
            told.set_result((found, ranked))
        hits, next_cursor = await self._hits(conn, found, ranked)
        facets, ranges = await self._facets(conn, found) if with_facets else ((), ())
        return ResultPage(
            query=query,
            collection=found.collection,
            hits=hits,
            total=len(found.narrowed.all),
            facets=facets,
            ranges=ranges,
            total_is_exact=found.is_exact,
            corrected_query=found.corrected_query,
            notices=(*found.notices, *_relaxed_notices(found)),
            took_ms=(perf_counter() - started) * 1000,
            version=collection.version,
            next_cursor=next_cursor,
        )

    async def _facets(self, conn: AsyncConnection, found: Found) -> tuple[tuple[Facet, ...], tuple[RangeFacet, ...]]:
        collection = found.collection
        columns = await load_columns(
            self.finder.columns, conn, collection, found.query, with_facets=True, now=time.time()
        )
        columns = await found.sight.seen(columns) if found.sight else columns
        facets, ranges = count_facets(collection, columns, found.query, found.match.all, found.allowed)
        if found.is_exact:
            return facets, ranges
        return tuple(replace(facet, is_exact=False, counts_are_exact=False) for facet in facets), ranges

    async def first(
        self, conn: AsyncConnection, collection: Collection, query: SearchQuery, viewer: Viewer
    ) -> tuple[Found, tuple[Hit, ...]]:
        """What a text finds, and its first documents; taken from a search for the same that is under way, or just was.

        Args:
            query: A text and a page size, nothing else.
        """
        shared = await self._recent.get(collection, query.text, viewer)
        found, ranked = shared or await self._find(conn, collection, query, viewer)
        found = replace(found, query=query)
        return found, (await self._hits(conn, found, ranked))[0]

    async def hits_of(self, conn: AsyncConnection, found: Found, numbers: Iterable[int]) -> tuple[Hit, ...]:
        """Chosen documents as hits of a search, without scores."""
        chosen = list(numbers)
        documents, hits = await load_documents(conn, found.collection, chosen), _hit_maker(found)
        return tuple(hits.make(*documents[number], score=0.0) for number in chosen if number in documents)

    async def _find(
        self, conn: AsyncConnection, collection: Collection, query: SearchQuery, viewer: Viewer
    ) -> tuple[Found, Ranked]:
        found = await self.finder.find(conn, collection, query, viewer)
        return found, await rank(conn, found) if found.is_ranked else NOT_RANKED

    async def _hits(self, conn: AsyncConnection, found: Found, ranked: Ranked) -> tuple[tuple[Hit, ...], str | None]:
        """The documents of the page, and where the next one begins."""
        numbers, last = page_of(found, ranked)
        documents = dict(ranked.documents)
        missing = [number for number in numbers if number not in documents]
        documents |= await load_documents(conn, found.collection, missing)
        # Another program may have deleted one, while it could not be indexed.
        numbers = [number for number in numbers if number in documents]
        maker, is_explained = _hit_maker(found), found.query.is_explained
        pinned = {number for _, number in found.pinned}
        hits = tuple(
            maker.make(
                *documents[number],
                score=ranked.scores.get(number, 0.0),
                parts=ranked.explain(number, found) if is_explained else (),
                is_pinned=number in pinned,
            )
            for number in numbers
        )
        return hits, encode_cursor(outward(last, found.sight), found.query) if last else None


def _hit_maker(found: Found) -> HitMaker:
    return HitMaker(found.collection, found.parsed.terms)


def _relaxed_notices(found: Found) -> tuple[str, ...]:
    shown = found.narrowed.all
    if not found.most_held or not shown - found.all_held:
        return ()
    return (_FEW_NOTICE if shown & found.all_held else _NONE_NOTICE,)
