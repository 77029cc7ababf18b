"""One map from what went wrong to a status, and its three renderings: page, fragment, JSON."""

from dataclasses import dataclass
from http import HTTPStatus

import orjson
import structlog
from flask import Flask, Response, abort, make_response, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from livesearch.errors import (
    ConfigError,
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    LivesearchError,
    MailError,
    NotFoundError,
    OverloadedError,
    QueryTimeoutError,
    SchemaOutdatedError,
    SourceError,
    StoreError,
    StoreUnavailableError,
    TooManyAttemptsError,
    UnauthorizedError,
)
from livesearch.web.addresses import is_api, local_path
from livesearch.web.contexts import ErrorFragment, ErrorPage
from livesearch.web.detection import htmx, respond
from livesearch.web.expiry import answer_expired
from livesearch.web.rendering import render

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("livesearch.failure")

# Statuses with a page of their own in templates/errors/; any other takes its class's.
PAGE_STATUSES = frozenset({400, 401, 403, 404, 405, 409, 413, 422, 429, 500, 503})

_APOLOGY = "Something went wrong on our side. It has been logged. Try again, or start over from the first page."


@dataclass(frozen=True, slots=True)
class Failure:
    """What a person or program is told.

    Attributes:
        retry_after: Seconds after which it may work; None where waiting does not help.
        is_mended_by_reload: Whether to load the page anew helps.
    """

    status: int
    title: str
    detail: str = _APOLOGY
    retry_after: int | None = None
    is_mended_by_reload: bool = False


# An error takes the entry of its nearest ancestor; its own words are the detail.
_FAILURES: dict[type[LivesearchError], Failure] = {
    LivesearchError: Failure(500, "Something went wrong"),
    ConfigError: Failure(500, "This site is not set up correctly"),
    SourceError: Failure(422, "This source cannot be read"),
    InvalidInputError: Failure(400, "This request cannot be answered"),
    UnauthorizedError: Failure(401, "Not signed in"),
    ForbiddenError: Failure(403, "Not allowed"),
    OverloadedError: Failure(503, "Very busy", retry_after=1),
    TooManyAttemptsError: Failure(429, "Too many attempts"),
    NotFoundError: Failure(404, "Not found"),
    ConflictError: Failure(409, "This change does not fit"),
    MailError: Failure(503, "No mail can be sent"),
    StoreError: Failure(500, "The store failed"),
    SchemaOutdatedError: Failure(503, "This site is being updated"),
    StoreUnavailableError: Failure(503, "The store does not answer", retry_after=5),
    QueryTimeoutError: Failure(503, "This search took too long", retry_after=1),
}


def init_app(app: Flask) -> None:
    """Answer every error of an application, and refuse the fragments to everybody but htmx."""
    app.register_error_handler(Exception, answer_error)
    app.before_request(_guard_fragments)


def describe(error: Exception) -> Failure:
    """Say what an error means to the one who asked."""
    if isinstance(error, CSRFError):
        detail = "What you typed is still here: send it again. If that does not help, reload the page."
        return Failure(400, "This page has expired", detail, is_mended_by_reload=True)
    if isinstance(error, HTTPException):
        return _describe_http(error)
    if not isinstance(error, LivesearchError):
        return _FAILURES[LivesearchError]
    entry = next(_FAILURES[kind] for kind in type(error).__mro__ if kind in _FAILURES)
    retry_after = error.retry_after if isinstance(error, TooManyAttemptsError) else entry.retry_after
    return Failure(entry.status, entry.title, str(error) or entry.detail, retry_after)


def answer_error(error: Exception) -> Response:
    """Answer a request that failed: the true status in the form the request wants."""
    failure = describe(error)
    if failure.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("failure", exc_info=error)
    answer = answer_expired(_render(failure)) if isinstance(error, CSRFError) else _render(failure)
    if isinstance(error, HTTPException):
        # Allow and the like belong to the status; the body and its type are ours.
        kept = (header for header in error.get_headers() if header[0].lower() != "content-type")
        answer.headers.extend(kept)
    if failure.retry_after is not None:
        answer.headers["Retry-After"] = str(failure.retry_after)
    if failure.status in _CHALLENGES and is_api():
        answer.headers["WWW-Authenticate"] = _challenge(failure.status)
    # An answer to a failure is true for this moment only.
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _render(failure: Failure) -> Response:
    if htmx:
        reload_url = (local_path(htmx.current_url) or "") if failure.is_mended_by_reload else ""
        fragment = ErrorFragment(failure.status, failure.title, failure.detail, reload_url)
        return respond(
            (render(fragment), failure.status),
            retarget="#error-container",
            reswap="innerHTML",
            reselect="*",
            push_url=False,
            replace_url=False,
        )
    if is_api():
        return Response(problem(failure, request.path), failure.status, mimetype="application/problem+json")
    return make_response(render(error_page(failure)), failure.status)


def error_page(failure: Failure) -> ErrorPage:
    """The page about a failure: its status's own, or its class's."""
    page_status = failure.status if failure.status in PAGE_STATUSES else failure.status // 100 * 100
    return ErrorPage(failure.status, failure.title, failure.detail, page_status=max(page_status, 400))


def problem(failure: Failure, path: str) -> bytes:
    """Tell a program as RFC 9457 has it."""
    return orjson.dumps(
        {
            "type": "about:blank",
            "title": failure.title,
            "status": failure.status,
            "detail": failure.detail,
            "instance": path,
        }
    )


# RFC 6750, section 3.1: what is the matter with the token that was shown.
_CHALLENGES = {401: "invalid_token", 403: "insufficient_scope"}


def _challenge(status: int) -> str:
    return f'Bearer error="{_CHALLENGES[status]}"' if "Authorization" in request.headers else "Bearer"


def _describe_http(error: HTTPException) -> Failure:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.NOT_FOUND:
        return Failure(404, "Not found", "There is nothing at this address.")
    return Failure(status, error.name, error.description or _APOLOGY)


def _guard_fragments() -> None:
    path = request.path
    is_fragment_address = path == "/htmx" or path.startswith("/htmx/")
    if is_fragment_address and not htmx:
        abort(400, "This address answers parts of pages, to htmx only. Open the page instead.")
    if is_api() and htmx:
        abort(400, "This address answers JSON, which htmx cannot show. Ask for the page instead.")
