"""Forms whose CSRF token is missing or of an ended session: what was typed is not lost.

A page for visitors holds no token, so that caches can keep it. Without JavaScript, its first form comes here too, and
is sent again with a click.
"""

from urllib.parse import urlsplit

from flask import Response, make_response, request, url_for
from flask_wtf.csrf import generate_csrf

from livesearch.web.addresses import local_path, this_address
from livesearch.web.contexts.accounts import ExpiredPage
from livesearch.web.detection import htmx
from livesearch.web.rendering import render

# Characters of all fields together: what people type, not what they upload.
_LONGEST_FORM = 100_000
_TOKEN_FIELD = "csrf_token"  # noqa: S105  # the name of a field


def is_from_here() -> bool:
    """Whether a page of this site sent the request, or a person by hand, as far as the browser says."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    return urlsplit(request.headers.get("Origin") or request.referrer or "").netloc == request.host


def answer_expired(answer: Response) -> Response:
    """Add to the answer what lets the form be sent again: for htmx a new token, for a page the form itself."""
    if htmx:
        answer.headers["HX-Trigger"] = "csrfExpired"
        return answer
    # A form that another site sent is no one's wish; and a session made for it would take the place of the real one.
    if not is_from_here():
        return make_response(
            render(ExpiredPage(request.path, (), "", can_send=False, reload_url=url_for("pages.home"))),
            answer.status_code,
        )
    typed = tuple(
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != _TOKEN_FIELD and "password" not in name
    )
    can_send = request.method == "POST" and not request.files and sum(len(value) for _, value in typed) < _LONGEST_FORM
    token = str(generate_csrf()) if can_send else ""
    reload_url = local_path(request.referrer) or url_for("pages.home")
    return make_response(render(ExpiredPage(this_address(), typed, token, can_send, reload_url)), answer.status_code)
