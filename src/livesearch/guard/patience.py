"""Waiting for a while, and at no cost for what need not be waited for."""

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """Await a coroutine, at most so long. A clock is set only if it waits: an answer seldom does until it is sent.

    Raises:
        TimeoutError: The time was up.
    """
    try:
        waited_for = work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    async with asyncio.timeout(seconds):
        return await _go_on(work, waited_for)


@coroutine
def _go_on(work: Coroutine[Any, Any, T], waited_for: Any) -> Generator[Any, Any, T]:  # Any: what loops wait for
    """Await a coroutine that waits already: ``await`` takes none that has begun."""
    while True:
        try:
            try:
                sent = yield waited_for
            except BaseException as error:  # noqa: BLE001  # a cancellation, too, is the coroutine's
                waited_for = work.throw(error)
            else:
                waited_for = work.send(sent)
        except StopIteration as end:
            result: T = end.value
            return result
