"""A watch over the event loop: whatever holds it makes everybody wait."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog

log: structlog.typing.FilteringBoundLogger = structlog.get_logger("livesearch.loop")

# Of this much of a hold nothing may be seen.
TICK_SECONDS = 0.02
# A search takes a tenth of this: longer, and somebody notices.
HELD_SECONDS = 0.1


def log_lag(held: float, busy: float) -> None:
    """Write a line.

    Args:
        held: Seconds that the loop did not turn.
        busy: Seconds of processor time that its thread had in them. Much: code that belongs in a thread. Little: a call
            that blocks, or a machine that was busy elsewhere.
    """
    log.warning("loop held", ms=round(held * 1000), cpu_ms=round(busy * 1000))


@asynccontextmanager
async def lag_watched(on_held: Callable[[float, float], None] = log_lag) -> AsyncIterator[None]:
    """Watch the running loop while the block lasts.

    Args:
        on_held: Told each time that the loop was held for more than ``HELD_SECONDS``; a metric may hang here.
    """
    watching = asyncio.create_task(_watch(on_held))
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


async def _watch(on_held: Callable[[float, float], None]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due, busy_before = loop.time() + TICK_SECONDS, time.thread_time()
        await asyncio.sleep(TICK_SECONDS)
        if (held := loop.time() - due) > HELD_SECONDS:
            on_held(held, time.thread_time() - busy_before)
