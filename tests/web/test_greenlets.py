"""Greenlets that are used again: whoever comes next finds nothing of whoever was there before."""

import asyncio
import contextvars
import gc
import weakref

import pytest

from livesearch.web import greenlets
from livesearch.web.greenlets import IDLE_COUNT, await_, in_greenlet, spawn

MARK: contextvars.ContextVar[str] = contextvars.ContextVar("MARK", default="nobody")


async def test_a_greenlet_used_again_has_the_context_of_its_caller() -> None:
    seen: list[str] = []

    def visit(name: str) -> None:
        seen.append(MARK.get())
        MARK.set(name)
        await_(asyncio.sleep(0))
        seen.append(MARK.get())

    async def call(name: str) -> None:
        await spawn(visit, name)
        seen.append(MARK.get())

    for name in ("ada", "bob"):
        await asyncio.create_task(call(name), context=contextvars.Context())

    assert seen == ["nobody", "ada", "ada", "nobody", "bob", "bob"]


async def test_a_greenlet_that_has_failed_is_used_again() -> None:
    def fail() -> None:
        await_(asyncio.sleep(0))
        raise ZeroDivisionError

    greenlets.idle.workers.clear()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await spawn(fail)
    assert await spawn(in_greenlet)
    assert len(greenlets.idle.workers) == 1


async def test_a_cancelled_wait_is_cancelled_in_the_greenlet_which_may_go_on() -> None:
    began = asyncio.Event()

    def wait() -> str:
        began.set()
        try:
            await_(asyncio.sleep(10))
        except asyncio.CancelledError:
            await_(asyncio.sleep(0))
            return "cleared up"
        return "slept"

    task = asyncio.create_task(spawn(wait))
    await began.wait()
    task.cancel()

    assert await task == "cleared up"


async def test_many_at_once_have_a_greenlet_each_and_few_are_kept() -> None:
    count = IDLE_COUNT + 20
    gate = asyncio.Event()

    def wait(number: int) -> int:
        await_(gate.wait())
        return number

    tasks = [asyncio.create_task(spawn(wait, number)) for number in range(count)]
    await asyncio.sleep(0)
    gate.set()

    assert await asyncio.gather(*tasks) == list(range(count))
    assert len(greenlets.idle.workers) == IDLE_COUNT


async def test_nothing_of_a_call_is_kept() -> None:
    class Thing:
        pass

    def take(thing: Thing) -> Thing:
        return thing

    argument = Thing()
    gone = weakref.ref(argument)
    await spawn(take, argument)
    del argument
    gc.collect()

    assert gone() is None
