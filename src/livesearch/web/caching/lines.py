"""Log lines of answers from the cache: those of the logger, at a tenth of its cost.

structlog takes longer for a line than the cache for an answer. So each kind of line is rendered once, as structlog
would, and the values that differ are put into it. Lines of one turn of the loop are written together: under load, to
write each by itself took as long as all the rest.
"""

import asyncio
import sys
import time
from typing import TextIO

import structlog

# Stand for what differs, where a line is rendered: nothing else looks like them.
_TIME, _ID, _MS = "time-of-a-line", "id-of-a-request", 987654.321


class RequestLines:
    """Writes lines, in the format that is configured when the first of each kind is written."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Args: stream: Standard error unless told."""
        self._stream = stream
        self._kinds: dict[tuple[str, int, str], str] = {}
        self._second, self._second_text = 0, ""
        self._waiting: list[str] = []

    def write(self, method: str, status: int, labels: tuple[str, str], request_id: str, milliseconds: float) -> None:
        """Write the line of one answer, at the end of this turn of the event loop.

        Args:
            labels: The route, and more that is not told here.
        """
        now = time.time()
        if (second := int(now)) != self._second:
            self._second, self._second_text = second, time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))
        kind = (method, status, labels[0])
        line = self._kinds.get(kind) or self._make(kind)
        microseconds = int((now - second) * 1e6)
        told = {"time": f"{self._second_text}{microseconds:06d}Z", "id": request_id, "ms": milliseconds}
        self._waiting.append(line % told)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        text = "".join(self._waiting)
        self._waiting.clear()
        (self._stream or sys.stderr).write(text)

    def _make(self, kind: tuple[str, int, str]) -> str:
        method, status, route = kind
        render = structlog.get_config()["processors"][-1]
        rendered = render(
            None,
            "info",
            {
                "method": method,
                "route": route,
                "status": status,
                "ms": _MS,
                "cache": "hit",
                "event": "request",
                "request_id": _ID,
                "level": "info",
                "timestamp": _TIME,
            },
        )
        line = rendered.decode() if isinstance(rendered, bytes) else rendered
        line = line.replace("%", "%%") + "\n"
        for mark, place in ((_TIME, "%(time)s"), (_ID, "%(id)s"), (str(_MS), "%(ms).1f")):
            line = line.replace(mark, place)
        self._kinds[kind] = line
        return line
