"""One log line a request, with an id that the answer carries too."""

import asyncio
import logging
import os
import re
import sys
import time
from typing import Literal, cast

import structlog
from flask import Flask, Response, current_app, g, has_request_context, request

from livesearch.web.current import current_request
from livesearch.web.request_lines import RequestLines

log = structlog.stdlib.get_logger("livesearch.request")

# An id from a proxy in front is kept when it is plain enough to stand in a log line.
_PLAIN_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)

# nginx's word for a request whose client left; no answer with it is ever sent.
CLIENT_LEFT = 499
# The route of a request that the application does not know, or never had.
UNKNOWN = "unknown"
_LINES = "livesearch.request_lines"
# As many as the UUID has that took four times as long.
_ID_BYTES = 16


def configure_logging(log_format: Literal["text", "json"]) -> None:
    """Send structured lines to standard error, for people (``text``) or machines (``json``)."""
    renderer = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            _name_request,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # Standard error as it is when a line is written: whoever replaces it may have closed the former one.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _name_request(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Say of which request a line tells; cheaper than to bind the id for each, of which few write a line."""
    if has_request_context() and (request_id := g.get("request_id")):
        event.setdefault("request_id", request_id)
    return event


def init_app(app: Flask, lines: RequestLines) -> None:
    """Log every request of an application. Call it before anything that can refuse a request."""
    app.extensions[_LINES] = lines
    app.before_request(_begin)
    app.after_request(_finish)
    app.teardown_request(_note_departure)


def _begin() -> None:
    g.began = time.perf_counter()
    sent = request.environ.get("HTTP_X_REQUEST_ID")
    g.request_id = sent if sent and _PLAIN_ID.fullmatch(sent) else os.urandom(_ID_BYTES).hex()


def _finish(response: Response) -> Response:
    duration_ms = (time.perf_counter() - g.began) * 1000
    response.headers["X-Request-ID"] = g.request_id
    response.headers["Server-Timing"] = f"app;dur={duration_ms:.1f}"
    _write(response.status_code, duration_ms)
    return response


def _note_departure(error: BaseException | None) -> None:
    if isinstance(error, asyncio.CancelledError):
        _write(CLIENT_LEFT, (time.perf_counter() - g.began) * 1000)


def _write(status: int, duration_ms: float) -> None:
    # The route, not the URL: what people search for stays out of the log.
    asked = current_request()
    rule = asked.url_rule
    lines = cast("RequestLines", current_app.extensions[_LINES])
    lines.write(asked.method, status, rule.rule if rule else UNKNOWN, g.request_id, duration_ms)
