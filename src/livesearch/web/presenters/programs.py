"""JSON values for programs."""

from livesearch.domain import Collection, Document, Hit, ResultPage, Role
from livesearch.web.presenters.formats import format_highlight


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
        "hits": [_hit(hit, page.collection) for hit in page.hits],
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
        "took_ms": round(page.took_ms, 2),
        "version": page.version,
    }


def _hit(hit: Hit, collection: Collection) -> dict[str, object]:
    title_field = collection.title_field
    highlights = {name: str(format_highlight(highlight)) for name, highlight in hit.snippets.items()}
    if title_field is not None:
        highlights[title_field.name] = str(format_highlight(hit.title))
    return {
        "id": hit.key,
        "document": present_visible(collection, hit.document),
        "highlights": highlights,
        "score": hit.score,
    }


def present_visible(collection: Collection, document: Document) -> dict[str, object]:
    """A document without its hidden fields."""
    hidden = {field.name for field in collection.by_role(Role.HIDDEN)}
    return {name: value for name, value in document.items() if name not in hidden}
