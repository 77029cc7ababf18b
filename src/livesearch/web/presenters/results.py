"""The search page and the fragment that answers a keystroke."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

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
    return ResultsFragment(
        title=_title(query, collection),
        text=query.text.strip(),
        poll=present_poll(page),
        status=status,
        announcement=announce(page, status),
        save_query=canonical_parameters(replace(query, page=1)),
        show_label=f"Show {format_results(page.total, is_exact=page.total_is_exact)}" if page.total else "No results",
        timing=format_duration(page.took_ms),
        rows=present_rows(page, can_edit=editing is not None),
        chips=present_chips(query, collection),
        clear_url=search_address(collection, replace(query, filters={}, ranges={}, page=1)),
        notices=page.notices,
        correction=present_correction(page),
        empty=None if page.hits else _present_empty(page),
        pagination=_present_pagination(page) if page.page_count > 1 else None,
        facets=present_facets(page, expansions),
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


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the rows of a page have in common.

    Attributes:
        meta_names: Fields of the line under the title.
        meta_labels: For each of them what its values need beside them; empty for those that speak for themselves.
        document_root: Where the pages of documents are, up to their keys.
        parameters: The search, as a query string.
        explanation_urls: Of the page, without its key, and of fragments, up to it: making them for each row took a
            quarter of the time of an answer. None where nothing was looked for, so that there is nothing to explain.
        edit_urls: Likewise where a document is changed; None for those who may not.
    """

    collection: Collection
    meta_names: tuple[str, ...]
    meta_labels: tuple[str, ...]
    document_root: str
    parameters: str
    explanation_urls: tuple[str, str] | None
    edit_urls: tuple[str, str] | None


def present_rows(page: ResultPage, *, can_edit: bool = False) -> tuple[ResultRow, ...]:
    """The hits of a page, each with its title, a line of short values, and the matches that neither shows.

    Args:
        can_edit: Whether rows lead to where they are changed.
    """
    years, meta_fields = _year_fields(page), _choose_meta(page)
    layout = _Layout(
        page.collection,
        tuple(f.name for f in meta_fields),
        tuple(f.label if f.role is Role.SORT and f.name not in years else "" for f in meta_fields),
        address_with_key("pages.document", page.collection.name, ""),
        canonical_parameters(page.query),
        explanation_urls=_urls(page.collection.name, *_EXPLAIN) if page.query.text.strip() else None,
        edit_urls=_urls(page.collection.name, *_EDIT) if can_edit else None,
    )
    return tuple(_present_row(hit, layout) for hit in page.hits)


def _present_row(hit: Hit, layout: _Layout) -> ResultRow:
    collection = layout.collection
    snippets = tuple(
        Snippet(label=field.label, text=format_highlight(highlight))
        for name, highlight in hit.snippets.items()
        if name not in layout.meta_names and (field := collection.field(name)) and _is_telling(highlight)
    )
    return ResultRow(
        id=row_id(collection.id, hit.key),
        url=f"{layout.document_root}{quote_key(hit.key)}{layout.parameters}"
        if fits_path(hit.key)
        else document_url(collection.name, hit.key, layout.parameters),
        place=f"{collection.name}/{hit.key}",
        title=format_highlight(shorten_highlight(hit.title, TITLE_LENGTH)),
        meta=_meta(hit, layout),
        snippets=snippets,
        is_pinned=hit.is_pinned,
        explanation=_present_link(hit, layout.explanation_urls, layout) if layout.explanation_urls else None,
        edit=EditLink(*_key_urls(hit.key, layout.edit_urls, "")) if layout.edit_urls else None,
    )


_EXPLAIN, _EDIT = ("pages.explain", "htmx.explain"), ("editing.edit", "editing.edit_part")


def _urls(name: str, page: str, fragment: str) -> tuple[str, str]:
    any_key = "-"
    return address_of(page, name=name), address_of(fragment, name=name, key=any_key).removesuffix(any_key)


def _present_link(hit: Hit, urls: tuple[str, str], layout: _Layout) -> ExplanationLink:
    """Where it says why a hit is found."""
    url, fragment_url = _key_urls(hit.key, urls, layout.parameters)
    return ExplanationLink(id=f"why-{row_id(layout.collection.id, hit.key)}", url=url, fragment_url=fragment_url)


def _key_urls(key: str, urls: tuple[str, str], parameters: str) -> tuple[str, str]:
    """Page and fragment about a document; a fragment's address cannot hold every key in its path."""
    page_url, fragment_url = urls
    quoted = quote_key(key, "/:@,;")
    url = f"{page_url}?key={quoted}{parameters.replace('?', '&', 1)}"
    return url, f"{fragment_url}{quoted}{parameters}" if fits_path(key) else url


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
