"""The search page and the fragment that answers a keystroke."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from flask import url_for
from markupsafe import Markup, escape

from livesearch.domain import Collection, Field, Highlight, Hit, ResultPage, Role, SearchQuery
from livesearch.web.contexts import (
    Correction,
    EmptyHelp,
    PageLink,
    Pagination,
    ResultRow,
    ResultsFragment,
    SearchPage,
    Snippet,
    SortChoice,
)
from livesearch.web.parameters import Expansions, canonical_parameters
from livesearch.web.presenters.documents import document_url
from livesearch.web.presenters.facets import present_chips, present_facets, present_ranges
from livesearch.web.presenters.formats import (
    format_count,
    format_duration,
    format_highlight,
    format_results,
    format_values,
    shorten,
    shorten_highlight,
)

SITE_NAME = "livesearch"

# Characters; a row is not the place for a whole text.
TITLE_LENGTH = 200
# More values than this no longer read as one line at a glance.
_META_LENGTH = 5
_EARLIEST_YEAR, _LATEST_YEAR = 1500, 2100
# Characters; shorter texts that did not match, such as an edition, only repeat themselves down the page.
_TELLING_LENGTH = 40
# Pages linked on each side of the present one.
_NEIGHBOURS = 2


def present_fragment(page: ResultPage, expansions: Expansions, *, is_fragment: bool = True) -> ResultsFragment:
    """What a keystroke changes."""
    query, collection = page.query, page.collection
    return ResultsFragment(
        title=_title(query, collection),
        text=query.text.strip(),
        status=describe_status(page),
        show_label=f"Show {format_results(page.total)}" if page.total else "No results",
        timing=format_duration(page.took_ms),
        rows=present_rows(page),
        chips=present_chips(query, collection),
        clear_url=_url(collection, SearchQuery(text=query.text, sort=query.sort)),
        notices=page.notices,
        correction=_present_correction(page),
        empty=None if page.hits else _present_empty(page),
        pagination=_present_pagination(page) if page.page_count > 1 else None,
        facets=present_facets(page, expansions),
        ranges=present_ranges(page),
        is_fragment=is_fragment,
    )


def present_page(page: ResultPage, expansions: Expansions) -> SearchPage:
    """The whole page around the same results."""
    collection = page.collection
    fragment = present_fragment(page, expansions, is_fragment=False)
    shared = {field.name: getattr(fragment, field.name) for field in fields(fragment)}
    return SearchPage(
        **shared,
        heading=collection.label,
        placeholder=f"Search {collection.label}",
        search_url=_url(collection, SearchQuery()),
        suggest_url=url_for("htmx.suggest", name=collection.name),
        sorts=_present_sorts(page),
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the rows of a page have in common.

    Attributes:
        meta_fields: Fields of the line under the title.
        named_fields: Those among them whose values need their name beside them.
        parameters: The search, as a query string.
    """

    collection: Collection
    meta_fields: tuple[Field, ...]
    named_fields: frozenset[str]
    parameters: str


def present_rows(page: ResultPage) -> tuple[ResultRow, ...]:
    """The hits of a page, each with its title, a line of short values, and the matches that neither shows."""
    years, meta_fields = _year_fields(page), _choose_meta(page)
    named_fields = frozenset(f.name for f in meta_fields if f.role is Role.SORT and f.name not in years)
    layout = _Layout(page.collection, meta_fields, named_fields, canonical_parameters(page.query))
    return tuple(_present_row(hit, layout, position) for position, hit in enumerate(page.hits))


def _present_row(hit: Hit, layout: _Layout, position: int) -> ResultRow:
    collection = layout.collection
    shown = {
        field.name: _present_meta(field, hit, needs_name=field.name in layout.named_fields)
        for field in layout.meta_fields
    }
    snippets = tuple(
        Snippet(label=field.label, text=format_highlight(highlight))
        for name, highlight in hit.snippets.items()
        if name not in shown and (field := collection.field(name)) and _is_telling(highlight)
    )
    return ResultRow(
        id=f"result-{collection.id}-{position}",
        url=document_url(collection.name, hit.key, layout.parameters),
        title=format_highlight(shorten_highlight(hit.title, TITLE_LENGTH)),
        meta=_without_repeats(shown.values()),
        snippets=snippets,
    )


def describe_status(page: ResultPage) -> str:
    """Say what was found, in the words that are also read aloud."""
    query = page.query
    if not query.is_narrowed:
        noun = "document" if page.total == 1 else "documents"
        status = f"{format_count(page.total)} {noun}"
    else:
        status = format_results(page.total, is_exact=page.total_is_exact)
    if query.text.strip():
        status += f" for “{shorten(query.text.strip())}”"
    if not 1 < query.page <= page.page_count:
        return status
    return f"{status}, page {format_count(query.page)} of {format_count(page.page_count)}"


