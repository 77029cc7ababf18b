"""The search page and the fragment that answers a keystroke."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from livesearch.domain import Collection, Field, Highlight, Hit, ResultPage, Role, SearchQuery
from livesearch.web.contexts import (
    EditLink,
    EmptyHelp,
    ExplanationLink,
    PageLink,
    Pagination,
    ResultRow,
    ResultsEditing,
    ResultsFragment,
    SearchPage,
    Snippet,
    SortChoice,
)
from livesearch.web.parameters import Expansions, canonical_parameters
from livesearch.web.presenters.addresses import (
    address_of,
    address_with_key,
    document_url,
    fits_path,
    quote_key,
    search_address,
)
from livesearch.web.presenters.corrections import announce, present_correction
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
from livesearch.web.presenters.live import present_poll, row_id
from livesearch.web.presenters.tips import present_tips

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


def present_fragment(
    page: ResultPage, expansions: Expansions, *, is_fragment: bool = True, editing: ResultsEditing | None = None
) -> ResultsFragment:
    """What a keystroke changes."""
    query, collection = page.query, page.collection
    status = describe_status(page)
    # Written once: most are the first page, and have no filters.
    parameters = canonical_parameters(query)
    of_first = canonical_parameters(replace(query, page=1)) if query.page > 1 else parameters
    is_filtered = bool(query.filters or query.ranges)
    unfiltered = canonical_parameters(replace(query, filters={}, ranges={}, page=1)) if is_filtered else of_first
    return ResultsFragment(
        title=_title(query, collection),
        text=query.text.strip(),
        poll=present_poll(page, parameters),
        status=status,
        announcement=announce(page, status),
        save_query=of_first,
        show_label=f"Show {format_results(page.total, is_exact=page.total_is_exact)}" if page.total else "No results",
        timing=format_duration(page.took_ms),
        rows=present_rows(page, parameters=parameters, can_edit=editing is not None),
        chips=present_chips(query, collection),
        clear_url=address_of("pages.search", name=collection.name) + unfiltered,
        notices=page.notices,
        correction=present_correction(page),
        empty=None if page.hits else _present_empty(page),
        pagination=_present_pagination(page) if page.page_count > 1 else None,
        facets=present_facets(page, expansions, of_first),
        ranges=present_ranges(page),
        is_fragment=is_fragment,
        editing=editing,
    )


def present_page(page: ResultPage, expansions: Expansions, editing: ResultsEditing | None = None) -> SearchPage:
    """The whole page around the same results."""
    collection = page.collection
    fragment = present_fragment(page, expansions, is_fragment=False, editing=editing)
    shared = {field.name: getattr(fragment, field.name) for field in fields(fragment)}
    return SearchPage(
        **shared,
        heading=collection.label,
        collection_name=collection.name,
        saved_name="",
        placeholder=f"Search {collection.label}",
        search_url=search_address(collection, SearchQuery()),
        suggest_url=address_of("htmx.suggest", name=collection.name),
        tips=present_tips(page),
        sorts=_present_sorts(page),
    )


class _Roots(NamedTuple):
    """Where documents of a collection are, up to their keys, and which collection it is.

    Attributes:
        document: Their pages.
        explanation: The page of explanations, without its key.
        explanation_part: Explanations alone, up to the key.
    """

    collection_id: int
    name: str
    document: str
    explanation: str
    explanation_part: str


class _Places(NamedTuple):
    """What is said of a document wherever it is shown; addresses are without the search.

    Attributes:
        explanation_part: None for a key that cannot stand in a path: there is its page alone.
    """

    id: str
    place: str
    document: str
    explanation_id: str
    explanation: str
    explanation_part: str | None


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the rows of a page have in common.

    Attributes:
        meta_names: Fields of the line under the title.
        meta_labels: For each of them what its values need beside them; empty for those that speak for themselves.
        parameters: The search, as a query string; ``more_parameters`` where one has begun.
        is_explained: Whether anything was looked for, so that there is something to explain.
        edit_urls: Where a document is changed: the page without its key, and fragments up to it. None for those who may
            not.
    """

    collection: Collection
    meta_names: tuple[str, ...]
    meta_labels: tuple[str, ...]
    roots: _Roots
    parameters: str
    more_parameters: str
    is_explained: bool
    edit_urls: tuple[str, str] | None


