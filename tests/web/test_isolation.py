"""Fifty people on a few connections: each request sees its own session, context and language, and nobody else's.

``make load ARGS="isolation"`` sends 10,000 requests.
"""

import pytest

from livesearch.bridge import LoopBridge, ThreadBridge
from tests.load.isolation import make_app, mix
from tests.web.test_bridge_server import serving


@pytest.mark.parametrize(("bridge_class", "request_count"), [(LoopBridge, 1500), (ThreadBridge, 300)])
async def test_requests_of_fifty_people_never_meet(bridge_class: type[LoopBridge], request_count: int) -> None:
    with serving(bridge_class(make_app())) as port:
        mixed = await mix(port, connection_count=16, request_count=request_count)

    assert mixed.wrong == []
    assert mixed.count == request_count
