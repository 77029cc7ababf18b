"""Fragments that only htmx asks for; everything else gets 400 (``failures`` guards the whole prefix)."""

from dataclasses import replace

from flask import Blueprint, Response, make_response, request

from livesearch.search.query import QUERY_LENGTH
from livesearch.web.actors import current_viewer
from livesearch.web.audience import Audience, declare
from livesearch.web.contexts import ExplanationFragment, FacetFragment
from livesearch.web.detection import htmx
from livesearch.web.parameters import parse_query, parse_shown
from livesearch.web.presenters.collections import present_suggestions
from livesearch.web.presenters.explanations import DEFAULT_ID, present_explanation
from livesearch.web.presenters.facets import VALUE_COUNT, present_facet
from livesearch.web.presenters.live import present_list_change
from livesearch.web.registry import current_services
from livesearch.web.rendering import render

# More would hide the results, which answer the same letters.
_SUGGESTION_COUNT = 6
# Of an answer to a poll without content: the version that the list is still true of.
VERSION_HEADER = "Livesearch-Version"

blueprint = Blueprint("htmx", __name__, url_prefix="/htmx")
declare(blueprint, reading=Audience.SEARCHERS)


@blueprint.get("/c/<name>/suggest")
async def suggest(name: str) -> str:
    """Options for the suggestion list."""
    # What is not searched is not completed, and would come back in every option.
    text = request.args.get("q", "")[:QUERY_LENGTH]
    suggestions = await current_services().suggestions.suggest(
        name, text, viewer=current_viewer(), limit=_SUGGESTION_COUNT
    )
    return render(present_suggestions(name, text, suggestions))


@blueprint.get("/c/<name>/facet/<path:field>")
async def facet(name: str, field: str) -> str:
    """All values of a facet, or those that hold a text."""
    query = parse_query(request.args)
    text = request.args.get("fq", "")
    collection = await current_services().collections.get(name, current_viewer())
    found = await current_services().search.facet_values(
        name, query, field, viewer=current_viewer(), contains=text, limit=VALUE_COUNT
    )
    return render(FacetFragment(present_facet(found, query, collection, {field: text}, is_open=True)))


@blueprint.get("/c/<name>/changes")
async def changes(name: str) -> Response:
    """What has become of a list since a version; nothing, 204, where it is what it was."""
    query, shown = parse_query(request.args), parse_shown(request.args)
    live, viewer = current_services().live, current_viewer()
    change = await live.changes(name, query, since=shown.version, total=shown.total, viewer=viewer)
    if change:
        return make_response(render(present_list_change(change, name, query)))
    # What it need not ask about again.
    return Response(status=204, headers={VERSION_HEADER: str(change.version)})


@blueprint.get("/c/<name>/explain/<path:key>")
async def explain(name: str, key: str) -> str:
    """Why a document stands where it does in a result, in place of the link that asks."""
    query = parse_query(request.args)
    collection = await current_services().collections.get(name, current_viewer())
    explanation = await current_services().search.explain(name, query, key, viewer=current_viewer())
    box = present_explanation(collection, explanation, query, box_id=htmx.trigger or DEFAULT_ID)
    return render(ExplanationFragment(replace(box, is_open=True)))
