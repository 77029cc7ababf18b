"""Addresses that come again and again on a page: Werkzeug's builder takes 30 µs for each, and a page has fifty."""

from functools import lru_cache
from urllib.parse import quote

from flask import request, url_for

from livesearch.domain import Collection, SearchQuery
from livesearch.web.parameters import canonical_parameters

# What Werkzeug leaves as it is in a path.
_PATH_CHARACTERS = "!$&'()*+,/:;=@"
_ANY_KEY = "-"


def address_of(endpoint: str, **values: str) -> str:
    """What ``url_for`` says. For endpoints and values that are few: names of collections and of their fields."""
    return _built(request.script_root, endpoint, **values)


@lru_cache(maxsize=2048)
def _built(_script_root: str, endpoint: str, **values: str) -> str:
    """The address in the request that is being answered; of all that it says, only the root is part of it."""
    return url_for(endpoint, **values)  # type: ignore[arg-type]  # none is named like an option of Flask's


def search_address(collection: Collection, query: SearchQuery) -> str:
    """The page of a search."""
    return address_of("pages.search", name=collection.name) + canonical_parameters(query)


@lru_cache(maxsize=4096)
def quote_key(key: str, safe: str = _PATH_CHARACTERS) -> str:
    """A document's key as it stands in an address; the same documents are shown again with every letter typed."""
    return quote(key, safe=safe)


def address_with_key(endpoint: str, name: str, key: str) -> str:
    """What ``url_for`` says of an endpoint whose path ends with a document's key, any but those of ``.`` and ``..``."""
    return address_of(endpoint, name=name, key=_ANY_KEY).removesuffix(_ANY_KEY) + quote_key(key)


def fits_path(key: str) -> bool:
    """Whether browsers leave a key as it is that stands in the path of a URL."""
    return {".", ".."}.isdisjoint(key.split("/"))


def document_url(name: str, key: str, parameters: str = "") -> str:
    """The page of a document, in whose path browsers would resolve a key with a segment ``.`` or ``..``.

    Args:
        parameters: A query string with its ``?``, or nothing.
    """
    if fits_path(key):
        return address_with_key("pages.document", name, key) + parameters
    return url_for("pages.document_by_key", name=name, key=key) + parameters.replace("?", "&", 1)
