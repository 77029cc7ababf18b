"""Connections are taken as they come, whatever else the loop has to do."""

import asyncio
import socket

import uvloop

from livesearch.guard.server import bind, multiplied


class _Counting(asyncio.Protocol):
    """Notes at which turn of the loop each connection was taken."""

    taken: list[int]
    turn = 0

    def connection_made(self, _transport: asyncio.BaseTransport) -> None:
        _Counting.taken.append(_Counting.turn)


def test_a_hundred_connections_are_taken_in_a_few_turns_of_the_loop() -> None:
    _Counting.taken, _Counting.turn = [], 0

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        listeners = multiplied(bind("127.0.0.1", 0))
        servers = [await loop.create_server(_Counting, sock=one, backlog=200) for one in listeners]
        clients = [socket.create_connection(listeners[0].getsockname()) for _ in range(100)]
        while len(_Counting.taken) < 100 and _Counting.turn < 1000:
            _Counting.turn += 1
            await asyncio.sleep(0)
        for client in clients:
            client.close()
        for server in servers:
            server.close()
            await server.wait_closed()

    uvloop.run(serve())

    assert len(_Counting.taken) == 100
    assert _Counting.taken[-1] - _Counting.taken[0] < 10


def test_every_address_of_a_name_is_taken() -> None:
    bound = bind("localhost", 0)

    addresses = {info[4][0] for info in socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
    assert {one.getsockname()[0] for one in bound} == addresses
    for one in bound:
        one.close()
