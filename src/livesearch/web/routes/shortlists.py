"""What somebody keeps in mind: their shortlist, as a page, as a file, and behind a link.

Every change answers how many are kept, with the event ``shortlistUpdated``: what shows the list asks for it anew.
"""

from flask import Blueprint, Flask, Response, abort, current_app, g, make_response, request, url_for

from livesearch.domain import Place
from livesearch.errors import InvalidInputError
from livesearch.services.shortlisting import (
    USER_LIMIT,
    VISITOR_LIMIT,
    Change,
    Entries,
    adding,
    annotating,
    clearing,
    moving,
    removing,
)
from livesearch.web import visitor_shortlists
from livesearch.web.actors import current_actor, current_session, current_viewer
from livesearch.web.addresses import checked_next, go, local_path
from livesearch.web.audience import Audience, declare, open_to
from livesearch.web.contexts.shortlists import HeaderShortlist, ShortlistCountFragment, ShortlistPage
from livesearch.web.detection import htmx, respond
from livesearch.web.presenters.shortlists import (
    present_header_shortlist,
    present_shared,
    present_shortlist,
    shortlist_csv,
    shortlist_json,
)
from livesearch.web.registry import current_services
from livesearch.web.rendering import render
from livesearch.web.visitor_shortlists import change_of_visitor, entries_of_visitor, heal_cookie

blueprint = Blueprint("shortlist", __name__, url_prefix="/shortlist")
declare(blueprint, reading=Audience.SEARCHERS, changing=Audience.SEARCHERS)

_MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def init_app(app: Flask) -> None:
    """Have the header show what is kept. Call it after what finds out who asks."""
    visitor_shortlists.init_app(app)
    app.jinja_env.globals["current_shortlist"] = current_shortlist
    app.before_request(_load)


def current_shortlist() -> HeaderShortlist:
    """What is kept, for the page's header; nothing for visitors without a session, whose pages are all the same."""
    entries: Entries | None = g.get("shortlist")
    if entries is None:
        entries = () if current_session() else entries_of_visitor()
    return present_header_shortlist(entries)


def _load() -> None:
    """Read a user's list before the view where the answer has a header; templates cannot wait for it.

    Not a coroutine, as it is for users alone: under a plain WSGI server each one is a trip to another thread.
    """
    if current_session() is not None and not htmx.fragment and request.endpoint != "static":
        g.shortlist = current_app.ensure_sync(_entries)()


@blueprint.get("")
async def show() -> Response:
    """The list."""
    services, user = current_services(), current_actor().user
    found = await services.shortlists.show(await _entries(), current_viewer())
    token = await services.shortlists.share_token(user) if user else None
    share_url = url_for("shortlist.show_shared", token=token, _external=True) if token else ""
    shown = present_shortlist(found, can_share=user is not None, share_url=share_url)
    if htmx.fragment:
        return _own(render(shown))
    return _own(render(ShortlistPage(shown.status, shown.rows, shown.can_share, shown.share_url)))


@blueprint.get("/count")
async def count() -> Response:
    """How many are kept; a page has no use for it, and is led to the list."""
    if not htmx:
        return go(url_for("shortlist.show"))
    g.shortlist = await _entries()
    heal_cookie()
    return _own(render(ShortlistCountFragment()))


@blueprint.post("")
async def add() -> Response:
    """Keep a document, or keep it no longer: the button beside it says which."""
    if gone := request.form.get("remove"):
        return await _change(removing(_place(gone)))
    form = request.form
    return await _add(_place(form.get("add") or f"{form.get('collection', '')}/{form.get('key', '')}"))


@blueprint.post("/<name>/<path:key>")
async def put(name: str, key: str) -> Response:
    """Keep a document; DELETE at the same address undoes it."""
    return await _add(Place(name, key))


@blueprint.post("/change")
async def change() -> Response:
    """Move a document up or down, say something about it, or keep it no longer."""
    place, action = _place(request.form.get("document", "")), request.form.get("action")
    changes = {"up": moving(place, -1), "down": moving(place, 1), "remove": removing(place)}
    changes["note"] = annotating(place, request.form.get("note", ""))
    if action not in changes:
        raise InvalidInputError(f"An action is one of {', '.join(changes)}.")
    return await _change(changes[action])


@blueprint.delete("/<name>/<path:key>")
async def remove(name: str, key: str) -> Response:
    """Keep a document no longer."""
    return await _change(removing(Place(name, key)))


@blueprint.route("", methods=["DELETE"])
@blueprint.post("/clear")
async def clear() -> Response:
    """Keep nothing."""
    return await _change(clearing())


@blueprint.get("/export.<kind>")
async def export(kind: str) -> Response:
    """The list as a file."""
    if kind not in _MEDIA_TYPES:
        abort(404)
    found = await current_services().shortlists.show(await _entries(), current_viewer())
    root = request.host_url.rstrip("/")
    content = shortlist_csv(found, root) if kind == "csv" else shortlist_json(found, root)
    answer = _own(Response(content, content_type=_MEDIA_TYPES[kind]))
    answer.headers["Content-Disposition"] = f'attachment; filename="shortlist.{kind}"'
    return answer


@blueprint.post("/share")
@open_to(Audience.SIGNED_IN)
async def share() -> Response:
    """Make a link that shows the list to others."""
    services = current_services()
    await services.shortlists.share(services.policy.require_user(current_actor()))
    return await _changed()


@blueprint.post("/unshare")
@open_to(Audience.SIGNED_IN)
async def unshare() -> Response:
    """End the link."""
    services = current_services()
    await services.shortlists.unshare(services.policy.require_user(current_actor()))
    return await _changed()


@blueprint.get("/shared/<token>")
async def show_shared(token: str) -> Response:
    """Somebody's list, for whoever has the link."""
    services = current_services()
    shared = await services.shortlists.shared(token)
    answer = _own(render(present_shared(shared, await services.shortlists.show(shared.entries, current_viewer()))))
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


async def _entries() -> Entries:
    user = current_actor().user
    return entries_of_visitor() if user is None else await current_services().shortlists.entries_of(user)


async def _add(place: Place) -> Response:
    await current_services().shortlists.require_document(place, current_viewer())
    return await _change(adding(place, limit=VISITOR_LIMIT if current_actor().user is None else USER_LIMIT))


async def _change(change: Change) -> Response:
    user = current_actor().user
    if user is None:
        g.shortlist = change_of_visitor(change)
    else:
        g.shortlist = await current_services().shortlists.change(user, change)
    return await _changed()


async def _changed() -> Response:
    """Answer a change: for htmx how many there are, for a page where one was."""
    if not htmx:
        return go(checked_next(local_path(request.referrer) or url_for("shortlist.show")))
    if "shortlist" not in g:
        g.shortlist = await _entries()
    return _own(respond(render(ShortlistCountFragment()), trigger="shortlistUpdated"))


def _place(value: str) -> Place:
    """Which document a form means."""
    name, separator, key = value.partition("/")
    if not name or not separator or not key:
        raise InvalidInputError("Say which document: its collection and its key.")
    return Place(name, key)


def _own(body: str | Response) -> Response:
    answer = make_response(body)
    answer.headers["Cache-Control"] = "no-store"
    return answer
