"""Clients that have left before their request is looked at, as happens when the loop is busy."""

import asyncio
import time

import pytest

from livesearch.bridge import LoopBridge, ThreadBridge
from livesearch.web.loop import LoopFlask
from tests.connections import connect
from tests.web.test_bridge_server import get, serving


@pytest.mark.parametrize("bridge_class", [LoopBridge, ThreadBridge])
def test_request_of_a_client_that_has_left_is_not_begun(bridge_class: type[LoopBridge]) -> None:
    app = LoopFlask("early")
    loops: list[asyncio.AbstractEventLoop] = []
    begun: list[str] = []

    @app.get("/first")
    async def first() -> str:
        loops.append(asyncio.get_running_loop())
        return "first"

    @app.get("/abandoned")
    async def abandoned() -> str:
        begun.append("abandoned")
        return "abandoned"

    with serving(bridge_class(app)) as port:
        get(port, "/first")
        loops[0].call_soon_threadsafe(time.sleep, 0.3)
        for _ in range(20):
            connect(port, "GET /abandoned HTTP/1.1\nHost: localhost\n\n").close()
        answer = get(port, "/first")

    assert answer.endswith(b"first")
    assert begun == []
