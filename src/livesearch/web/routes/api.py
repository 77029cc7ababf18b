"""JSON for programs. No cookie is read here, so no CSRF token is asked for."""

import orjson
from flask import Blueprint, Response, request

from livesearch.web.actors import current_viewer
from livesearch.web.audience import Audience, declare
from livesearch.web.bearer import visible
from livesearch.web.parameters import parse_sized_query
from livesearch.web.presenters.programs import (
    present_collection,
    present_documents,
    present_explanation,
    present_results,
    present_visible,
)
from livesearch.web.registry import current_services

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
declare(blueprint, reading=Audience.SEARCHERS)


@blueprint.get("/collections")
async def list_collections() -> Response:
    """Every collection."""
    collections = visible(await current_services().collections.list_all(current_viewer()))
    return _answer({"collections": [present_collection(collection) for collection in collections]})


@blueprint.get("/collections/<name>")
async def show_collection(name: str) -> Response:
    """One collection with its fields."""
    return _answer(present_collection(await current_services().collections.get(name, current_viewer())))


@blueprint.get("/collections/<name>/search")
async def search(name: str) -> Response:
    """The same search as the page's."""
    page = await current_services().search.search(name, parse_sized_query(request.args), viewer=current_viewer())
    return _answer(present_results(page))


@blueprint.get("/collections/<name>/explain/<path:key>")
async def explain(name: str, key: str) -> Response:
    """Why a document stands where it does in a result, or why it is not there."""
    query = parse_sized_query(request.args)
    explanation = await current_services().search.explain(name, query, key, viewer=current_viewer())
    return _answer(present_explanation(key, query, explanation))


@blueprint.get("/collections/<name>/documents")
async def list_documents(name: str) -> Response:
    """All documents, or those of a search, page by page."""
    page = await current_services().search.search(name, parse_sized_query(request.args), viewer=current_viewer())
    return _answer(present_documents(page))


@blueprint.get("/collections/<name>/documents/<path:key>")
async def show_document(name: str, key: str) -> Response:
    """One document."""
    collection, document = await current_services().documents.get(name, key, viewer=current_viewer())
    return _answer({"id": key, "collection": collection.name, "document": present_visible(collection, document)})


def _answer(content: dict[str, object]) -> Response:
    return Response(orjson.dumps(content), mimetype="application/json")
