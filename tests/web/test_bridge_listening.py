"""Listening for a client beside the task that works for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from livesearch.bridge.listening import Listening, turns

REQUEST = {"type": "http.request", "body": b"", "more_body": False}
LEFT = {"type": "http.disconnect"}


def listening(receive: Callable[[], Awaitable[Any]], told: list[str]) -> Listening:
    return Listening(cast("Any", receive), lambda: told.append("left"))


async def test_what_comes_before_a_client_leaves_is_passed_over() -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    told: list[str] = []
    with listening(inbox.get, told):
        inbox.put_nowait(REQUEST)
        inbox.put_nowait(REQUEST)
        await turns(5)
        before = list(told)
        inbox.put_nowait(LEFT)
        await turns(5)

    assert (before, told) == ([], ["left"])


async def test_a_client_that_has_left_already_is_told_of_at_once() -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    told: list[str] = []
    for message in (REQUEST, LEFT, LEFT):
        inbox.put_nowait(message)
    with listening(inbox.get, told):
        at_once = list(told)
        await turns(5)

    assert (at_once, told) == (["left"], ["left"])


async def test_nothing_is_heard_once_it_is_over() -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    told: list[str] = []
    with listening(inbox.get, told):
        pass
    with listening(inbox.get, told):
        inbox.put_nowait(LEFT)  # which has woken it, but in a turn that does not come
    await turns(5)

    assert told == []


async def test_a_server_may_take_turns_and_time() -> None:
    told: list[str] = []

    async def receive() -> Any:  # Any: ASGI
        await asyncio.sleep(0)
        async with asyncio.Lock():
            await asyncio.sleep(0.001)
        return LEFT

    with listening(receive, told):
        await asyncio.sleep(0.05)

    assert told == ["left"]


async def test_what_a_server_waits_for_is_left_in_order() -> None:
    has_ended: list[str] = []

    async def receive() -> Any:  # Any: ASGI
        try:
            await asyncio.Event().wait()
        finally:
            has_ended.append("ended")

    with listening(receive, []):
        await turns(2)

    assert has_ended == ["ended"]


async def test_a_failure_of_the_server_is_told_to_the_loop(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    async def receive() -> Any:  # Any: ASGI
        await asyncio.sleep(0)
        raise OSError("broken")

    with listening(receive, told):
        await turns(3)

    assert told == []
    assert "broken" in caplog.text


async def test_turns_are_those_of_the_loop() -> None:
    seen: list[int] = []
    asyncio.get_running_loop().call_soon(seen.append, 1)
    await turns(1)

    assert seen == [1]
