"""Whether the process is alive, and whether it can answer searches."""

import orjson
from flask import Blueprint, Response

from livesearch.web.registry import current_services

blueprint = Blueprint("health", __name__)

PATHS = frozenset({"/healthz", "/readyz"})


@blueprint.get("/healthz")
async def live() -> Response:
    """Alive: the loop answers."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
async def ready() -> Response:
    """Ready: the store answers and its schema is current; otherwise 503 with what is wrong."""
    readiness = await current_services().health.check()
    content = {"ready": readiness.is_ready, "problems": list(readiness.problems)}
    return Response(orjson.dumps(content), 200 if readiness.is_ready else 503, mimetype="application/json")
