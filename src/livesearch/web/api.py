"""JSON for programs. No cookie is read here, so no CSRF token is asked for."""

import orjson
from flask import Blueprint, Response, request

from livesearch.web.parameters import parse_sized_query
from livesearch.web.presenters.programs import present_collection, present_results, present_visible
from livesearch.web.registry import current_services

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")


@blueprint.get("/collections")
async def list_collections() -> Response:
    """Every collection."""
    collections = await current_services().collections.list_all()
    return _answer({"collections": [present_collection(collection) for collection in collections]})


@blueprint.get("/collections/<name>")
async def show_collection(name: str) -> Response:
    """One collection with its fields."""
    return _answer(present_collection(await current_services().collections.get(name)))


@blueprint.get("/collections/<name>/search")
async def search(name: str) -> Response:
    """The same search as the page's."""
    page = await current_services().search.search(name, parse_sized_query(request.args))
    return _answer(present_results(page))


@blueprint.get("/collections/<name>/documents/<path:key>")
async def show_document(name: str, key: str) -> Response:
    """One document."""
    collection, document = await current_services().documents.get(name, key)
    return _answer({"id": key, "collection": collection.name, "document": present_visible(collection, document)})


def _answer(content: dict[str, object]) -> Response:
    return Response(orjson.dumps(content), mimetype="application/json")
