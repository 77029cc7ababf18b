"""For whom an address is: declared beside each route, held here before the route runs."""

from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from flask import Blueprint, Flask, Response, current_app, request

from livesearch.domain import Scope
from livesearch.errors import UnauthorizedError
from livesearch.web.actors import current_actor
from livesearch.web.addresses import ask_to_sign_in, is_api
from livesearch.web.current import current_request
from livesearch.web.registry import current_services

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Audience(Enum):
    """For whom an address is. Programs need a token of the scope, people the role."""

    EVERYONE = None
    SEARCHERS = Scope.SEARCH
    # Each person's own things: no token opens them.
    SIGNED_IN = "user"
    EDITORS = Scope.EDIT
    ADMINS = Scope.ADMIN


View = TypeVar("View", bound=Callable[..., Any])  # Any: views take and give what they like

# By blueprint: for whom its addresses are to read, and to change something. Filled when modules are imported.
_of_blueprints: dict[str, tuple[Audience, Audience | None]] = {}


def declare(blueprint: Blueprint, *, reading: Audience, changing: Audience | None = None) -> None:
    """Say for whom a blueprint's addresses are, where a view does not say it.

    Args:
        changing: For unsafe methods; None where each view must say it.
    """
    _of_blueprints[blueprint.name] = (reading, changing)


def open_to(audience: Audience) -> Callable[[View], View]:
    """Say for whom a view is; stands below the route."""

    def mark(view: View) -> View:
        view.audience = audience  # type: ignore[attr-defined]  # functions take attributes
        return view

    return mark


def declared_audience(app: Flask, endpoint: str, method: str) -> Audience | None:
    """For whom an address is; None where nobody has said it."""
    own: Audience | None = getattr(app.view_functions[endpoint], "audience", None)
    if own is not None:
        return own
    reading, changing = _of_blueprints.get(endpoint.rpartition(".")[0], (None, None))
    return reading if method in SAFE_METHODS else changing


def init_app(app: Flask) -> None:
    """Hold every request to its address's audience. Call it after what finds out who asks."""
    app.before_request(_check_request)


def _check_request() -> Response | None:
    asked = current_request()
    endpoint, method = asked.endpoint, asked.method
    if endpoint is None:
        return None  # there is nothing at this address
    # What nobody has declared is closed: a test finds it before an operator does.
    undeclared = Audience.SEARCHERS if method in SAFE_METHODS else Audience.ADMINS
    audience = declared_audience(current_app, endpoint, method) or undeclared
    try:
        _require(audience)
    except UnauthorizedError as error:
        if is_api():
            raise UnauthorizedError("This needs an API token. Send one as “Authorization: Bearer lst_…”.") from error
        return ask_to_sign_in()
    return None


def _require(audience: Audience) -> None:
    policy = current_services().policy
    if audience is Audience.SIGNED_IN:
        policy.require_user(current_actor())
    elif isinstance(audience.value, Scope):
        policy.require(current_actor(), audience.value, (request.view_args or {}).get("name"))
