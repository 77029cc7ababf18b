"""The end of digests, by the link in a mail: with a click by mail programs (RFC 8058), with two by people.

The link's secret is all that is needed, and all that it does is end mails: there is no cookie, and no CSRF token.
"""

from flask import Blueprint, Response, make_response, request

from livesearch.web.audience import Audience, declare
from livesearch.web.contexts.saved_searches import UnsubscribePage
from livesearch.web.registry import current_services
from livesearch.web.rendering import render

blueprint = Blueprint("unsubscribing", __name__, url_prefix="/unsubscribe")
declare(blueprint, reading=Audience.EVERYONE, changing=Audience.EVERYONE)


@blueprint.get("/<token>")
async def ask(token: str) -> Response:
    """Ask what is to end: programs that look at links must end nothing."""
    stop = await current_services().digests.require_stop(token)
    return _show(UnsubscribePage(stop.name, is_done=False, is_all=False))


@blueprint.post("/<token>")
async def stop(token: str) -> Response:
    """End mails about one saved search, or all, which is what mail programs mean."""
    is_all = request.form.get("only") != "this"
    stopped = await current_services().digests.stop(token, is_all=is_all)
    return _show(UnsubscribePage(stopped.name, is_done=True, is_all=is_all))


def _show(page: UnsubscribePage) -> Response:
    answer = make_response(render(page))
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer
