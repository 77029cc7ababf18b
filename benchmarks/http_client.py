"""A client that keeps its connections and asks on, parsing no more than tells a right answer from a wrong one."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from benchmarks.http_page import PATH


@dataclass(frozen=True, slots=True)
class Question:
    """One request.

    Attributes:
        sent: The request as it goes out.
        marker: What the right answer contains, and no other.
    """

    sent: bytes
    marker: bytes

    @classmethod
    def get(cls, target: str, marker: str) -> "Question":
        """Ask as htmx does."""
        return cls(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nHX-Request: true\r\n\r\n".encode(), marker.encode())


@dataclass(slots=True)
class Tally:
    """What a run saw.

    Attributes:
        seconds: Time of each right answer.
        error_count: Answers that are not 200, and connections that ended in the middle of one.
        wrong_count: Answers that are 200, and to another question.
        wall_seconds: Time of the run.
    """

    seconds: list[float] = field(default_factory=list)
    error_count: int = 0
    wrong_count: int = 0
    wall_seconds: float = 0.0

    @property
    def count(self) -> int:
        """All answers."""
        return len(self.seconds) + self.error_count + self.wrong_count


class _Connection(asyncio.Protocol):
    """Asks the next question when the last one is answered, until there are none or it is told to stop."""

    def __init__(self, questions: Iterator[Question], tally: Tally) -> None:
        self._questions, self._tally = questions, tally
        self._answer = bytearray()
        self._length = -1  # of head and body; negative while the head is incomplete
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_stopped = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._ask()

    def stop(self) -> None:
        """Hang up, whatever is under way."""
        self.is_stopped = True
        if self._transport is not None:
            self._transport.abort()

    def _ask(self) -> None:
        question = None if self.is_stopped else next(self._questions, None)
        self._answer.clear()
        self._length = -1
        if question is None or self._transport is None:
            self.stop()
            return
        self._question, self._asked = question, time.perf_counter()
        self._transport.write(question.sent)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self._length < 0:
            end = self._answer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._answer[:end]).lower()
            length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
            self._length = end + 4 + int(length or 0)
        if len(self._answer) >= self._length:
            self._judge()
            self._ask()

    def _judge(self) -> None:
        if self.is_stopped:
            return
        if self._answer[9:12] != b"200":
            self._tally.error_count += 1
        elif self._question.marker not in self._answer:
            self._tally.wrong_count += 1
        else:
            self._tally.seconds.append(time.perf_counter() - self._asked)

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.is_stopped:
            self._tally.error_count += 1
        if not self.ended.done():
            self.ended.set_result(None)


async def ask_for(seconds: float, port: int, questions: Sequence[Question], *, connection_count: int) -> Tally:
    """Ask in turn, on so many connections, until the time is up; what is under way then is not counted."""
    tally = Tally()
    turns = itertools.cycle(questions)
    deadline = asyncio.timeout(seconds)
    started = time.perf_counter()
    try:
        async with deadline:
            await _ask_on_all(port, turns, tally, connection_count)
    except TimeoutError:
        if not deadline.expired():
            raise
    tally.wall_seconds = time.perf_counter() - started
    return tally


async def ask_all(port: int, questions: Sequence[Question], *, connection_count: int, limit_seconds: float) -> Tally:
    """Ask each question once, in turn, on so many connections."""
    tally = Tally()
    started = time.perf_counter()
    async with asyncio.timeout(limit_seconds):
        await _ask_on_all(port, iter(questions), tally, connection_count)
    tally.wall_seconds = time.perf_counter() - started
    return tally


async def _ask_on_all(port: int, questions: Iterator[Question], tally: Tally, connection_count: int) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(connection_count):
            group.create_task(_keep_asking(port, questions, tally))


async def _keep_asking(port: int, questions: Iterator[Question], tally: Tally) -> None:
    """Ask on one connection, and on another when the server closes it."""
    connection: _Connection | None = None
    try:
        while connection is None or not connection.is_stopped:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(questions, tally), "127.0.0.1", port
            )
            await connection.ended
    finally:
        if connection is not None:
            connection.stop()


async def ask_in_process(application: Any, query: bytes) -> Sequence[Any]:  # Any: ASGI
    """Hand one request to an application as uvicorn would; gives what it sent."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1"), (b"hx-request", b"true")],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "state": {},
    }
    sent: list[Any] = []
    asked = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Any:
        return asked.pop() if asked else await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return sent
