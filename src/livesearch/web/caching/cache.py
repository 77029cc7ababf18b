"""The cache itself: before Flask, after the server; one search for all who ask the same at the same time."""

import asyncio
import itertools
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from livesearch.errors import LivesearchError
from livesearch.services.change_tokens import ChangeTokens, Tokens
from livesearch.web.caching.entries import Entries, Entry, Message, headers_of, make_etag, pieces_of
from livesearch.web.caching.recording import SCOPE_KEY, Recording, Send
from livesearch.web.caching.requests import CacheableRequest, Key, read_request

Scope = dict[str, Any]  # Any: as ASGI has it
Receive = Callable[[], Awaitable[Any]]
Compute = Callable[[Any, Any, Any], Awaitable[None]]
# Method, status, route and face, id, and milliseconds of an answer that Flask has not seen.
Note = Callable[[str, int, tuple[str, str], str, float], None]

# Sends head and body in one piece, if the server can; says whether it has.
Shortcut = Callable[[Send, bytes, bytes], bool]
# The same, of an answer whose headers it has not sent before.
NewShortcut = Callable[[Send, list[tuple[bytes, bytes]], bytes], bool]

_DAY = 86_400
_OK = 200
# Times that a request waits for another's answer, or takes over its search, before it searches by itself.
_ROUNDS = 3
# Seconds a client gets to take each piece of an answer, as in the bridge.
_SEND_SECONDS = 10.0
_START = "http.response.start"
_OF_BODY = frozenset({b"content-length", b"content-type"})
_PLAIN_ID = re.compile(rb"[\w.:-]{1,64}")


@dataclass(slots=True)
class CacheCounts:
    """What has happened since the start.

    Attributes:
        hits: Answers that were there.
        waits: Answers that another request had already asked for.
        misses: Answers that were computed, and kept if they could be.
        bypasses: Requests that are never answered from what was kept.
        unchanged: Hits, waits and misses that were answered 304.
    """

    hits: int = 0
    waits: int = 0
    misses: int = 0
    bypasses: int = 0
    unchanged: int = 0


class _Flight:
    """A search under way that others wait for."""

    def __init__(self) -> None:
        self.is_over = asyncio.Event()
        # The answer is not one to share: those who wait need not do so one after the other.
        self.is_private = False

    def open(self) -> None:
        self.is_private = True
        self.is_over.set()


