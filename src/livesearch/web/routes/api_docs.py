"""What programs may ask: as an OpenAPI document for them, and as a page for people."""

import orjson
from flask import Blueprint, Response, current_app, make_response, request

from livesearch.domain import Scope
from livesearch.services.policy import VISITOR
from livesearch.web.audience import Audience, declare, declared_audience
from livesearch.web.openapi.building import build_document
from livesearch.web.openapi.operations import Operation
from livesearch.web.presenters.api_docs import present_api_docs
from livesearch.web.registry import current_services
from livesearch.web.rendering import render

blueprint = Blueprint("api_docs", __name__, url_prefix="/api")
# It tells what there is to ask, and nothing of what is answered.
declare(blueprint, reading=Audience.EVERYONE)


@blueprint.get("/openapi.json")
async def openapi() -> Response:
    """The OpenAPI document."""
    document = build_document(_scope_of, is_search_public=_is_search_public(), root=request.script_root)
    return Response(orjson.dumps(document), mimetype="application/json")


@blueprint.get("/docs")
async def docs() -> Response:
    """The page about it."""
    return make_response(render(present_api_docs(_scope_of, is_search_public=_is_search_public())))


def _scope_of(operation: Operation) -> Scope:
    audience = declared_audience(current_app, operation.endpoint, operation.method)
    return audience.value if audience and isinstance(audience.value, Scope) else Scope.SEARCH


def _is_search_public() -> bool:
    return current_services().policy.permits(VISITOR, Scope.SEARCH)