def _is_telling(highlight: Highlight) -> bool:
    """Whether a run of text says more than the row does already: it matched, or is long enough to describe."""
    return any(segment.is_match for segment in highlight) or sum(len(s.text) for s in highlight) > _TELLING_LENGTH


def _title(query: SearchQuery, collection: Collection) -> str:
    parts = (shorten(query.text.strip()), collection.label, SITE_NAME)
    return " · ".join(part for part in parts if part)


def _url(collection: Collection, query: SearchQuery) -> str:
    return url_for("pages.search", name=collection.name) + canonical_parameters(query)


def _choose_meta(page: ResultPage) -> tuple[Field, ...]:
    """The fields of the line under a title: what one filters by, the year, and what the results are sorted by."""
    numbers = _year_fields(page) | {page.query.sort.removeprefix("-")}
    return tuple(
        field
        for field in page.collection.fields
        if field.role in {Role.FACET, Role.DATE} or (field.role is Role.SORT and field.name in numbers)
    )


def _year_fields(page: ResultPage) -> set[str]:
    """The numeric fields that hold years, by all their values; a number that is none says nothing without its name."""
    return {
        facet.field.name
        for facet in page.ranges
        if facet.minimum.isdecimal()
        and facet.maximum.isdecimal()
        and int(facet.minimum) >= _EARLIEST_YEAR
        and int(facet.maximum) <= _LATEST_YEAR
    }


def _present_meta(field: Field, hit: Hit, *, needs_name: bool) -> Markup:
    if field.name in hit.snippets:
        return format_highlight(hit.snippets[field.name])
    text = shorten(", ".join(format_values(hit.document.get(field.name))))
    return escape(f"{field.label} {text}" if needs_name and text else text)


def _without_repeats(values: Iterable[Markup]) -> tuple[Markup, ...]:
    """Leave out the empty and what an earlier value says already, and end the line in time."""
    kept: list[Markup] = []
    for value in values:
        if value and ("<mark>" in value or not any(_says(other, value) for other in kept)):
            kept.append(value)
    return tuple(kept[:_META_LENGTH])


def _says(value: str, other: str) -> bool:
    """Whether one value makes another superfluous: “Sega 32X” says “Sega”, “1994” says “1990s”."""
    is_decade = value.isdecimal() and other == f"{value[:-1]}0s"
    return is_decade or other in value


def _present_correction(page: ResultPage) -> Correction | None:
    if not page.corrected_query:
        return None
    typed = page.query.text.strip()
    # Quotation marks ask for the words as they stand.
    exact = replace(page.query, text=f'"{typed.replace(chr(34), "")}"', page=1)
    return Correction(shown=page.corrected_query, typed=typed, typed_url=_url(page.collection, exact))


def _present_empty(page: ResultPage) -> EmptyHelp:
    query, collection = page.query, page.collection
    is_past_end = query.page > 1 and page.total > 0
    is_filtered = bool(query.filters or query.ranges)
    text = query.text.strip()
    heading = f"Nothing found for “{shorten(text)}”" if text else "Nothing found"
    if is_past_end:
        count = page.page_count
        heading = "There is only 1 page" if count == 1 else f"There are only {format_count(count)} pages"
    return EmptyHelp(
        heading=heading,
        widen_url=_url(collection, SearchQuery(text=query.text)) if is_filtered and not is_past_end else "",
        clear_url=_url(collection, SearchQuery()),
        first_page_url=_url(collection, replace(query, page=1)) if is_past_end else "",
    )


def _present_pagination(page: ResultPage) -> Pagination:
    current, last = page.query.page, page.page_count
    address = url_for("pages.search", name=page.collection.name)

    def url(number: int) -> str:
        return address + canonical_parameters(replace(page.query, page=number)) if 1 <= number <= last else ""

    near = range(max(1, current - _NEIGHBOURS), min(last, current + _NEIGHBOURS) + 1)
    numbers = sorted({1, last, *near})
    links: list[PageLink] = []
    for before, number in zip([0, *numbers], numbers, strict=False):
        if number - before > 1:
            links.append(PageLink("…", ""))
        links.append(PageLink(format_count(number), url(number) if number != current else "", number == current))
    return Pagination(previous_url=url(current - 1), next_url=url(current + 1), pages=tuple(links))


def _present_sorts(page: ResultPage) -> tuple[SortChoice, ...]:
    chosen = page.query.sort
    choices = [SortChoice("", "Best match", not chosen)]
    for field in page.collection.by_role(Role.SORT, Role.DATE):
        falling, rising = (
            ("newest first", "oldest first") if field.role is Role.DATE else ("highest first", "lowest first")
        )
        for value, order in ((f"-{field.name}", falling), (field.name, rising)):
            choices.append(SortChoice(value, f"{field.label}, {order}", chosen == value))
    return tuple(choices)