class ResponseCache:
    """Answers of one application to visitors. Use it on one event loop.

    Attributes:
        shortcut: How the server at hand sends an answer in one piece.
        new_shortcut: How it does so with one that was just made.
    """

    def __init__(self, tokens: ChangeTokens, *, limit: int, private_cookies: Iterable[bytes], note: Note) -> None:
        """Make an empty cache.

        Args:
            tokens: Say what has changed.
            limit: Bytes to keep at most.
            private_cookies: As for ``read_request``.
            note: Told of every answer from here.
        """
        self._tokens = tokens
        self.entries = Entries(limit)
        self.counts = CacheCounts()
        self._private_cookies = tuple(private_cookies)
        self._note = note
        self.shortcut: Shortcut = _no_shortcut
        self.new_shortcut: NewShortcut = _no_shortcut
        self._flights: dict[Key, _Flight] = {}
        prefix = secrets.token_hex(10).encode()
        self._ids = (b"%s%012x" % (prefix, number) for number in itertools.count())

    async def __call__(self, scope: Scope, receive: Receive, send: Send, compute: Compute) -> None:
        """Answer a GET or HEAD.

        Args:
            compute: Answers what is not here: the bridge.
        """
        began = time.perf_counter()
        request = read_request(scope, self._private_cookies)
        if request is None:
            self.counts.bypasses += 1
            await compute(scope, receive, send)
            return
        try:
            tokens = self._tokens.glance() or await self._tokens.read()
        except LivesearchError:  # the application will say what is wrong
            await compute(scope, receive, send)
            return
        if entry := self._find(request, tokens):
            self.counts.hits += 1
            await self._answer(entry, request, send, began)
        else:
            await self._share(scope, receive, send, compute, request, began)

    async def _share(
        self, scope: Scope, receive: Receive, send: Send, compute: Compute, request: CacheableRequest, began: float
    ) -> None:
        """Wait for who asks the same already, or be the one that searches for all."""
        key = request.canonical_key()
        for _ in range(_ROUNDS):
            flight = self._flights.get(key)
            if flight is None:
                await self._lead(scope, receive, send, compute, request, key)
                return
            await flight.is_over.wait()
            if flight.is_private:
                break
            try:
                # As of now: a commit between the other's search and this request must be seen.
                entry = self._find(request, self._tokens.glance() or await self._tokens.read())
            except LivesearchError:
                break
            if entry:
                self.counts.waits += 1
                await self._answer(entry, request, send, began)
                return
        self.counts.misses += 1
        await compute(scope, receive, send)

    async def _lead(
        self, scope: Scope, receive: Receive, send: Send, compute: Compute, request: CacheableRequest, key: Key
    ) -> None:
        """Search, and keep the answer. Whoever leads may hang up: another of those who wait then searches."""
        self.counts.misses += 1
        flight = self._flights[key] = _Flight()
        day = _today()

        async def finish(recording: Recording) -> None:
            reading = recording.reading
            assert reading is not None  # noqa: S101  # it may be kept
            body = b"".join(recording.pieces)
            headers = recording.kept_headers()
            etag = make_etag(headers, body)
            headers.append((b"etag", etag))
            entry = self.entries.make(
                key,
                versions=reading.versions,
                is_of_all=reading.is_of_all,
                day=day,
                labels=recording.labels,
                headers=headers,
                body=body,
                status=recording.status,
            )
            self.entries.put(entry)
            self._land(key, flight)
            headers += recording.own_headers()
            if request.etags or not _can_shorten(entry) or not self.new_shortcut(send, headers, body):
                await _deliver(self._messages(entry, request, headers, body), send)

        recording = Recording(send, finish, flight.open, self.entries.largest_size)
        # HEAD too is answered by the whole, and the server leaves out the body.
        try:
            await compute({**scope, "method": "GET", SCOPE_KEY: recording}, receive, recording.take)
        finally:
            self._land(key, flight)

    def _land(self, key: Key, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        flight.is_over.set()

    def _find(self, request: CacheableRequest, tokens: Tokens) -> Entry | None:
        entry = self.entries.find(request.key)
        if entry is None:
            entry = self.entries.find_canonical(request.canonical_key(), request.key)
            if entry is None:
                return None
        if not entry.is_true(tokens) or entry.day != _today():
            self.entries.drop(entry)
            return None
        entry.was_used = True
        return entry

    async def _answer(self, entry: Entry, request: CacheableRequest, send: Send, began: float) -> None:
        """Answer with what was kept, and note it."""
        id_ = request.request_id
        if not id_ or not _PLAIN_ID.fullmatch(id_):
            id_ = next(self._ids)
        status, (head, body) = entry.status, entry.unpack()
        if (
            request.etags
            or not _can_shorten(entry)
            or not self.shortcut(send, b"%bx-request-id: %b\r\n" % (head, id_), body)
        ):
            messages = self._messages(entry, request, [*headers_of(head), (b"x-request-id", id_)], body)
            status = messages[0]["status"]
            await _deliver(messages, send)
        method = "HEAD" if request.is_head else "GET"
        self._note(method, status, entry.labels, id_.decode(), (time.perf_counter() - began) * 1000)

    def _messages(
        self, entry: Entry, request: CacheableRequest, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> list[Message]:
        """An entry, or that the client has it already."""
        etags = request.etags
        if etags and (entry.etag in etags or etags.strip() == b"*"):
            self.counts.unchanged += 1
            headers = [header for header in headers if header[0] not in _OF_BODY]
            return [{"type": _START, "status": 304, "headers": headers}, {"type": "http.response.body", "body": b""}]
        return [{"type": _START, "status": entry.status, "headers": headers}, *pieces_of(body)]


def _can_shorten(entry: Entry) -> bool:
    """Whether an answer is a usual one, and short enough to be sent at once."""
    return entry.status == _OK and entry.is_one_piece


def _no_shortcut(_send: Send, _head: object, _body: bytes) -> bool:
    return False


async def _deliver(messages: list[Message], send: Send) -> None:
    start, first, *others = messages
    await send(start)
    await send(first)
    for message in others:
        async with asyncio.timeout(_SEND_SECONDS):
            await send(message)


def _today() -> int:
    """Days since 1970, UTC: ages count by the day."""
    return int(time.time() // _DAY)
