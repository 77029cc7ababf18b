"""Answers given before the application has the request: too large, too slow, too many at once.

They come in the renderings of ``failures``, and must cost next to nothing: pages and fragments are made once, as a
visitor has them.
"""

from dataclasses import asdict

from asgiref.typing import HTTPScope
from flask import Flask

from livesearch.errors import OverloadedError
from livesearch.web.contexts import ErrorFragment
from livesearch.web.failures import Failure, describe, error_page, problem
from livesearch.web.headers import SECURITY_HEADERS
from livesearch.web.rendering import render
from livesearch.web.routes.health import PATHS

_FAILURES = {
    400: Failure(400, "Bad Request", "This request cannot be read."),
    408: Failure(408, "Request Timeout", "The request came too slowly. Try again."),
    413: Failure(413, "Content Too Large", "This is larger than what may be sent here."),
    503: describe(OverloadedError()),
}
_HTMX_HEADERS = {
    "HX-Retarget": "#error-container",
    "HX-Reswap": "innerHTML",
    "HX-Reselect": "*",
    "HX-Push-Url": "false",
    "HX-Replace-Url": "false",
}
_HEADERS = {**SECURITY_HEADERS, "Cache-Control": "no-store", "Vary": "HX-Request, HX-Request-Type"}
_HTML = "text/html; charset=utf-8"
# Pages that are kept: a status and a root that proxies name; who makes up roots gets each made anew.
_KEPT = 16


class Refusals:
    """Makes refusals.

    Args:
        app: Whose templates they use; without it, pages and fragments are plain text.
    """

    def __init__(self, app: Flask | None = None) -> None:
        self._app = app
        self._pages: dict[tuple[int, str], bytes] = {}
        self._fragments: dict[int, bytes] = {}

    def answer(self, status: int, scope: HTTPScope) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Headers and body of a refusal.

        Args:
            status: 400, 408, 413 or 503.
        """
        failure, special = _FAILURES[status], {}
        if scope["path"].startswith("/api/"):
            body, media_type = problem(failure, scope["path"]), "application/problem+json"
        elif self._app is None:
            body, media_type = f"{failure.title}: {failure.detail}\n".encode(), "text/plain; charset=utf-8"
        elif any(name == b"hx-request" for name, _ in scope["headers"]):
            body, media_type, special = self._fragment(self._app, failure), _HTML, _HTMX_HEADERS
        else:
            body, media_type = self._page(self._app, failure, scope.get("root_path", "")), _HTML
        headers = {**_HEADERS, **special, "Content-Type": media_type, "Content-Length": str(len(body))}
        if failure.retry_after is not None:
            headers["Retry-After"] = str(failure.retry_after)
        return [(name.lower().encode(), value.encode()) for name, value in headers.items()], body

    def _page(self, app: Flask, failure: Failure, root: str) -> bytes:
        key = (failure.status, root)
        if key not in self._pages:
            if len(self._pages) >= _KEPT:
                self._pages.clear()
            # A probe's path is answered on every host, so that no host is asked for.
            with app.test_request_context(min(PATHS), environ_overrides={"SCRIPT_NAME": root}):
                self._pages[key] = render(error_page(failure)).encode()
        return self._pages[key]

    def _fragment(self, app: Flask, failure: Failure) -> bytes:
        if failure.status not in self._fragments:
            fragment = ErrorFragment(failure.status, failure.title, failure.detail)
            text = app.jinja_env.get_template(fragment.template).render(asdict(fragment))
            self._fragments[failure.status] = text.encode()
        return self._fragments[failure.status]
