"""Answers that go out as they are."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Response
from werkzeug.datastructures import Headers
from werkzeug.utils import get_content_type

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Headers whose addresses Werkzeug makes ASCII.
_MENDED = frozenset({"location", "content-location"})
_HTML = get_content_type(str(Response.default_mimetype), "utf-8")


class PlainResponse(Response):
    """Flask's response; one that is whole goes out as it is, unless something about it must be mended or closed."""

    def __init__(
        self,
        response: Any = None,  # Any: a body as Werkzeug takes it; so are status and headers
        status: Any = None,
        headers: Any = None,
        mimetype: str | None = None,
        content_type: str | None = None,
        direct_passthrough: bool = False,
    ) -> None:
        """Flask's; a text without more, as nearly all are, is made ready here, in a third of the time."""
        if type(response) is not str or status or headers or mimetype or content_type or direct_passthrough:
            super().__init__(response, status, headers, mimetype, content_type, direct_passthrough)
            return
        body = response.encode()
        self.headers = Headers()
        self.headers._list = [("Content-Type", _HTML), ("Content-Length", str(len(body)))]  # noqa: SLF001  # no line ends
        self._status, self._status_code = "200 OK", 200
        self.response, self.direct_passthrough, self._on_close = [body], False, []

    def get_wsgi_response(self, environ: "WSGIEnvironment") -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """Flask's, which most answers need not."""
        body, headers = self.response, self.headers.to_wsgi_list()
        if (
            self.status_code == HTTPStatus.OK
            and environ["REQUEST_METHOD"] != "HEAD"
            and not self._on_close
            and type(body) is list
            and [type(piece) for piece in body] == [bytes]
        ):
            names = {name.lower() for name, _ in headers}
            if "content-length" in names and _MENDED.isdisjoint(names):
                return body, self.status, headers
        return super().get_wsgi_response(environ)
