"""Log lines of requests: those of the logger, at a tenth of its cost.

structlog takes longer for a line than the cache for an answer. So each kind of line is rendered once, as structlog
would, and the values that differ are put into it. Lines of one turn of the loop are written together: under load, to
write each by itself took as long as all the rest.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

import structlog

log = structlog.stdlib.get_logger("livesearch.request")

# Stand for what differs, where a line is rendered: nothing else looks like them.
_TIME, _ID, _MS = "time-of-a-line", "id-of-a-request", 987654.321
# Kinds of lines that are remembered: under some servers a client can make up methods.
_KIND_COUNT = 1_000

# Method, status, route, whether there is an id, and whether the answer was kept.
_Kind = tuple[str, int, str, bool, bool]


class RequestLines:
    """Writes lines, in the format that is configured. Use it on one event loop, or in threads that run none."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Args: stream: Standard error unless told."""
        self._stream = stream
        self._render: Callable[..., Any] | None = None  # Any: structlog's renderers give text or bytes
        self._writes_text = False
        self._kinds: dict[_Kind, str] = {}
        self._second = 0, ""
        self._waiting: list[str] = []

    def write(
        self,
        method: str,
        status: int,
        route: str,
        request_id: str | None,
        milliseconds: float,
        *,
        is_kept: bool = False,
    ) -> None:
        """Write the line of one answer: at the end of this turn of the event loop, at once where none runs.

        Args:
            request_id: None for a request that was given none.
            is_kept: Whether the answer came from the cache.
        """
        render = structlog.get_config()["processors"][-1]
        kind = (method, status, route, request_id is not None, is_kept)
        if render is not self._render:
            self._render, self._kinds = render, {}
            self._writes_text = isinstance(render, structlog.dev.ConsoleRenderer | structlog.processors.JSONRenderer)
        if not self._writes_text:  # somebody looks at events as they are, as tests do
            log.info("request", **_told(kind, round(milliseconds, 1), request_id))
            return
        now = time.time()
        whole, second_text = self._second
        if (second := int(now)) != whole:
            second_text = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
            self._second = second, second_text
        line = self._kinds.get(kind) or self._make(kind, render)
        microseconds = int((now - second) * 1e6)
        self._put(line % {"time": f"{second_text}{microseconds:06d}Z", "id": request_id, "ms": milliseconds})

    def _put(self, line: str) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            (self._stream or sys.stderr).write(line)
            return
        self._waiting.append(line)
        if len(self._waiting) == 1:
            loop.call_soon(self._flush)

    def _flush(self) -> None:
        text = "".join(self._waiting)
        self._waiting.clear()
        (self._stream or sys.stderr).write(text)

    def _make(self, kind: _Kind, render: Callable[..., Any]) -> str:  # Any: as above
        marks = {"event": "request", "level": "info", "timestamp": _TIME}
        rendered = render(None, "info", {**_told(kind, _MS, _ID), **marks})
        line = rendered.decode() if isinstance(rendered, bytes) else rendered
        line = line.replace("%", "%%") + "\n"
        for mark, place in ((_TIME, "%(time)s"), (_ID, "%(id)s"), (str(_MS), "%(ms).1f")):
            line = line.replace(mark, place)
        if len(self._kinds) < _KIND_COUNT:
            self._kinds[kind] = line
        return line


def _told(kind: _Kind, milliseconds: float, request_id: str | None) -> dict[str, Any]:  # Any: what structlog takes
    method, status, route, has_id, is_kept = kind
    told: dict[str, Any] = {"method": method, "route": route, "status": status, "ms": milliseconds}
    if is_kept:
        told["cache"] = "hit"
    return {**told, "request_id": request_id} if has_id else told
