"""Whatever holds the event loop is noticed."""

import asyncio
import time

import structlog

from livesearch.guard.lag import lag_watched


async def test_a_loop_that_was_held_is_noticed_and_logged() -> None:
    with structlog.testing.capture_logs() as lines:
        async with lag_watched():
            await asyncio.sleep(0.05)
            time.sleep(0.3)  # noqa: ASYNC251  # what nobody should do
            await asyncio.sleep(0.05)

    held = next(line for line in lines if line["event"] == "loop held" and line["ms"] > 200)
    assert held["cpu_ms"] < 200  # it slept: the call blocked, the processor did not work


async def test_waiting_is_not_holding() -> None:
    seen: list[float] = []
    async with lag_watched(lambda held, _: seen.append(held)):
        await asyncio.sleep(0.3)

    assert [held for held in seen if held > 0.25] == []
