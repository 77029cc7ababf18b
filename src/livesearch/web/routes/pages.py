"""Whole pages; the dual ones answer htmx with the part that changes."""

from dataclasses import replace

from flask import Blueprint, Response, make_response, request, url_for

from livesearch.domain import ResultPage, SearchQuery
from livesearch.web.actors import current_viewer
from livesearch.web.audience import Audience, declare
from livesearch.web.contexts import ExplanationFragment
from livesearch.web.detection import htmx, respond
from livesearch.web.editors import document_editing, results_editing
from livesearch.web.parameters import Expansions, canonical_parameters, parse_expansions, parse_query
from livesearch.web.presenters.addresses import search_address
from livesearch.web.presenters.collections import (
    present_collections,
    present_collections_page,
    present_findings,
)
from livesearch.web.presenters.documents import (
    present_document,
    present_document_page,
    present_explanation_page,
)
from livesearch.web.presenters.explanations import DEFAULT_ID, present_explanation
from livesearch.web.presenters.facets import VALUE_COUNT
from livesearch.web.presenters.results import present_fragment, present_page
from livesearch.web.registry import current_services
from livesearch.web.rendering import render

blueprint = Blueprint("pages", __name__)
declare(blueprint, reading=Audience.SEARCHERS)


@blueprint.get("/")
async def home() -> Response:
    """The only collection's page, or all collections with one search box over them."""
    collections = await current_services().collections.list_all(current_viewer())
    if len(collections) == 1:
        return await search(collections[0].name)
    text = request.args.get("q", "").strip()
    if text:
        found = await current_services().search.search_all(text, viewer=current_viewer())
        fragment = present_findings(text, found, is_fragment=htmx.fragment)
    else:
        fragment = present_collections(collections, is_fragment=htmx.fragment)
    if htmx.fragment:
        url = url_for("pages.home") + canonical_parameters(SearchQuery(text=text))
        return respond(render(fragment), replace_url=url)
    return make_response(render(present_collections_page(fragment)))


@blueprint.get("/c/<name>")
async def search(name: str) -> Response:
    """The live-search page of a collection."""
    query, expansions = parse_query(request.args), parse_expansions(request.args)
    page = await _find(name, query, expansions)
    editing = results_editing(page)
    if htmx.fragment:
        url = search_address(page.collection, query)
        return respond(render(present_fragment(page, expansions, editing=editing)), replace_url=url)
    return make_response(render(present_page(page, expansions, editing)))


@blueprint.get("/c/<name>/doc")
async def document_by_key(name: str) -> Response:
    """One document whose key cannot stand in a path, as browsers take ``.`` and ``..`` out of it."""
    return await document(name, request.args.get("key", ""))


@blueprint.get("/c/<name>/doc/<path:key>")
async def document(name: str, key: str) -> Response:
    """One document."""
    query = parse_query(request.args)
    collection, found = await current_services().documents.get(name, key, viewer=current_viewer())
    editing, is_fragment = await document_editing(collection, key), htmx.fragment
    fragment = present_document(collection, key, found, query, editing=editing, is_fragment=is_fragment)
    if is_fragment:
        return make_response(render(fragment))
    return make_response(render(present_document_page(fragment, collection, query)))


@blueprint.get("/c/<name>/explain")
async def explain(name: str) -> Response:
    """Why a document stands where it does in a result, or why it is not there."""
    query, key = parse_query(request.args), request.args.get("key", "")
    collection, found = await current_services().documents.get(name, key, viewer=current_viewer())
    explanation = await current_services().search.explain(name, query, key, viewer=current_viewer())
    if htmx.fragment:
        box = present_explanation(collection, explanation, query, box_id=htmx.trigger or DEFAULT_ID)
        return make_response(render(ExplanationFragment(replace(box, is_open=True))))
    return make_response(render(present_explanation_page(collection, key, found, query, explanation)))


async def _find(name: str, query: SearchQuery, expansions: Expansions) -> ResultPage:
    """Search, and show the facets whole that are asked for."""
    search_service, viewer = current_services().search, current_viewer()
    page = await search_service.search(name, query, viewer=viewer)
    whole = {
        field: await search_service.facet_values(name, query, field, viewer=viewer, contains=text, limit=VALUE_COUNT)
        for field, text in expansions.items()
    }
    return replace(page, facets=tuple(whole.get(facet.field.name, facet) for facet in page.facets))
