"""CSRF tokens for everything that takes a cookie."""

from flask import Flask, current_app, request, session
from flask_wtf.csrf import CSRFProtect, generate_csrf

from livesearch.web import api

protection = CSRFProtect()


def init_app(app: Flask) -> None:
    """Refuse unsafe requests without a token, except by programs."""
    # A page may stay open for days; the token dies with the session, not before.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    protection.init_app(app)
    protection.exempt(api.blueprint)
    app.jinja_env.globals["meta_csrf_token"] = meta_csrf_token


def meta_csrf_token() -> str:
    """The token for the page's ``<meta>``, which kit.js adds to unsafe requests; empty for visitors without a session.

    Making a token writes the session. A visitor who only searches has none and must get none: their pages set no cookie
    and stay cacheable. The first page that needs a form makes the session, and from then on the token is here.
    """
    # The cookie first: to look into the session makes the answer vary by it. A forged or old one leaves it empty.
    has_session = current_app.config["SESSION_COOKIE_NAME"] in request.cookies and bool(session)
    return str(generate_csrf()) if has_session else ""
