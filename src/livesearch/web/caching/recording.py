"""One answer on its way to a client, held back until it is whole if it may be kept."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, g, request

from livesearch.services.reading import Reading, begin_reading
from livesearch.web.caching.entries import Message
from livesearch.web.caching.requests import KNOWN_VARY
from livesearch.web.current import current_request
from livesearch.web.detection import htmx

Send = Callable[[Any], Awaitable[None]]  # Any: an ASGI message

# Where a scope, and WSGI's environ, have the recording.
SCOPE_KEY = "livesearch.recording"

# What is kept: what people and programs search with, and nothing that is somebody's own. A document's page is not among
# them: it leaves out the explanation that took too long to make, which is true of that moment alone.
_ENDPOINTS = frozenset(
    {
        "pages.home",
        "pages.search",
        "pages.explain",
        "htmx.suggest",
        "htmx.changes",
        "htmx.facet",
        "htmx.explain",
        "api.list_collections",
        "api.show_collection",
        "api.search",
        "api.explain",
    }
)
# Each answer has its own.
_OWN_HEADERS = frozenset({b"x-request-id", b"server-timing", b"connection", b"date"})
# A poll that has nothing to hear is answered 204.
_KEPT_STATUSES = frozenset({200, 204})


@dataclass(slots=True)
class Recording:
    """Stands between the bridge and the server.

    Attributes:
        send: The server's.
        finish: Called with the recording when the answer is whole, to send it; not for others.
        give_up: Called when it turns out not to be one to keep.
        largest_size: Bytes of a body that may be kept.
        reading: What the answer was made from; None while Flask has not said that it may be kept.
        labels: Route and face.
        pieces: The body as it has come so far.
        size: Bytes of it.
    """

    send: Send
    finish: Callable[["Recording"], Awaitable[None]]
    give_up: Callable[[], None]
    largest_size: int
    reading: Reading | None = None
    labels: tuple[str, str] = ("", "")
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    _start: Message | None = None

    async def take(self, message: Message) -> None:
        """Take a message in place of the server."""
        if message["type"] == "http.response.start":
            if self._may_be_kept(message):
                self._start, self.headers = message, list(message["headers"])
                return
            self.give_up()
            await self.send(message)
        elif self._start is None:
            await self.send(message)
        else:
            await self._collect(self._start, message)

    async def _collect(self, start: Message, message: Message) -> None:
        piece = message.get("body", b"")
        self.pieces.append(piece)
        self.size += len(piece)
        if self.size > self.largest_size:
            self._start = None
            self.give_up()
            await self.send(start)
            await self.send({**message, "body": b"".join(self.pieces)})
            self.pieces.clear()
        elif not message.get("more_body"):
            await self.finish(self)

    def _may_be_kept(self, start: Message) -> bool:
        """Whether it is an answer for everybody who asks so, made from one state of the store."""
        reading = self.reading
        if start["status"] not in _KEPT_STATUSES or reading is None or not reading.versions or not reading.is_whole:
            return False
        for name, value in start["headers"]:
            if name == b"set-cookie":
                return False
            if name == b"cache-control" and (b"no-store" in value or b"private" in value):
                return False
            if name == b"vary" and not {part.strip() for part in value.lower().split(b",")} <= KNOWN_VARY:
                return False
        return True

    @property
    def status(self) -> int:
        """Of the answer, once it has begun to come and may be kept."""
        assert self._start is not None  # noqa: S101  # it has
        status: int = self._start["status"]
        return status

    def kept_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers that every such answer has."""
        return [header for header in self.headers if header[0] not in _OWN_HEADERS]

    def own_headers(self) -> list[tuple[bytes, bytes]]:
        """Those of this one alone, which has missed the cache."""
        search_ms = self.reading.seconds * 1000 if self.reading else 0.0
        told = f"cache;desc=miss, search;dur={search_ms:.1f}".encode()
        return [*(header for header in self.headers if header[0] in _OWN_HEADERS), (b"server-timing", told)]


def init_app(app: Flask) -> None:
    """Have an application note what its answers are made from, and say which may be kept."""
    app.before_request(_begin)
    app.after_request(_say)


def _begin() -> None:
    g.reading = begin_reading()


def current_reading() -> Reading | None:
    """What this request has read so far."""
    reading: Reading | None = g.get("reading")
    return reading


def face() -> str:
    """Which of the faces answers this request."""
    if request.path.startswith("/api/"):
        return "api"
    return "fragment" if htmx.fragment else "page"


def _say(response: Response) -> Response:
    asked = current_request()
    recording: Recording | None = asked.environ.get(SCOPE_KEY)
    if recording is not None and asked.endpoint in _ENDPOINTS:
        recording.reading = current_reading()
        recording.labels = (asked.url_rule.rule if asked.url_rule else "", face())
    return response