def present_rows(page: ResultPage, *, parameters: str | None = None, can_edit: bool = False) -> tuple[ResultRow, ...]:
    """The hits of a page, each with its title, a line of short values, and the matches that neither shows.

    Args:
        parameters: The search, as a query string, where it was written already.
        can_edit: Whether rows lead to where they are changed.
    """
    parameters = canonical_parameters(page.query) if parameters is None else parameters
    years, meta_fields, collection = _year_fields(page), _choose_meta(page), page.collection
    layout = _Layout(
        collection,
        tuple(f.name for f in meta_fields),
        tuple(f.label if f.role is Role.SORT and f.name not in years else "" for f in meta_fields),
        _Roots(
            collection.id,
            collection.name,
            address_with_key("pages.document", collection.name, ""),
            *_urls(collection.name, "pages.explain", "htmx.explain"),
        ),
        parameters,
        parameters.replace("?", "&", 1),
        is_explained=bool(page.query.text.strip()),
        edit_urls=_urls(collection.name, "editing.edit", "editing.edit_part") if can_edit else None,
    )
    return tuple([_present_row(hit, layout) for hit in page.hits])


def _present_row(hit: Hit, layout: _Layout) -> ResultRow:
    collection, places = layout.collection, _places(layout.roots, hit.key)
    snippets = tuple(
        [
            Snippet(label=field.label, text=format_highlight(highlight))
            for name, highlight in hit.snippets.items()
            if name not in layout.meta_names and (field := collection.field(name)) and _is_telling(highlight)
        ]
    )
    return ResultRow(
        id=places.id,
        url=f"{places.document}{layout.parameters}"
        if places.explanation_part is not None
        else document_url(collection.name, hit.key, layout.parameters),
        place=places.place,
        title=format_highlight(shorten_highlight(hit.title, TITLE_LENGTH)),
        meta=_meta(hit, layout),
        snippets=snippets,
        is_pinned=hit.is_pinned,
        explanation=_present_link(places, layout) if layout.is_explained else None,
        edit=EditLink(*_edit_urls(hit.key, layout.edit_urls)) if layout.edit_urls else None,
    )


# Rows are shown again with every letter typed; 0.6 kB each.
@lru_cache(maxsize=4096)
def _places(roots: _Roots, key: str) -> _Places:
    id_, quoted = row_id(roots.collection_id, key), quote_key(key, _PATH_CHARACTERS)
    return _Places(
        id_,
        f"{roots.name}/{key}",
        f"{roots.document}{quote_key(key)}",
        f"why-{id_}",
        f"{roots.explanation}?key={quoted}",
        f"{roots.explanation_part}{quoted}" if fits_path(key) else None,
    )


# What stands in a path and in a query string as it is.
_PATH_CHARACTERS = "/:@,;"


def _urls(name: str, page: str, fragment: str) -> tuple[str, str]:
    any_key = "-"
    return address_of(page, name=name), address_of(fragment, name=name, key=any_key).removesuffix(any_key)


def _present_link(places: _Places, layout: _Layout) -> ExplanationLink:
    """Where it says why a hit is found; a fragment's address cannot hold every key in its path."""
    url, part = places.explanation + layout.more_parameters, places.explanation_part
    return ExplanationLink(places.explanation_id, url, url if part is None else part + layout.parameters)


def _edit_urls(key: str, urls: tuple[str, str]) -> tuple[str, str]:
    """Page and fragment where a document is changed."""
    page_url, fragment_url = urls
    quoted = quote_key(key, _PATH_CHARACTERS)
    url = f"{page_url}?key={quoted}"
    return url, f"{fragment_url}{quoted}" if fits_path(key) else url


