"""Facets, ranges and the chips of active filters."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urlencode

from livesearch.domain import Collection, Facet, FieldType, Range, RangeFacet, ResultPage, SearchQuery
from livesearch.web.contexts import Chip, FacetGroup, FacetOption, RangeGroup
from livesearch.web.parameters import (
    FILTER_PREFIX,
    MAXIMUM_PREFIX,
    MINIMUM_PREFIX,
    Expansions,
    canonical_parameters,
)
from livesearch.web.presenters.addresses import address_of, search_address
from livesearch.web.presenters.formats import format_choice, format_count, shorten
from livesearch.web.presenters.histograms import present_histogram

# Values of a facet shown whole, besides the chosen ones: further down one types rather than scrolls.
VALUE_COUNT = 100
# The first groups stand open: enough for a choice, few enough for one screen.
_OPEN_FACETS = 3
_OPEN_RANGES = 1
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def present_facets(page: ResultPage, expansions: Expansions, parameters: str) -> tuple[FacetGroup, ...]:
    """Every facet of a result that has a value to choose or one chosen.

    Args:
        parameters: The search's first page, as a query string.
    """
    shown = [facet for facet in page.facets if facet.values or facet.field.name in expansions]
    return tuple(
        _present_facet(facet, parameters, page.collection, expansions, is_open=position < _OPEN_FACETS)
        for position, facet in enumerate(shown)
    )


def present_facet(
    facet: Facet, query: SearchQuery, collection: Collection, expansions: Expansions, *, is_open: bool
) -> FacetGroup:
    """One facet; the expanded one can be searched and shows all it was given."""
    return _present_facet(facet, canonical_parameters(replace(query, page=1)), collection, expansions, is_open=is_open)


def _present_facet(
    facet: Facet, parameters: str, collection: Collection, expansions: Expansions, *, is_open: bool
) -> FacetGroup:
    name = facet.field.name
    is_expanded = name in expansions
    selected_count = sum(value.is_selected for value in facet.values)
    is_cut = sum(value.count > 0 for value in facet.values) < facet.value_count or not facet.is_exact
    group_id = f"facet-{_identify(name)}"
    return FacetGroup(
        id=group_id,
        field=name,
        name=FILTER_PREFIX + name,
        label=facet.field.label,
        options=_present_options(facet),
        is_open=is_open or is_expanded or bool(selected_count),
        selected_count=selected_count,
        is_expanded=is_expanded,
        text=expansions.get(name, ""),
        more_label=f"Show all {_describe_number(facet)}" if is_cut and not is_expanded else "",
        more_url=address_of("pages.search", name=collection.name)
        + _join(parameters, _expanding(name))
        + f"#{group_id}",
        note=_describe_cut(facet, expansions[name]) if is_cut and is_expanded else "",
        fragment_url=address_of("htmx.facet", name=collection.name, field=name) + parameters,
    )


def present_ranges(page: ResultPage) -> tuple[RangeGroup, ...]:
    """Every field that can be narrowed from both ends."""
    return tuple(
        _present_range(facet, page, is_open=position < _OPEN_RANGES) for position, facet in enumerate(page.ranges)
    )


def present_chips(query: SearchQuery, collection: Collection) -> tuple[Chip, ...]:
    """Every active filter with the page that lacks it."""
    chips = [
        _present_chip(collection, name, value, _without_filter(query, name, value))
        for name, values in query.filters.items()
        for value in values
    ]
    chips += [
        _present_chip(collection, name, _describe_range(chosen), _without_range(query, name))
        for name, chosen in query.ranges.items()
    ]
    return tuple(chips)


def _present_options(facet: Facet) -> tuple[FacetOption, ...]:
    name, type_, is_exact = facet.field.name, facet.field.type, facet.counts_are_exact
    return tuple(
        _present_option(name, type_, value.value, value.count, is_exact, value.is_selected) for value in facet.values
    )


# A search for few documents shows the same small counts again and again; by all that an option says.
@lru_cache(maxsize=4096)
def _present_option(
    name: str,
    type_: FieldType,
    value: str,
    count: int,
    is_exact: bool,
    is_selected: bool,
) -> FacetOption:
    return FacetOption(
        id=f"choice-{_identify(name, value)}",
        value=value,
        label=format_choice(type_, value),
        count=format_count(count, is_exact=is_exact),
        is_selected=is_selected,
        is_empty=count == 0 and is_exact,
    )


def _describe_cut(facet: Facet, text: str) -> str:
    """Say that there are more values than are shown; how many hold a text is not known."""
    if sum(not value.is_selected for value in facet.values) < VALUE_COUNT:
        return ""
    whole = "" if text.strip() else f" of {_describe_number(facet)}"
    return f"The {VALUE_COUNT} most frequent{whole} — type to find others"


def _describe_number(facet: Facet) -> str:
    """How many values there are: ``1,404``, or ``1,300+`` where not all were looked at."""
    return format_count(facet.value_count) + ("" if facet.is_exact else "+")


def _present_range(facet: RangeFacet, page: ResultPage, *, is_open: bool) -> RangeGroup:
    name = facet.field.name
    selected = facet.selected
    is_narrowed = selected != Range()
    return RangeGroup(
        id=f"range-{_identify(name)}",
        label=facet.field.label,
        minimum_name=MINIMUM_PREFIX + name,
        maximum_name=MAXIMUM_PREFIX + name,
        minimum=facet.minimum,
        maximum=facet.maximum,
        selected_minimum=selected.minimum or "",
        selected_maximum=selected.maximum or "",
        input_type=_choose_input(facet),
        is_open=is_open or is_narrowed,
        is_narrowed=is_narrowed,
        histogram=present_histogram(facet, page.query, page.collection),
    )


def _choose_input(facet: RangeFacet) -> str:
    if facet.field.type is not FieldType.DATE:
        return "number"
    # A date picker shows nothing for a value that is not a whole day, such as a bare year.
    ends = (facet.minimum, facet.maximum, facet.selected.minimum, facet.selected.maximum)
    return "date" if all(_ISO_DAY.fullmatch(end) for end in ends if end) else "text"


def _present_chip(collection: Collection, name: str, value: str, without: SearchQuery) -> Chip:
    field = collection.field(name)
    url = search_address(collection, replace(without, page=1))
    return Chip(field.label if field else name, shorten(format_choice(field.type, value) if field else value), url)


def _without_filter(query: SearchQuery, name: str, value: str) -> SearchQuery:
    filters: Mapping[str, tuple[str, ...]] = {
        field: tuple(chosen for chosen in values if (field, chosen) != (name, value))
        for field, values in query.filters.items()
    }
    return replace(query, filters=filters)


def _without_range(query: SearchQuery, name: str) -> SearchQuery:
    return replace(query, ranges={field: chosen for field, chosen in query.ranges.items() if field != name})


def _describe_range(chosen: Range) -> str:
    if chosen.minimum is None:
        return f"up to {chosen.maximum}"
    if chosen.maximum is None:
        return f"from {chosen.minimum}"
    return f"{chosen.minimum} to {chosen.maximum}"


@lru_cache(maxsize=4096)
def _identify(*parts: str) -> str:
    """A short id that stands for any text, safe in an attribute and a selector."""
    return hashlib.blake2s("\0".join(parts).encode(), digest_size=5).hexdigest()


@lru_cache(maxsize=1024)
def _expanding(name: str) -> str:
    """The parameter by which a facet is shown whole."""
    return urlencode({"facet": name})


def _join(parameters: str, parameter: str) -> str:
    return f"{parameters}&{parameter}" if parameters else f"?{parameter}"
