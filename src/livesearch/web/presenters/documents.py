"""The page of one document."""

from dataclasses import fields, replace

from livesearch.domain import Collection, Document, Explanation, Role, SearchQuery
from livesearch.search.values import title_of
from livesearch.web.contexts import DocumentEditing, DocumentFragment, DocumentPage, ExplanationPage, Property
from livesearch.web.parameters import canonical_parameters
from livesearch.web.presenters.addresses import document_url, search_address
from livesearch.web.presenters.explanations import present_explanation, present_link
from livesearch.web.presenters.formats import format_values, is_web_address, shorten


def present_document(
    collection: Collection,
    key: str,
    document: Document,
    query: SearchQuery,
    *,
    editing: DocumentEditing | None = None,
    is_fragment: bool = False,
) -> DocumentFragment:
    """A document and the way back to the results it was found in.

    Args:
        collection: Where it is from.
        key: Its key.
        document: Its fields.
        query: The search that led here.
        editing: What can be done with it; None for those who may not.
        is_fragment: Whether htmx exchanges it in place.
    """
    title = title_of(document, collection, key)
    properties = tuple(
        Property(
            label=field.label,
            values=tuple(text for text in texts if not is_web_address(text)),
            links=tuple(text for text in texts if is_web_address(text)),
        )
        for field in collection.fields
        if field.role is not Role.HIDDEN and (texts := format_values(document.get(field.name))) and texts != (title,)
    )
    return DocumentFragment(
        title=title,
        place=f"{collection.name}/{key}",
        properties=properties,
        results_url=search_address(collection, query),
        results_label=describe_results(collection, query),
        explanation=present_link(collection, key, query) if query.is_narrowed else None,
        editing=editing,
        is_fragment=is_fragment,
    )


def describe_results(collection: Collection, query: SearchQuery) -> str:
    """Name the results that a search leads to, for the link back to them."""
    return f"Results for “{shorten(query.text.strip())}”" if query.text.strip() else collection.label


def present_explanation_page(
    collection: Collection, key: str, document: Document, query: SearchQuery, explanation: Explanation
) -> ExplanationPage:
    """The page of an explanation, with the ways to the document and back to the results."""
    parameters = canonical_parameters(query)
    return ExplanationPage(
        explanation=replace(present_explanation(collection, explanation, query), is_open=True),
        title=title_of(document, collection, key),
        document_url=document_url(collection.name, key, parameters),
        results_url=search_address(collection, query),
        results_label=describe_results(collection, query),
        collection_label=collection.label,
        search_url=search_address(collection, SearchQuery()),
        placeholder=f"Search {collection.label}",
        text=query.text.strip(),
    )


def present_document_page(fragment: DocumentFragment, collection: Collection, query: SearchQuery) -> DocumentPage:
    """The page around a document."""
    shared = {field.name: getattr(fragment, field.name) for field in fields(fragment)}
    return DocumentPage(
        **shared,
        collection_label=collection.label,
        search_url=search_address(collection, SearchQuery()),
        placeholder=f"Search {collection.label}",
        text=query.text.strip(),
    )
