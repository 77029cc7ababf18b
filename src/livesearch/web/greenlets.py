"""Synchronous code that waits without blocking the loop.

``spawn`` runs a plain function in a greenlet on the running event loop; ``await_`` called inside it suspends that
greenlet until an awaitable is done, while the loop goes on. SQLAlchemy 2.1 drives its async engines the same way
(``sqlalchemy.util.concurrency``, MIT, after a gist by Alexey Borzenkov); the pair stands here again because the web
floor knows no SQL.
"""

from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar, cast

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]  # greenlet ships no types

P = ParamSpec("P")
T = TypeVar("T")


class _WaitingGreenlet(greenlet):  # type: ignore[misc]  # its base is untyped
    # SQLAlchemy looks for this mark: a synchronous Session may then do its IO inside ours.
    __sqlalchemy_greenlet_provider__ = True

    def __init__(self, run: Callable[..., object], driver: Any) -> None:  # Any: an untyped greenlet
        super().__init__(run, driver)
        # One Context for both sides: what a view sets, the code around it sees, and the other way round.
        self.gr_context = driver.gr_context


def in_greenlet() -> bool:
    """Whether ``await_`` can be used here."""
    return getattr(getcurrent(), "__sqlalchemy_greenlet_provider__", False)


def await_(awaitable: Awaitable[T]) -> T:
    """Wait for an awaitable from synchronous code under ``spawn``; the loop runs on meanwhile."""
    return cast("T", getcurrent().parent.switch(awaitable))


async def spawn(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a synchronous function in a greenlet of its own, on this task and this loop.

    What it waits for is awaited by the calling task, so a cancellation is raised at the very ``await_`` it waits in.
    """
    worker = _WaitingGreenlet(function, getcurrent())
    result = worker.switch(*args, **kwargs)
    while not worker.dead:
        try:
            value = await result
        except BaseException as error:  # noqa: BLE001  # a cancellation, too, belongs to the code that waits
            result = worker.throw(error)
        else:
            result = worker.switch(value)
    return cast("T", result)
