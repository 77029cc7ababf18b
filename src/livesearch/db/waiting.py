"""Waiting for what must not be left half done, also when nobody wants it any more."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Seconds between two nudges of a statement: one that falls between two steps of the store has no effect.
NUDGE_SECONDS = 0.005


def _nothing() -> None: ...


async def outlast(future: asyncio.Future[T], nudge: Callable[[], None] = _nothing) -> T:
    """Wait until a future is done, also when cancelled; only then is the cancellation raised.

    Args:
        future: What is waited for; it is never cancelled.
        nudge: Called every few milliseconds from the cancellation on, to hasten it.
    """
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            nudge()
            try:
                await asyncio.wait([future], timeout=NUDGE_SECONDS)
            except asyncio.CancelledError:
                continue  # cancelled again: nothing more to do than to wait on
        if not future.cancelled():
            future.exception()  # looked at: "interrupted" is what we asked for
        raise
