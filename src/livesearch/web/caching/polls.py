"""Polls of lists whose collection is as it was: answered before Flask, from change tokens in memory.

Thousands of pages may be open, and nearly always there is nothing to say. Only what looks like a poll is answered here,
and only with what a poll gets anyhow: 204, whoever asks. So nothing is told to who may not know it.
"""

import asyncio
import re
import time
from collections.abc import Iterable
from typing import Any

from livesearch.errors import LivesearchError
from livesearch.services.change_tokens import ChangeTokens
from livesearch.web.caching.cache import Compute, Note, Receive, Scope
from livesearch.web.caching.recording import Send

_PREFIX, _SUFFIX = "/htmx/c/", "/changes"
_VERSION = re.compile(rb"(?:^|&)v=([0-9]{1,19})(?:&|$)")
_WANTED = {b"x-poll": b"1", b"hx-request": b"true"}
POLL_LABELS = ("/htmx/c/<name>/changes", "fragment")


# Polls that the application works on at once; it has room for more requests than that.
_AT_ONCE = 3


def is_poll(path: str) -> bool:
    """Whether a request to this address asks what has become of a list."""
    return path.startswith(_PREFIX) and path.endswith(_SUFFIX)


class UnchangedPolls:
    """Answers polls that have nothing to hear."""

    def __init__(self, tokens: ChangeTokens, *, headers: Iterable[tuple[str, str]], note: Note) -> None:
        """Args: headers: Those of every answer of the site."""
        self._tokens = tokens
        self._note = note
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._messages: tuple[dict[str, Any], dict[str, Any]] = (
            {
                "type": "http.response.start",
                "status": 204,
                "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
            },
            {"type": "http.response.body", "body": b""},
        )

    async def in_turn(self, compute: Compute, scope: Scope, receive: Receive, send: Send) -> None:
        """Have the application answer a poll, of which it gets few at once: the others wait here, not in its way."""
        async with self._turns:
            await compute(scope, receive, send)

    async def answer(self, scope: Scope, send: Send) -> bool:
        """Answer a request, if it is such a poll; says whether it was."""
        began = time.perf_counter()
        path: str = scope["path"]
        if not is_poll(path) or scope["method"] != "GET":
            return False
        shown = _VERSION.search(scope["query_string"])
        if shown is None or sum(_WANTED.get(name) == value for name, value in scope["headers"]) < len(_WANTED):
            return False
        try:
            tokens = self._tokens.glance() or await self._tokens.latest()
        except LivesearchError:  # the application will say what is wrong
            return False
        token = tokens.get(path[len(_PREFIX) : -len(_SUFFIX)])
        if token is None or not token.is_settled or token.version != int(shown[1]):
            return False
        start, body = self._messages
        await send(start)
        await send(body)
        self._note("GET", 204, POLL_LABELS, "", (time.perf_counter() - began) * 1000)
        return True
