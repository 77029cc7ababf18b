"""The dashboard and what stands on it: saved searches, and what is new in them."""

from urllib.parse import parse_qsl

from flask import Blueprint, Response, make_response, request, url_for
from werkzeug.datastructures import MultiDict

from livesearch.domain import DigestRhythm, SearchQuery, User
from livesearch.errors import InvalidInputError
from livesearch.web.actors import current_actor
from livesearch.web.addresses import go
from livesearch.web.audience import Audience, declare
from livesearch.web.contexts.saved_searches import SavedSearchesFragment, SaveSearchFragment
from livesearch.web.detection import htmx, respond
from livesearch.web.parameters import canonical_parameters, parse_query
from livesearch.web.presenters.saved_searches import present_dashboard, present_saved_search, present_saved_searches
from livesearch.web.registry import current_services
from livesearch.web.rendering import render
from livesearch.web.routes.activity import current_activity

blueprint = Blueprint("saved", __name__)
declare(blueprint, reading=Audience.SIGNED_IN, changing=Audience.SIGNED_IN)

_ID = "int(min=1, max=2147483647)"
# Tells the dashboard, wherever it is open, that it should ask anew.
_EVENT = "savedSearchesUpdated"


@blueprint.get("/dashboard")
async def dashboard() -> Response:
    """What is somebody's own."""
    shown = await _present()
    if htmx.fragment:
        return make_response(render(shown))
    return make_response(render(present_dashboard(_user(), shown, await current_activity())))


@blueprint.post("/saved-searches")
async def save() -> Response:
    """Save a search: a query string as ``search``, or its parameters as they stand in one."""
    query, collection = _search(), request.form.get("collection", "")
    saved = await current_services().saved_searches.save(_user(), collection, query, request.form.get("name", ""))
    if not htmx:
        return go(url_for("saved.dashboard"))
    form = SaveSearchFragment(saved.collection, canonical_parameters(query), saved.name)
    return respond(render(form), trigger=_EVENT)


@blueprint.get(f"/saved-searches/<{_ID}:search_id>")
async def show(search_id: int) -> Response:
    """What was new in a search when it was last opened."""
    saved, page = await current_services().saved_searches.fresh(_user(), search_id)
    return make_response(render(present_saved_search(saved, page)))


@blueprint.post(f"/saved-searches/<{_ID}:search_id>")
async def change(search_id: int) -> Response:
    """Open a search, which is to see what is new in it; take it as seen; call it otherwise; or forget it."""
    searches, action = current_services().saved_searches, request.form.get("action", "save")
    if action in {"open", "seen"}:
        await searches.mark_seen(_user(), search_id)
    elif action == "delete":
        await searches.delete(_user(), search_id)
    elif action == "save":
        await searches.change(_user(), search_id, name=request.form.get("name", ""), digest=_rhythm())
    else:
        raise InvalidInputError("An action is one of open, seen, save, delete.")
    return go(url_for("saved.show", search_id=search_id)) if action == "open" else await _changed()


@blueprint.delete(f"/saved-searches/<{_ID}:search_id>")
async def delete(search_id: int) -> Response:
    """Forget a search."""
    await current_services().saved_searches.delete(_user(), search_id)
    return await _changed()


@blueprint.post("/saved-searches/seen")
async def mark_all() -> Response:
    """Take all that is new as seen."""
    await current_services().saved_searches.mark_seen(_user())
    return await _changed()


async def _changed() -> Response:
    if not htmx:
        return go(url_for("saved.dashboard"))
    return make_response(render(await _present()))


async def _present() -> SavedSearchesFragment:
    services, user = current_services(), _user()
    can_be_written_to = services.digests.is_possible and user.email is not None
    return present_saved_searches(await services.saved_searches.overview(user), can_be_written_to=can_be_written_to)


def _user() -> User:
    return current_services().policy.require_user(current_actor())


def _rhythm() -> DigestRhythm | None:
    chosen = request.form.get("digest")
    try:
        return DigestRhythm(chosen) if chosen else None
    except ValueError as error:
        raise InvalidInputError(f"Mails come {', '.join(DigestRhythm)}.") from error


def _search() -> SearchQuery:
    if "search" not in request.form:
        return parse_query(request.form)
    pairs = parse_qsl(request.form["search"].removeprefix("?"), keep_blank_values=True)
    return parse_query(MultiDict(pairs))
