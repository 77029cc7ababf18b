"""Whether the process is alive, and whether it can answer searches."""

import orjson
from flask import Blueprint, Flask, Response, current_app

from livesearch.web.audience import Audience, declare
from livesearch.web.registry import current_services

blueprint = Blueprint("health", __name__)
declare(blueprint, reading=Audience.EVERYONE)

PATHS = frozenset({"/healthz", "/readyz"})

_STOPPING = "livesearch.is_stopping"


def begin_stopping(app: Flask) -> None:
    """Be ready no more: requests are still answered, but new ones should go elsewhere."""
    app.extensions[_STOPPING] = True


@blueprint.get("/healthz")
async def live() -> Response:
    """Alive: the loop answers."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
async def ready() -> Response:
    """Ready: the store answers and its schema is current; otherwise 503 with what is wrong."""
    if _STOPPING in current_app.extensions:
        problems: tuple[str, ...] = ("This process is about to stop.",)
    else:
        problems = (await current_services().health.check()).problems
    content = {"ready": not problems, "problems": problems}
    return Response(orjson.dumps(content), 503 if problems else 200, mimetype="application/json")
