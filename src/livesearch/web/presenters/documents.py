"""The page of one document."""

from dataclasses import fields

from flask import url_for

from livesearch.domain import Collection, Document, Field, Role, SearchQuery
from livesearch.web.contexts import DocumentFragment, DocumentPage, Property
from livesearch.web.parameters import canonical_parameters
from livesearch.web.presenters.formats import format_values, is_web_address, shorten

# Values that head a document without a name of its own: two tell most rows apart and fit one line.
_HEADING_LENGTH = 2


def document_url(name: str, key: str, parameters: str = "") -> str:
    """The page of a document, in whose path browsers would resolve a key with a segment ``.`` or ``..``.

    Args:
        parameters: A query string with its ``?``, or nothing.
    """
    if {".", ".."}.isdisjoint(key.split("/")):
        return url_for("pages.document", name=name, key=key) + parameters
    return url_for("pages.document_by_key", name=name, key=key) + parameters.replace("?", "&", 1)


def choose_headings(collection: Collection, document: Document) -> tuple[Field, ...]:
    """The fields whose values stand for a title where there is neither title nor key: a content hash says nothing."""
    if collection.key_field:
        return ()
    fields = collection.by_role(Role.TEXT) + collection.by_role(Role.FACET)
    return tuple(field for field in fields if format_values(document.get(field.name)))[:_HEADING_LENGTH]


def present_document(collection: Collection, key: str, document: Document, query: SearchQuery) -> DocumentFragment:
    """A document and the way back to the results it was found in.

    Args:
        collection: Where it is from.
        key: Its key.
        document: Its fields.
        query: The search that led here.
    """
    title = _choose_title(collection, key, document)
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


def _choose_title(collection: Collection, key: str, document: Document) -> str:
    titles = (text for field in collection.by_role(Role.TITLE) for text in format_values(document.get(field.name)))
    headings = (", ".join(format_values(document[f.name])) for f in choose_headings(collection, document))
    return next(titles, " · ".join(map(shorten, headings)) or key)
