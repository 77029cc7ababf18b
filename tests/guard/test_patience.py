"""Waiting for a while: as `asyncio.timeout` does it, whether there is something to wait for or not."""

import asyncio

import pytest

from livesearch.guard.patience import within


async def _answer(*pauses: float) -> str:
    for pause in pauses:
        await asyncio.sleep(pause)
    return "answer"


@pytest.mark.parametrize("pauses", [(), (0,), (0.001, 0, 0.002)])
async def test_what_comes_in_time_is_given(pauses: tuple[float, ...]) -> None:
    assert await within(1, _answer(*pauses)) == "answer"


async def test_what_does_not_is_cancelled() -> None:
    told: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            told.append("cancelled")
            raise

    with pytest.raises(TimeoutError):
        await within(0.01, wait())
    assert told == ["cancelled"]


@pytest.mark.parametrize("pauses", [(), (0,)])
async def test_errors_pass(pauses: tuple[float, ...]) -> None:
    async def fail() -> None:
        await _answer(*pauses)
        raise KeyError

    with pytest.raises(KeyError):
        await within(1, fail())


async def test_a_cancellation_from_outside_passes() -> None:
    task = asyncio.create_task(within(5, _answer(5)))
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_that_is_overcome_is_none() -> None:
    async def stubborn() -> str:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        return "went on"

    task = asyncio.create_task(within(5, stubborn()))
    await asyncio.sleep(0)
    task.cancel()

    assert await task == "went on"
