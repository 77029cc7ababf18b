"""Searching: from a query to a page of results, one snapshot of the store a search."""

import re
from calendar import isleap, monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import (
    NUMERIC_ROLES,
    Collection,
    Document,
    Facet,
    Field,
    FieldType,
    Hit,
    Range,
    RangeFacet,
    ResultPage,
    Role,
    SearchQuery,
)
from livesearch.errors import InvalidInputError
from livesearch.ingest import number_of
from livesearch.search.faceting import count_values, leave_out
from livesearch.search.hits import make_hit
from livesearch.search.matching import Match, Postings, filter_documents, in_range, match, needs
from livesearch.search.query import ParsedQuery, parse_query
from livesearch.search.ranking import Scorer, candidates, largest, remaining
from livesearch.search.values import format_number
from livesearch.services.collections import require_collection
from livesearch.services.columns import ColumnCache, Columns
from livesearch.services.transactions import Transactions
from livesearch.store.collections import list_collections
from livesearch.store.documents import decode, load_bodies, load_documents
from livesearch.store.postings import chunks_of, load_postings, load_union

# Facet values shown before one asks for more.
_FACET_VALUE_COUNT = 10

# Bytes of documents that are read to be scored: some 5 ms of work. Rows longer than 10 kB have fewer candidates.
_READ_SIZE = 1_000_000


@dataclass(frozen=True, slots=True)
class _Found:
    """A query matched against one snapshot: what was asked, what holds every word, what each filter allows."""

    parsed: ParsedQuery
    match: Match
    allowed: Mapping[str, BitMap]
    columns: Columns

    @property
    def narrowed(self) -> Match:
        return self.match.within(leave_out(self.match.all, self.allowed)) if self.allowed else self.match


