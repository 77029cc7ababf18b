"""Between the parameters of a URL and a search query, both ways."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from livesearch.domain import Range, SearchQuery
from livesearch.errors import InvalidInputError
from livesearch.search.query import QUERY_LENGTH

FILTER_PREFIX, MINIMUM_PREFIX, MAXIMUM_PREFIX = "f.", "min.", "max."
# Not a field of the search form: what is typed anew may be misspelled anew.
_EXACT = "exact"
_ON = "1"

# Pages are read by people; past this many nobody pages, they narrow. It also bounds what the store is asked to skip.
_LAST_PAGE = 100_000
_LARGEST_PAGE = 100
# As the stores have them.
_LARGEST_VERSION = 2**63 - 1
# Each filter is a chip, and each link of a page repeats all of them: without a limit, pages grow with its square.
_FILTER_COUNT = 50
# Characters of all values together, for the same reason.
_FILTER_LENGTH = 5_000
# Each is one more search.
_EXPANSION_COUNT = 10

# Text to look for by field, for the facets of which all values are asked for that hold it.
Expansions = Mapping[str, str]


def parse_query(parameters: MultiDict[str, str]) -> SearchQuery:
    """Read a search from the parameters of a URL; unknown ones are ignored, empty ones count as absent.

    Raises:
        InvalidInputError: ``page`` or ``page_size`` is not a number in its range, or there are more than 50 filters, or
            more than 5,000 characters of them. Fields are checked by the service, which knows the collection.
    """
    filters, ranges = _parse_filters(parameters), _parse_ranges(parameters)
    _check_size(filters, ranges)
    return SearchQuery(
        text=parameters.get("q", ""),
        filters=filters,
        ranges=ranges,
        sort=parameters.get("sort", ""),
        page=parse_page(parameters),
        page_size=20,
        is_verbatim=parameters.get(_EXACT) == _ON,
    )


def parse_sized_query(parameters: MultiDict[str, str]) -> SearchQuery:
    """Read a search as programs ask it: they choose the page's size, where to go on, and whether hits are explained.

    Raises:
        InvalidInputError: As ``parse_query``. A cursor is read by the service, which knows the search.
    """
    page_size = _parse_count(parameters, "page_size", default=20, largest=_LARGEST_PAGE)
    cursor = parameters.get("cursor", "").strip() or None
    is_explained = parameters.get("explain") == _ON
    return replace(parse_query(parameters), page_size=page_size, cursor=cursor, is_explained=is_explained)


def parse_page(parameters: MultiDict[str, str]) -> int:
    """Read which page of a list is wanted, from 1.

    Raises:
        InvalidInputError: ``page`` is not a number in its range.
    """
    return _parse_count(parameters, "page", default=1, largest=_LAST_PAGE)


@dataclass(frozen=True, slots=True)
class Shown:
    """What an open list shows.

    Attributes:
        version: Its collection's, when it was made.
        total: Documents it holds, on all its pages; None where that was not counted to the end.
    """

    version: int
    total: int | None


def parse_shown(parameters: MultiDict[str, str]) -> Shown:
    """Read what a list that asks for changes shows.

    Raises:
        InvalidInputError: The version or the total is not a number.
    """
    version = _parse_count(parameters, "v", default=-1, largest=_LARGEST_VERSION, smallest=0)
    if version < 0:
        raise InvalidInputError("“v” is missing: the version that the list was made from. Load the page anew.")
    total = _parse_count(parameters, "n", default=-1, largest=_LARGEST_VERSION, smallest=0)
    return Shown(version, None if total < 0 else total)


def parse_expansions(parameters: MultiDict[str, str]) -> Expansions:
    """Read which facets are shown whole; past ten, the others are not."""
    pairs = zip_longest(parameters.getlist("facet")[:_EXPANSION_COUNT], parameters.getlist("fq"), fillvalue="")
    return {field: text for field, text in pairs if field}


def canonical_parameters(query: SearchQuery) -> str:
    """Write a search as the one query string that stands for it: no empty parameters, no first page, no unread text.

    Returns:
        Percent-encoded, with its ``?``; empty for the whole collection.
    """
    pairs: list[tuple[str, str]] = []
    if text := query.text.strip()[:QUERY_LENGTH]:
        pairs.append(("q", text))
    pairs += [(FILTER_PREFIX + field, value) for field, values in query.filters.items() for value in values]
    for field, chosen in query.ranges.items():
        pairs += [(MINIMUM_PREFIX + field, chosen.minimum)] if chosen.minimum is not None else []
        pairs += [(MAXIMUM_PREFIX + field, chosen.maximum)] if chosen.maximum is not None else []
    if query.sort:
        pairs.append(("sort", query.sort))
    if query.is_verbatim and text:
        pairs.append((_EXACT, _ON))
    if query.page > 1:
        pairs.append(("page", str(query.page)))
    return f"?{urlencode(pairs)}" if pairs else ""


def _parse_filters(parameters: MultiDict[str, str]) -> Mapping[str, tuple[str, ...]]:
    filters: dict[str, tuple[str, ...]] = {}
    for name, values in parameters.lists():
        field = name.removeprefix(FILTER_PREFIX)
        chosen = tuple(dict.fromkeys(value for value in values if value))
        if field and field != name and chosen:
            filters[field] = chosen
    return filters


def _parse_ranges(parameters: MultiDict[str, str]) -> Mapping[str, Range]:
    ranges: dict[str, Range] = {}
    for name in parameters:
        value = parameters.get(name, "").strip()
        if value and (field := name.removeprefix(MINIMUM_PREFIX)) not in {"", name}:
            ranges[field] = replace(ranges.get(field, Range()), minimum=value)
        if value and (field := name.removeprefix(MAXIMUM_PREFIX)) not in {"", name}:
            ranges[field] = replace(ranges.get(field, Range()), maximum=value)
    return ranges


def _check_size(filters: Mapping[str, tuple[str, ...]], ranges: Mapping[str, Range]) -> None:
    values = [value for chosen in filters.values() for value in chosen]
    ends = [end for chosen in ranges.values() for end in (chosen.minimum, chosen.maximum) if end]
    length = sum(map(len, values + ends))
    for size, what, limit in (
        (len(values) + len(ranges), "filters", _FILTER_COUNT),
        (length, "characters of filters", _FILTER_LENGTH),
    ):
        if size > limit:
            raise InvalidInputError(
                f"These are {size:,} {what}, and a search takes at most {limit:,}. Remove some, or search without them."
            )


def _parse_count(parameters: MultiDict[str, str], name: str, *, default: int, largest: int, smallest: int = 1) -> int:
    value = parameters.get(name, "").strip()
    if not value:
        return default
    # isdecimal() alone would accept digits of other scripts, and int() signs and underscores.
    number = int(value) if value.isascii() and value.isdecimal() and len(value) <= len(str(largest)) else -1
    if not smallest <= number <= largest:
        raise InvalidInputError(
            f"“{name}={value[:40]}” is not a whole number from {smallest} to {largest:,}. Change it, or leave it out."
        )
    return number
