"""Synchronous code that waits without blocking the loop.

``spawn`` runs a plain function in a greenlet on the running event loop; ``await_`` called inside it suspends that
greenlet until an awaitable is done, while the loop goes on. SQLAlchemy 2.1 drives its async engines the same way
(``sqlalchemy.util.concurrency``, MIT, after a gist by Alexey Borzenkov); the pair stands here again because the web
floor knows no SQL, and because greenlets are used again: Python 3.11 maps memory for the frames of each new one, which
took 8 µs for a function that does nothing, and a request goes deep.
"""

import threading
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar, cast

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]  # greenlet ships no types

P = ParamSpec("P")
T = TypeVar("T")


# Greenlets that wait for work, at most, by thread; they cannot leave theirs.
IDLE_COUNT = 64


class Idle(threading.local):
    """Those of this thread."""

    def __init__(self) -> None:
        self.workers: list[_Worker] = []


class _Worker(greenlet):  # type: ignore[misc]  # its base is untyped
    """Runs one function after the other.

    Attributes:
        job: What to run, and on what; None once it has begun.
        outcome: What came of it, and what it raised; None while it runs.
    """

    # SQLAlchemy looks for this mark: a synchronous Session may then do its IO inside ours.
    __sqlalchemy_greenlet_provider__ = True

    job: tuple[Callable[..., object], tuple[object, ...], dict[str, object]] | None = None
    outcome: tuple[object, BaseException | None] | None = None

    def run(self) -> None:
        """Run what is given. Nothing of it is left when it is done: whoever comes next may be somebody else."""
        while self.job is not None:
            function, args, kwargs = self.job
            self.job = None
            try:
                self.outcome = (function(*args, **kwargs), None)
            except BaseException as error:  # noqa: BLE001  # raised where it was spawned
                self.outcome = (None, error)
            del function, args, kwargs
            self.parent.switch()


idle = Idle()


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
    driver = getcurrent()
    worker = idle.workers.pop() if idle.workers else _Worker()
    # One Context for both sides: what a view sets, the code around it sees, and the other way round.
    worker.parent, worker.gr_context = driver, driver.gr_context
    worker.job = (function, args, kwargs)
    result = worker.switch()
    while worker.outcome is None:
        try:
            value = await result
        except BaseException as failure:  # noqa: BLE001  # a cancellation, too, belongs to the code that waits
            result = worker.throw(failure)
        else:
            result = worker.switch(value)
    (value, error), worker.outcome, worker.gr_context = worker.outcome, None, None
    if len(idle.workers) < IDLE_COUNT:
        idle.workers.append(worker)
    if error is not None:
        try:
            raise error
        finally:
            del error  # it knows this frame
    return cast("T", value)
