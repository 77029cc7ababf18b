"""Who is signed in: the session is looked up before the view, and only where a cookie says that there is one.

Flask-Login loads its user synchronously. What it loads is here already: no template and no view waits for the store.
"""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, current_app, request, session
from flask_login import LoginManager, UserMixin, login_user

from livesearch.domain import UserSession
from livesearch.services.sessions import LONGEST_SECONDS
from livesearch.web.actors import current_session, set_actor, set_session
from livesearch.web.addresses import is_api
from livesearch.web.bearer import identify_program
from livesearch.web.contexts.accounts import HeaderAccount
from livesearch.web.cookies import has_session_cookie
from livesearch.web.presenters.accounts import present_header_account
from livesearch.web.registry import current_services

# Where Flask-Login keeps what `get_id` gives: here the secret of the session, not the number of the user.
_SECRET = "_user_id"  # noqa: S105  # the name of a key


class SignedIn(UserMixin):  # type: ignore[misc]  # Flask-Login ships no types
    """A signed-in user, as Flask-Login knows them."""

    def __init__(self, secret: str, user_session: UserSession | None = None) -> None:
        self.secret = secret
        self.user_session = user_session

    def get_id(self) -> str:
        """The session's secret: with it, not with a number, the next request proves who sends it."""
        return self.secret


class QuietLoginManager(LoginManager):  # type: ignore[misc]  # Flask-Login ships no types
    """Flask-Login without its remember-me cookie: our sessions last by themselves.

    To look for that cookie it reads the session after every request, and to read the session makes an answer vary by
    cookie: no cache could keep a page for visitors.
    """

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


def init_app(app: Flask) -> None:
    """Find out who makes each request of an application. Call it after CSRF protection."""
    app.config["PERMANENT_SESSION_LIFETIME"] = int(LONGEST_SECONDS)
    manager = QuietLoginManager()
    # Bound to address and browser, as Flask-Login offers it, a session ends when a telephone changes networks.
    manager.session_protection = None
    # A context processor would load the user for every template.
    manager.init_app(app, add_context_processor=False)
    manager.user_loader(_loaded_user)
    app.jinja_env.globals["current_account"] = current_account
    app.before_request(_identify)
    app.after_request(_keep_private)


def current_account() -> HeaderAccount | None:
    """Who is signed in, for the header of the page; None for visitors, whose pages are all the same."""
    found = current_session()
    return None if found is None else present_header_account(found.user)


def begin_session(secret: str) -> None:
    """Let the browser keep a session from now on; nothing of what it had stays."""
    session.clear()
    session.permanent = True
    login_user(SignedIn(secret))


def end_session() -> None:
    """Take the session from the browser."""
    session.clear()
    set_session(None)


def current_secret() -> str | None:
    """The secret of the browser's session, ended or not."""
    return secret_of(session) if has_session_cookie() else None


def secret_of(content: Mapping[str, Any]) -> str | None:  # Any: what a session holds
    """The secret that the content of a cookie holds."""
    secret = content.get(_SECRET)
    return secret if isinstance(secret, str) else None


def _identify() -> None:
    if is_api():
        if request.endpoint is not None:
            set_actor(current_app.ensure_sync(identify_program)())
    elif not has_session_cookie():
        return  # as most visitors, which is seen sooner than the rest
    elif request.endpoint != "static" and request.blueprint != "health" and current_secret() is not None:
        current_app.ensure_sync(_find_user)()


async def _find_user() -> None:
    secret = current_secret()
    found = None if secret is None else await current_services().sessions.find(secret)
    set_session(found)
    if found is None:
        # The rest stays: a form of the page that was open is then refused for this reason alone.
        session.pop(_SECRET, None)


def _loaded_user(secret: str) -> SignedIn | None:
    found = current_session()
    return None if found is None else SignedIn(secret, found)


def _keep_private(response: Response) -> Response:
    """A signed-in user's pages are for their browser alone."""
    if current_session() is not None and request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.vary.add("Cookie")
    return response
