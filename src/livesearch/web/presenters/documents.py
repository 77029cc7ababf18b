"""The page of one document."""

from dataclasses import fields

from flask import url_for

from livesearch.domain import Collection, Document, Role, SearchQuery
from livesearch.search.values import title_of
from livesearch.web.contexts import DocumentFragment, DocumentPage, Property
from livesearch.web.parameters import canonical_parameters
from livesearch.web.presenters.formats import format_values, is_web_address, shorten


def document_url(name: str, key: str, parameters: str = "") -> str:
    """The page of a document, in whose path browsers would resolve a key with a segment ``.`` or ``..``.

    Args:
        parameters: A query string with its ``?``, or nothing.
    """
    if {".", ".."}.isdisjoint(key.split("/")):
        return url_for("pages.document", name=name, key=key) + parameters
    return url_for("pages.document_by_key", name=name, key=key) + parameters.replace("?", "&", 1)


def present_document(collection: Collection, key: str, document: Document, query: SearchQuery) -> DocumentFragment:
    """A document and the way back to the results it was found in.

    Args:
        collection: Where it is from.
        key: Its key.
        document: Its fields.
        query: The search that led here.
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
        properties=properties,
        results_url=url_for("pages.search", name=collection.name) + canonical_parameters(query),
        results_label=f"Results for “{shorten(query.text.strip())}”" if query.text.strip() else collection.label,
    )


def present_document_page(fragment: DocumentFragment, collection: Collection, query: SearchQuery) -> DocumentPage:
    """The page around a document."""
    shared = {field.name: getattr(fragment, field.name) for field in fields(fragment)}
    return DocumentPage(
        **shared,
        collection_label=collection.label,
        search_url=url_for("pages.search", name=collection.name),
        placeholder=f"Search {collection.label}",
        text=query.text.strip(),
    )
