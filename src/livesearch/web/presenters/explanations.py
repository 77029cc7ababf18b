"""Why a document stands where it does in a result, or why it is not there."""

from dataclasses import replace

from flask import url_for

from livesearch.domain import Collection, Explanation, ScorePart, SearchQuery
from livesearch.web.contexts import ExplanationBox, ExplanationLink, ScoreLine
from livesearch.web.parameters import canonical_parameters
from livesearch.web.presenters.addresses import address_with_key, fits_path, search_address
from livesearch.web.presenters.formats import format_count, format_summands

DEFAULT_ID = "why"
# What is so little that it would be shown as nothing.
_NOTHING = "0.00"


def present_explanation(
    collection: Collection, explanation: Explanation, query: SearchQuery, *, box_id: str = DEFAULT_ID
) -> ExplanationBox:
    """An explanation in words and numbers.

    Args:
        query: The search it is about.
        box_id: The id of what opens and closes it.
    """
    is_found = not explanation.reasons
    lines, score = _present_parts(explanation.parts)
    return ExplanationBox(
        id=box_id,
        question="Why this result?" if is_found else "Why is it not among the results?",
        is_open=not is_found,
        place=_describe_place(explanation, query) if is_found else "",
        place_url=_place_url(collection, explanation, query),
        notes=(*explanation.reasons, *(_describe_order(collection, explanation, query) if is_found else ())),
        lines=lines,
        score=score,
    )


def present_link(collection: Collection, key: str, query: SearchQuery) -> ExplanationLink:
    """Where it says what a search has to do with a document."""
    parameters = canonical_parameters(query)
    url = url_for("pages.explain", name=collection.name, key=key) + parameters.replace("?", "&", 1)
    part = address_with_key("htmx.explain", collection.name, key) + parameters if fits_path(key) else url
    return ExplanationLink(DEFAULT_ID, url, part)


def _present_parts(parts: tuple[ScorePart, ...]) -> tuple[tuple[ScoreLine, ...], str]:
    """The lines of a score, most first, and the score."""
    if not parts:
        return (), ""
    ordered = sorted(parts, key=lambda part: part.value, reverse=True)
    values, score = format_summands(part.value for part in ordered)
    most = ordered[0].value
    lines = tuple(
        ScoreLine(
            label=part.label[:1].upper() + part.label[1:],
            value=value,
            share=max(0, round(100 * part.value / most)) if most > 0 else 0,
        )
        for part, value in zip(ordered, values, strict=True)
        if value != _NOTHING
    )
    return lines, score


def _describe_place(explanation: Explanation, query: SearchQuery) -> str:
    if explanation.rank is None:
        return "Too far down for its place to be counted"
    page = _page_of(explanation.rank, query)
    place = f"Place {format_count(explanation.rank)}"
    return place if page == 1 else f"{place}, on page {format_count(page)}"


def _place_url(collection: Collection, explanation: Explanation, query: SearchQuery) -> str:
    if explanation.rank is None or (page := _page_of(explanation.rank, query)) == query.page:
        return ""
    return search_address(collection, replace(query, page=page))


def _page_of(rank: int, query: SearchQuery) -> int:
    return (rank - 1) // query.page_size + 1


def _describe_order(collection: Collection, explanation: Explanation, query: SearchQuery) -> tuple[str, ...]:
    """Say what decides on the place where that is not the score."""
    if explanation.is_pinned:
        return ("It is pinned to this place for this search.",)
    if query.sort:
        name = query.sort.removeprefix("-")
        field = collection.field(name)
        return (f"The results are sorted by {field.label if field else name}; nothing is scored.",)
    if not explanation.parts:
        return ("No words were looked for; nothing is scored.",)
    return ()
