"""Who makes the request, as its routes and templates see it."""

from typing import cast

from flask import g

from livesearch.domain import UserSession, Viewer
from livesearch.services.policy import VISITOR, Actor


def current_actor() -> Actor:
    """Who makes the request; a visitor until somebody was found."""
    return cast("Actor", g.get("actor", VISITOR))


def current_viewer() -> Viewer:
    """Who makes the request, as rules of visibility see them."""
    return current_actor().viewer


def current_name() -> str:
    """Who makes the request, as the audit trail calls them."""
    return current_actor().label


def set_actor(actor: Actor) -> None:
    """Remember who makes the request."""
    g.actor = actor


def current_session() -> UserSession | None:
    """The session of the user who makes the request; None unless they have signed in."""
    return cast("UserSession | None", g.get("user_session"))


def set_session(session: UserSession | None) -> None:
    """Remember by which session the request is made."""
    g.user_session = session
    g.actor = VISITOR if session is None else Actor(user=session.user)
