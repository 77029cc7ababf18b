"""CSRF tokens for everything that takes a cookie."""

from flask import Flask, Response, request, session
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf

from livesearch.web.audience import SAFE_METHODS, Audience, open_to
from livesearch.web.cookies import has_session_cookie
from livesearch.web.expiry import is_from_here
from livesearch.web.routes import api, api_documents, api_tuning, unsubscribing

protection = CSRFProtect()


def init_app(app: Flask) -> None:
    """Refuse unsafe requests without a token, except by programs."""
    # A page may stay open for days; the token dies with the session, not before.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    # Flask-WTF's own hook would look for exempted views before it sees that nothing changes: ours asks it.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.before_request(_protect)
    protection.init_app(app)
    for programs in (api, api_documents, api_tuning):
        protection.exempt(programs.blueprint)
    # Mail programs send this one (RFC 8058): a secret of its own stands in its address, and it reads no cookie.
    protection.exempt(unsubscribing.blueprint)
    app.jinja_env.globals["meta_csrf_token"] = meta_csrf_token
    app.add_url_rule("/htmx/csrf", "csrf_token", send_token, methods=["GET"])


def meta_csrf_token() -> str:
    """The token for the page's ``<meta>``, which kit.js adds to unsafe requests; empty for visitors without a session.

    Making a token writes the session. A visitor who only searches has none and must get none: their pages set no cookie
    and stay cacheable. The first page that needs a form makes the session, and from then on the token is here.
    """
    # The cookie first: to look into the session makes the answer vary by it. A forged or old one leaves it empty.
    return str(generate_csrf()) if has_session_cookie() and session else ""


@open_to(Audience.EVERYONE)
def send_token() -> Response:
    """The token alone, as plain text, for a page that came without one; kit.js asks just before it needs it."""
    return Response(str(generate_csrf()), mimetype="text/plain", headers={"Cache-Control": "no-store"})


def _protect() -> None:
    """Refuse what another site made the browser send.

    The browser says so, whatever token is with it (OWASP, Fetch Metadata); and without a token, nothing is believed.
    """
    if request.method in SAFE_METHODS:
        return
    if "Sec-Fetch-Site" in request.headers and not is_from_here() and request.endpoint:
        raise CSRFError("Another site sent this.")
    protection.protect(apply_exemptions=True)
