"""What kind of answer an HTMX request wants, and the headers that steer it.

htmx 4 sends ``HX-Source`` and ``HX-Request-Type`` where htmx 2 sent ``HX-Trigger``; Flask-HTMX 0.4.0 knows only the
latter, refuses morph swaps and sends ``"True"`` for a flag. This module is the only place that mends that.
"""

from typing import Any
from urllib.parse import quote, unquote

from flask import Flask, Response, request
from flask_htmx import HTMX, make_response

# Header values travel as latin-1 and anything else drops the connection: URLs are percent-encoded, save for these.
_URL_CHARACTERS = "/:?&=#%+,;@!~*'()[]"
VARY = ("HX-Request", "HX-Request-Type")
_VARY = ", ".join(VARY)


class Htmx(HTMX):  # type: ignore[misc]  # Flask-HTMX ships no types
    """Flask-HTMX for htmx 4."""

    def __bool__(self) -> bool:
        """Whether htmx made the request; answer it with a part of a page only where ``fragment`` says so."""
        return bool(request.environ.get("HTTP_HX_REQUEST") == "true")

    @property
    def trigger(self) -> str | None:
        """The id of the element that made the request."""
        return _element_id(request.headers.get("HX-Source") or request.headers.get("HX-Trigger"))

    @property
    def target(self) -> str | None:
        """The id of the element the answer goes to."""
        return _element_id(request.headers.get("HX-Target"))

    @property
    def fragment(self) -> bool:
        """Whether a part of a page is wanted: not boosted, not a history restore, not a whole page."""
        # Asked several times a request: as WSGI has it, Werkzeug's headers take ten times as long.
        sent = request.environ
        return bool(
            sent.get("HTTP_HX_REQUEST") == "true"
            and sent.get("HTTP_HX_BOOSTED") != "true"
            and sent.get("HTTP_HX_HISTORY_RESTORE_REQUEST") != "true"
            and sent.get("HTTP_HX_REQUEST_TYPE", "partial") == "partial"
        )


htmx = Htmx()


def init_app(app: Flask) -> None:
    """Attach the detection to an application and make every dynamic answer vary by it."""
    htmx.init_app(app)
    app.after_request(_vary)


def respond(
    *answer: Any,  # Any: whatever flask.make_response takes
    retarget: str | None = None,
    reswap: str | None = None,
    reselect: str | None = None,
    push_url: str | bool | None = None,
    replace_url: str | bool | None = None,
    redirect: str | None = None,
    trigger: str | dict[str, object] | None = None,
) -> Response:
    """Make an answer that steers htmx.

    Args:
        answer: A body, or body and status.
        retarget: Selector of the element to change instead.
        reswap: Any swap of htmx 4, morphs included.
        reselect: Selector of the part to take; ``*`` undoes an ``hx-select`` on the element.
        push_url: URL for a new history entry; False for none, whatever the element says.
        replace_url: URL for the current history entry; likewise.
        redirect: URL of the page to go to.
        trigger: Events to fire after the swap.
    """
    made: Response = make_response(
        *answer,
        retarget=retarget,
        push_url=_header_url(push_url),
        replace_url=_header_url(replace_url),
        redirect=_header_url(redirect),
        trigger=trigger,
    )
    for header, value in (("HX-Reswap", reswap), ("HX-Reselect", reselect)):
        if value:
            made.headers[header] = value
    return made


def _element_id(identifier: str | None) -> str | None:
    """Read ``input#q`` (htmx 4) or ``q`` (htmx 2) as ``q``; a bare tag has no id."""
    if not identifier:
        return None
    _tag, has_id, element_id = identifier.partition("#")
    if has_id:
        return unquote(element_id)
    return None if "HX-Source" in request.headers else identifier


def _header_url(url: str | bool | None) -> str | bool | None:
    if url is True:
        return "true"
    return quote(url, safe=_URL_CHARACTERS) if isinstance(url, str) else url


def _vary(response: Response) -> Response:
    # Without it, Back shows a naked fragment from the browser's cache. Static files answer everybody alike.
    if request.endpoint != "static":
        # Not `in`: Werkzeug makes an error of what is not there, which takes longer than all hooks together.
        if response.headers.getlist("Vary"):
            response.vary.update(VARY)
        else:  # nearly always, and 20 µs sooner
            response.headers.add("Vary", _VARY)
    return response
