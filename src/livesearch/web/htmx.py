"""Fragments that only htmx asks for; everything else gets 400 (``failures`` guards the whole prefix)."""

from flask import Blueprint, request

from livesearch.search.query import QUERY_LENGTH
from livesearch.web.contexts import FacetFragment
from livesearch.web.parameters import parse_query
from livesearch.web.presenters.collections import present_suggestions
from livesearch.web.presenters.facets import VALUE_COUNT, present_facet
from livesearch.web.registry import current_services
from livesearch.web.rendering import render

# More would hide the results, which answer the same letters.
_SUGGESTION_COUNT = 6

blueprint = Blueprint("htmx", __name__, url_prefix="/htmx")


@blueprint.get("/c/<name>/suggest")
async def suggest(name: str) -> str:
    """Options for the suggestion list."""
    # What is not searched is not completed, and would come back in every option.
    text = request.args.get("q", "")[:QUERY_LENGTH]
    suggestions = await current_services().suggestions.suggest(name, text, limit=_SUGGESTION_COUNT)
    return render(present_suggestions(name, text, suggestions))


@blueprint.get("/c/<name>/facet/<path:field>")
async def facet(name: str, field: str) -> str:
    """All values of a facet, or those that hold a text."""
    query = parse_query(request.args)
    text = request.args.get("fq", "")
    collection = await current_services().collections.get(name)
    found = await current_services().search.facet_values(name, query, field, contains=text, limit=VALUE_COUNT)
    return render(FacetFragment(present_facet(found, query, collection, {field: text}, is_open=True)))
