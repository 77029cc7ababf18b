"""Accounts as their pages show them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import url_for

from livesearch.domain import Scope, Token, User, UserSession
from livesearch.web.contexts.accounts import (
    AccountPage,
    HeaderAccount,
    SessionRow,
    SessionsFragment,
    TokenRow,
    TokensFragment,
)
from livesearch.web.forms.accounts import ChangePasswordForm, DeleteAccountForm, TokenForm

# The first that is found names the browser: many call themselves by several names, the truest first here.
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}
_SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def present_header_account(user: User) -> HeaderAccount:
    """Who is signed in, for the header."""
    scope = user.role.scope
    return HeaderAccount(
        name=user.name,
        role=user.role,
        initial=user.name[0].upper(),
        can_import=scope.covers(Scope.EDIT),
        is_admin=scope.covers(Scope.ADMIN),
    )


def present_account(
    user: User,
    *,
    notice: str,
    password_form: ChangePasswordForm,
    delete_form: DeleteAccountForm,
    tokens: TokensFragment,
    sessions: SessionsFragment,
) -> AccountPage:
    """The account page."""
    facts = (user.role.capitalize(), user.email, f"since {format_day(user.created_at)}")
    return AccountPage(
        user_name=user.name,
        facts=tuple(fact for fact in facts if fact),
        notice=notice,
        password_form=password_form,
        token_form=tokens.token_form,
        tokens=tokens.tokens,
        new_token=tokens.new_token,
        sessions=sessions.sessions,
        delete_form=delete_form,
    )


def present_tokens(form: TokenForm, tokens: Sequence[Token], *, new_token: str) -> TokensFragment:
    """One's own tokens, the newest first."""
    rows = tuple(
        TokenRow(
            name=token.name,
            facts=(
                f"scope {token.scope}",
                token.collection or "all collections",
                "never ends" if token.expires_at is None else f"until {format_day(token.expires_at)}",
            ),
            revoke_url=url_for("account.revoke_token", token_id=token.id),
        )
        for token in reversed(tokens)
    )
    return TokensFragment(form, rows, new_token)


def present_sessions(sessions: Sequence[UserSession], current: UserSession | None) -> SessionsFragment:
    """Where one is signed in: this browser first."""
    here = None if current is None else current.id
    rows = (
        SessionRow(
            browser=describe_browser(session.user_agent),
            facts=(f"signed in {format_moment(session.created_at)}", f"last used {format_moment(session.seen_at)}"),
            is_current=session.id == here,
            end_url=url_for("account.end_one_session", session_id=session.id),
        )
        for session in sessions
    )
    return SessionsFragment(tuple(sorted(rows, key=lambda row: not row.is_current)))


def describe_browser(user_agent: str) -> str:
    """The browser and the system that a header names, as people call them."""
    browser = next((name for sign, name in _BROWSERS.items() if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS.items() if sign in user_agent), "")
    return " on ".join(filter(None, (browser, system))) or "Unknown browser"


def format_day(seconds: float) -> str:
    """Write a day (UTC) of Unix seconds: ``3 May 2026``."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.day} {moment:%B %Y}"


def format_moment(seconds: float) -> str:
    """A moment to the minute, in UTC."""
    return f"{format_day(seconds)}, {datetime.fromtimestamp(seconds, UTC):%H:%M} UTC"
