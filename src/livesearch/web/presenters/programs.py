"""JSON values for programs."""

from collections.abc import Sequence

from livesearch.domain import (
    Collection,
    Document,
    Explanation,
    Field,
    FieldType,
    Hit,
    RangeFacet,
    ResultPage,
    Role,
    ScorePart,
    SearchQuery,
)
from livesearch.web.presenters.formats import format_highlight

# Floats are exact to the one up to here.
_EXACT = 2**53


def present_collection(collection: Collection) -> dict[str, object]:
    """A collection with its fields, hidden ones left out."""
    return {
        "name": collection.name,
        "label": collection.label,
        "document_count": collection.document_count,
        "version": collection.version,
        "key_field": collection.key_field,
        "fields": [
            {"name": field.name, "label": field.label, "type": field.type, "role": field.role}
            for field in collection.fields
            if field.role is not Role.HIDDEN
        ],
    }


def present_results(page: ResultPage) -> dict[str, object]:
    """A page of results, as the search API and `livesearch search --json` give it."""
    return {
        "query": page.query.text,
        "corrected_query": page.corrected_query,
        "hits": [_hit(hit, page.collection, is_explained=page.query.is_explained) for hit in page.hits],
        "total": page.total,
        "total_is_exact": page.total_is_exact,
        "page": page.query.page,
        "page_size": page.query.page_size,
        "facets": {
            facet.field.name: [
                {"value": value.value, "count": value.count, "selected": value.is_selected} for value in facet.values
            ]
            for facet in page.facets
        },
        "facet_totals": {
            facet.field.name: {
                "value_count": facet.value_count,
                "value_count_is_exact": facet.is_exact,
                "counts_are_exact": facet.counts_are_exact,
            }
            for facet in page.facets
        },
        "ranges": {facet.field.name: _range(facet) for facet in page.ranges},
        "notices": page.notices,
        "next_cursor": page.next_cursor,
        "took_ms": round(page.took_ms, 2),
        "version": page.version,
    }


def present_documents(page: ResultPage) -> dict[str, object]:
    """The documents of a page of results, and where to go on."""
    return {
        "documents": [{"id": hit.key, "document": present_visible(page.collection, hit.document)} for hit in page.hits],
        "total": page.total,
        "next_cursor": page.next_cursor,
        "version": page.version,
    }


def _range(facet: RangeFacet) -> dict[str, object]:
    field = facet.field
    return {
        "minimum": _end(facet.minimum, field),
        "maximum": _end(facet.maximum, field),
        "histogram": [
            {"minimum": _end(bin_.minimum, field), "maximum": _end(bin_.maximum, field), "count": bin_.count}
            for bin_ in facet.histogram
        ],
    }


def _end(text: str, field: Field) -> float | str | None:
    """An end of a range: a number, a date in ISO 8601; None where there is none."""
    if not text or field.type is FieldType.DATE:
        return text or None
    number = float(text)
    # Past that a float is not exact to the one, and JSON's integers end soon.
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _hit(hit: Hit, collection: Collection, *, is_explained: bool) -> dict[str, object]:
    title_field = collection.title_field
    highlights = {name: str(format_highlight(highlight)) for name, highlight in hit.snippets.items()}
    if title_field is not None:
        highlights[title_field.name] = str(format_highlight(hit.title))
    return {
        "id": hit.key,
        "document": present_visible(collection, hit.document),
        "highlights": highlights,
        "score": hit.score,
    } | ({"explanation": present_parts(hit.parts)} if is_explained else {})


def present_parts(parts: Sequence[ScorePart]) -> list[dict[str, object]]:
    """What a score is made of; the values sum to it."""
    return [{"label": part.label, "value": part.value} for part in parts]


def present_explanation(key: str, query: SearchQuery, explanation: Explanation) -> dict[str, object]:
    """Why a document stands where it does in a result, or why it is not there."""
    return {
        "id": key,
        "query": query.text,
        "is_found": not explanation.reasons,
        "rank": explanation.rank,
        "is_pinned": explanation.is_pinned,
        "score": float(explanation.score),
        "explanation": present_parts(explanation.parts),
        "reasons": explanation.reasons,
    }


def present_visible(collection: Collection, document: Document) -> dict[str, object]:
    """A document without its hidden fields."""
    hidden = {field.name for field in collection.by_role(Role.HIDDEN)}
    return {name: value for name, value in document.items() if name not in hidden}
