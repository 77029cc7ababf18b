"""Hearing of a client that leaves while its request is at work."""

import asyncio
from collections.abc import Callable, Generator
from types import coroutine
from typing import Any, Self

from asgiref.typing import ASGIReceiveCallable, ASGIReceiveEvent


class Listening:
    """Awaits what a server says, beside the task that works and without another, which would cost much more.

    ``receive`` must wait for futures alone, as those of servers do: it goes on when they call back, in no task.
    """

    def __init__(self, receive: ASGIReceiveCallable, on_leaving: Callable[[], None]) -> None:
        """Make ready to listen from ``with`` on, to its end.

        Args:
            on_leaving: Called once, when the client has left.
        """
        self._receive, self._on_leaving = receive, on_leaving
        self._waiting: Generator[Any, None, ASGIReceiveEvent] | None = None  # Any: what loops wait for

    def __enter__(self) -> Self:
        """Listen."""
        self._waiting = self._receive().__await__()
        self._go_on()
        return self

    def __exit__(self, *_error: object) -> None:
        """Listen no more."""
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.close()

    def _go_on(self, _future: object = None) -> None:
        while self._waiting is not None:
            try:
                future = next(self._waiting)
            except StopIteration as end:
                if end.value["type"] == "http.disconnect":
                    self._waiting = None
                    self._on_leaving()
                else:
                    self._waiting = self._receive().__await__()
            else:
                if future is None:
                    asyncio.get_running_loop().call_soon(self._go_on)
                else:
                    future._asyncio_future_blocking = False  # noqa: SLF001  # what a task does
                    future.add_done_callback(self._go_on)
                return


@coroutine
def turns(count: int) -> Generator[None, None, None]:
    """Let the loop go round so often."""
    for _ in range(count):
        yield