def describe_status(page: ResultPage) -> str:
    """Say what was found, in the words that are also read aloud."""
    query = page.query
    if not query.is_narrowed:
        noun = "document" if page.total == 1 else "documents"
        status = f"{format_count(page.total, is_exact=page.total_is_exact)} {noun}"
    else:
        status = format_results(page.total, is_exact=page.total_is_exact)
    if searched := (page.corrected_query or query.text).strip():
        status += f" for “{shorten(searched)}”"
    if not 1 < query.page <= page.page_count:
        return status
    page_count = format_count(page.page_count, is_exact=page.total_is_exact)
    return f"{status}, page {format_count(query.page)} of {page_count}"


def _is_telling(highlight: Highlight) -> bool:
    """Whether a run of text says more than the row does already: it matched, or is long enough to describe."""
    return any(segment.is_match for segment in highlight) or sum(len(s.text) for s in highlight) > _TELLING_LENGTH


def _title(query: SearchQuery, collection: Collection) -> str:
    parts = (shorten(query.text.strip()), collection.label, SITE_NAME)
    return " · ".join(part for part in parts if part)


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


def _meta(hit: Hit, layout: _Layout) -> tuple[Markup, ...]:
    """The line under a title: values with their labels, without what says nothing more."""
    values = [hit.document.get(name) for name in layout.meta_names]
    if not hit.snippets.keys().isdisjoint(layout.meta_names):
        shown = zip(layout.meta_names, layout.meta_labels, values, strict=True)
        marked = hit.snippets
        return _without_repeats(
            format_highlight(marked[name]) if name in marked else _present_value(label, value)
            for name, label, value in shown
        )
    if {float, list, dict}.isdisjoint(map(type, values)):  # 0.0 equals -0.0; by lists and objects nothing is found
        return _known_meta(layout.meta_labels, *values)
    return _present_meta(layout.meta_labels, *values)


def _present_meta(labels: tuple[str, ...], *values: Any) -> tuple[Markup, ...]:  # Any: JSON values
    return _without_repeats(_present_value(label, value) for label, value in zip(labels, values, strict=True))


# Rows of a page, and of the next, are shown again with every letter typed. By types, too: 1 is not `true`.
_known_meta = lru_cache(maxsize=4096, typed=True)(_present_meta)


def _present_value(label: str, value: Any) -> Markup:  # Any: a JSON value
    text = shorten(", ".join(format_values(value)))
    return escape(f"{label} {text}" if label and text else text)


def _without_repeats(values: Iterable[Markup]) -> tuple[Markup, ...]:
    """Leave out the empty and what an earlier value says already, and end the line in time."""
    kept: list[Markup] = []
    for value in values:
        if value and ("<mark>" in value or not _is_said(value, kept)):
            kept.append(value)
            if len(kept) == _META_LENGTH:
                break
    return tuple(kept)


def _is_said(value: str, others: Iterable[str]) -> bool:
    """Whether one of some values makes another superfluous: “Sega 32X” says “Sega”, “1994” says “1990s”."""
    return any(value in other or (other.isdecimal() and value == f"{other[:-1]}0s") for other in others)


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
        widen_url=search_address(collection, SearchQuery(text=query.text)) if is_filtered and not is_past_end else "",
        clear_url=search_address(collection, SearchQuery()),
        first_page_url=search_address(collection, replace(query, page=1)) if is_past_end else "",
    )


def _present_pagination(page: ResultPage) -> Pagination:
    current, last = page.query.page, page.page_count
    first_url = search_address(page.collection, replace(page.query, page=1))
    # The page comes last in the one query string that stands for a search.
    sign = "&" if "?" in first_url else "?"

    def url(number: int) -> str:
        if not 1 <= number <= last:
            return ""
        return first_url if number == 1 else f"{first_url}{sign}page={number}"

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
