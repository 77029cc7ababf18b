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
    InvalidInputError,
    LivesearchError,
    NotFoundError,
    QueryTimeoutError,
    SchemaOutdatedError,
    SourceError,
    StoreError,
    StoreUnavailableError,
)
from livesearch.web.contexts import ErrorFragment, ErrorPage
from livesearch.web.detection import htmx, respond
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
    """

    status: int
    title: str
    detail: str = _APOLOGY
    retry_after: int | None = None


# An error takes the entry of its nearest ancestor; its own words are the detail.
_FAILURES: dict[type[LivesearchError], Failure] = {
    LivesearchError: Failure(500, "Something went wrong"),
    ConfigError: Failure(500, "This site is not set up correctly"),
    SourceError: Failure(422, "This source cannot be read"),
    InvalidInputError: Failure(400, "This request cannot be answered"),
    NotFoundError: Failure(404, "Not found"),
    ConflictError: Failure(409, "This change does not fit"),
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
        return Failure(400, "This page has expired", "Reload the page and try again.")
    if isinstance(error, HTTPException):
        return _describe_http(error)
    if not isinstance(error, LivesearchError):
        return _FAILURES[LivesearchError]
    entry = next(_FAILURES[kind] for kind in type(error).__mro__ if kind in _FAILURES)
    return Failure(entry.status, entry.title, str(error) or entry.detail, entry.retry_after)


def answer_error(error: Exception) -> Response:
    """Answer a request that failed: the true status in the form the request wants."""
    failure = describe(error)
    if failure.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("failure", exc_info=error)
    answer = _render(failure)
    if isinstance(error, HTTPException):
        # Allow and the like belong to the status; the body and its type are ours.
        kept = (header for header in error.get_headers() if header[0].lower() != "content-type")
        answer.headers.extend(kept)
    if failure.retry_after is not None:
        answer.headers["Retry-After"] = str(failure.retry_after)
    # An answer to a failure is true for this moment only.
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _render(failure: Failure) -> Response:
    if htmx:
        return respond(
            (render(ErrorFragment(failure.status, failure.title, failure.detail)), failure.status),
            retarget="#error-container",
            reswap="innerHTML",
            reselect="*",
            push_url=False,
            replace_url=False,
        )
    if request.path.startswith("/api/"):
        return _problem(failure)
    page_status = failure.status if failure.status in PAGE_STATUSES else failure.status // 100 * 100
    page = ErrorPage(failure.status, failure.title, failure.detail, page_status=max(page_status, 400))
    return make_response(render(page), failure.status)


def _problem(failure: Failure) -> Response:
    """Answer as RFC 9457 has it."""
    problem = {
        "type": "about:blank",
        "title": failure.title,
        "status": failure.status,
        "detail": failure.detail,
        "instance": request.path,
    }
    return Response(orjson.dumps(problem), failure.status, mimetype="application/problem+json")


def _describe_http(error: HTTPException) -> Failure:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status == HTTPStatus.NOT_FOUND:
        return Failure(404, "Not found", "There is nothing at this address.")
    return Failure(status, error.name, error.description or _APOLOGY)


def _guard_fragments() -> None:
    is_fragment_address = request.path == "/htmx" or request.path.startswith("/htmx/")
    if is_fragment_address and not htmx:
        abort(400, "This address answers parts of pages, to htmx only. Open the page instead.")
    if request.path.startswith("/api/") and htmx:
        abort(400, "This address answers JSON, which htmx cannot show. Ask for the page instead.")
