"""What surrounds the hits of a page: facets with their counts, and ranges with their histograms."""

from collections.abc import Mapping

from pyroaring import BitMap
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import NUMERIC_ROLES, Collection, Facet, Field, Range, RangeFacet, Role, SearchQuery
from livesearch.search.faceting import count_values, leave_out
from livesearch.search.selections import Base
from livesearch.search.values import format_number
from livesearch.services.columns import ColumnCache, Columns

# Facet values shown before one asks for more.
VALUE_COUNT = 10


async def load_columns(
    cache: ColumnCache,
    conn: AsyncConnection,
    collection: Collection,
    query: SearchQuery,
    *,
    with_facets: bool,
    now: float,
) -> Columns:
    """The columns that a search needs.

    Args:
        with_facets: Whether ``count_facets`` will be called.
        now: Unix seconds.
    """
    return await cache.load(
        conn,
        collection,
        facets=[field.name for field in collection.by_role(Role.FACET)] if with_facets else (),
        bins=[field.name for field in collection.by_role(*NUMERIC_ROLES)] if with_facets else (),
        orders={*query.ranges, *filter(None, [query.sort.removeprefix("-")])},
        now=now,
    )


def count_facets(
    collection: Collection, columns: Columns, query: SearchQuery, match: BitMap, allowed: Mapping[str, BitMap]
) -> tuple[tuple[Facet, ...], tuple[RangeFacet, ...]]:
    """Every facet and every range of a result.

    Args:
        match: The documents that fit the words, filters left aside.
        allowed: By filtered field, the documents that its filter leaves.
    """
    # What is not filtered itself is counted over the same documents: they are taken apart once.
    shared = Base(leave_out(match, allowed), columns.everything)

    def base_of(field: Field) -> Base:
        name = field.name
        return Base(leave_out(match, allowed, name), columns.everything) if name in allowed else shared

    facets = tuple(
        count_values(
            field,
            columns.facets[field.name],
            base_of(field),
            selected=query.filters.get(field.name, ()),
            limit=VALUE_COUNT,
        )
        for field in collection.facet_fields
    )
    ranges = tuple(_range_facet(field, columns, query, base_of(field)) for field in collection.by_role(*NUMERIC_ROLES))
    return facets, ranges


def _range_facet(field: Field, columns: Columns, query: SearchQuery, base: Base) -> RangeFacet:
    extent = columns.numbers[field.name].extent
    low, high = [format_number(end, field) for end in extent] if extent else ("", "")
    chosen = query.ranges.get(field.name, Range())
    return RangeFacet(field, low, high, chosen, columns.bins[field.name].count(field, base))