class SearchService:
    """Answers searches. All counts are exact."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._cache = ColumnCache()

    async def search(self, name: str, query: SearchQuery, *, with_facets: bool = True) -> ResultPage:
        """Search one collection.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: A filter, range or sort names a field that cannot do it, or a range end is not a number
                or date.
            QueryTimeoutError: The search took longer than the setting `query_timeout_ms`.
        """
        started = perf_counter()
        async with self._transactions.read() as conn:
            collection = await require_collection(conn, name)
            return await self._search(conn, collection, query, with_facets=with_facets, started=started)

    async def search_all(self, text: str, *, hits: int = 3) -> tuple[ResultPage, ...]:
        """Search every collection, in order of name.

        Args:
            hits: Best hits to give of each.
        """
        query = SearchQuery(text=text, page_size=hits)
        async with self._transactions.read() as conn:
            return tuple(
                [
                    await self._search(conn, collection, query, with_facets=False, started=perf_counter())
                    for collection in await list_collections(conn)
                ]
            )

    async def facet_values(
        self, name: str, query: SearchQuery, field: str, *, contains: str = "", limit: int = 100
    ) -> Facet:
        """More values of one facet than a result page gives.

        Args:
            contains: Only values that hold this text, case and diacritics aside.
            limit: Values at most, besides the chosen ones.

        Raises:
            CollectionNotFoundError: No collection has the name.
            InvalidInputError: The field is no facet, or as for ``search``.
        """
        async with self._transactions.read() as conn:
            collection = await require_collection(conn, name)
            facet = _field_with_role(collection, field, {Role.FACET}, "a facet")
            found = await self._find(conn, collection, query)
            columns = await self._cache.load(conn, collection, facets=[field])
            return count_values(
                facet,
                columns.facets[field],
                leave_out(found.match.all, found.allowed, field),
                selected=query.filters.get(field, ()),
                limit=limit,
                contains=contains,
            )

    async def _search(
        self, conn: AsyncConnection, collection: Collection, query: SearchQuery, *, with_facets: bool, started: float
    ) -> ResultPage:
        found = await self._find(conn, collection, query)
        hits = await self._hits(conn, collection, query, found)
        facets, ranges = await self._facets(conn, collection, query, found) if with_facets else ((), ())
        return ResultPage(
            query=query,
            collection=collection,
            hits=hits,
            total=len(found.narrowed.all),
            facets=facets,
            ranges=ranges,
            notices=found.parsed.notices,
            took_ms=(perf_counter() - started) * 1000,
            version=collection.version,
        )

    async def _find(self, conn: AsyncConnection, collection: Collection, query: SearchQuery) -> _Found:
        parsed = parse_query(query.text)
        for name in query.filters:
            _field_with_role(collection, name, {Role.FACET}, "a facet")
        limits = {name: _range_limits(collection, query, name) for name in query.ranges}
        sort_name = query.sort.removeprefix("-")
        if query.sort:
            _field_with_role(collection, sort_name, NUMERIC_ROLES, "a number or a date")

        wanted, chunks = needs(parsed, query.filters), chunks_of(collection.next_number)
        postings = Postings(
            await load_postings(conn, collection.id, wanted.keys, chunks),
            {key_range: await load_union(conn, collection.id, key_range, chunks) for key_range in wanted.ranges},
        )
        values = {name for name in (collection.popularity_field, sort_name, *query.ranges) if name}
        columns = await self._cache.load(conn, collection, values=values)
        allowed = filter_documents(query.filters, postings)
        for name, (minimum, maximum) in limits.items():
            allowed[name] = in_range(columns.values[name], minimum, maximum)
        return _Found(parsed, match(parsed, postings), allowed, columns)

    async def _hits(
        self, conn: AsyncConnection, collection: Collection, query: SearchQuery, found: _Found
    ) -> tuple[Hit, ...]:
        offset, narrowed, values = (query.page - 1) * query.page_size, found.narrowed, found.columns.values
        popularity = values.get(collection.popularity_field or "")
        terms, end = found.parsed.terms, offset + query.page_size
        scores: dict[int, float] = {}
        documents: dict[int, tuple[str, Document]] = {}
        if query.sort:
            numbers = values[query.sort.removeprefix("-")]
            page = largest(narrowed.all, numbers if query.sort.startswith("-") else -numbers, end)[offset:]
        elif not terms:
            page = largest(narrowed.all, popularity, end)[offset:]
        else:
            documents = await self._candidates(conn, collection, candidates(narrowed, popularity))
            scorer = Scorer(found.parsed, collection)
            scores = {
                number: scorer.score(document, 0.0 if popularity is None else float(popularity[number]))
                for number, (_, document) in documents.items()
            }
            # Python's sort is stable: equal scores keep the order of tier and popularity.
            ranked = sorted(scores, key=scores.__getitem__, reverse=True)
            page = ranked[offset:end]
            rest, passed = query.page_size - len(page), max(0, offset - len(ranked))
            if rest:
                page += remaining(narrowed, popularity, ranked, offset=passed, limit=rest)
        documents |= await load_documents(conn, collection.id, [number for number in page if number not in documents])
        return tuple(make_hit(*documents[number], collection, terms, score=scores.get(number, 0.0)) for number in page)

    @staticmethod
    async def _candidates(
        conn: AsyncConnection, collection: Collection, numbers: Sequence[int]
    ) -> dict[int, tuple[str, Document]]:
        """Key and document of the first candidates, as many as may be read while others wait."""
        bodies = await load_bodies(conn, collection.id, numbers)
        found: dict[int, tuple[str, Document]] = {}
        size = 0
        for number in numbers:
            key, body = bodies[number]
            size += len(body)
            if found and size > _READ_SIZE:
                break
            found[number] = key, decode(body)
        return found

    async def _facets(
        self, conn: AsyncConnection, collection: Collection, query: SearchQuery, found: _Found
    ) -> tuple[tuple[Facet, ...], tuple[RangeFacet, ...]]:
        faceted, numeric = collection.by_role(Role.FACET), collection.by_role(*NUMERIC_ROLES)
        columns = await self._cache.load(
            conn, collection, facets=[f.name for f in faceted], values=[f.name for f in numeric]
        )
        facets = tuple(
            count_values(
                field,
                columns.facets[field.name],
                leave_out(found.match.all, found.allowed, field.name),
                selected=query.filters.get(field.name, ()),
                limit=_FACET_VALUE_COUNT,
            )
            for field in faceted
        )
        return facets, tuple(_range_facet(field, columns, query) for field in numeric)


def _range_facet(field: Field, columns: Columns, query: SearchQuery) -> RangeFacet:
    low, high = [format_number(end, field) for end in extent] if (extent := columns.extent(field.name)) else ["", ""]
    return RangeFacet(field, low, high, query.ranges.get(field.name, Range()))


def _field_with_role(
    collection: Collection, name: str, roles: Sequence[Role] | set[Role] | frozenset[Role], what: str
) -> Field:
    field = collection.field(name)
    if field is None or field.role not in roles:
        able = ", ".join(f.name for f in collection.by_role(*roles)) or "none"
        raise InvalidInputError(f"“{name}” is not {what} of “{collection.name}”. Those that are: {able}.")
    return field


def _first(text: str | None, field: Field) -> float | None:
    return None if text is None else number_of(text, field.type)


def _last(text: str | None, field: Field) -> float | None:
    """The number of an upper end; of a day, month or year as it was written, its last moment."""
    first = _first(text, field)
    written = _DATE.fullmatch((text or "").strip())
    if first is None or written is None or field.type is not FieldType.DATE:
        return first
    year, month, day = (int(part) if part else 0 for part in written.groups())
    day_count = 1 if day else monthrange(year, month)[1] if month else 365 + isleap(year)
    return first + 86_400 * day_count - 0.001


# A year, a month or a day, as ISO 8601 writes them.
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


def _range_limits(collection: Collection, query: SearchQuery, name: str) -> tuple[float | None, float | None]:
    field = _field_with_role(collection, name, NUMERIC_ROLES, "a number or a date")
    ends: list[float | None] = []
    asked = query.ranges[name]
    for text, number in ((asked.minimum, _first(asked.minimum, field)), (asked.maximum, _last(asked.maximum, field))):
        if text is not None and (number is None or np.isnan(number)):
            kind = "a date like 2009-12-31" if field.role is Role.DATE else "a number"
            raise InvalidInputError(f"“{text}” is not {kind}, which the range of “{name}” needs.")
        ends.append(number)
    return ends[0], ends[1]
