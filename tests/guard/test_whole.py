"""An answer in one piece reads as uvicorn's own, and only where uvicorn would keep the connection."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from livesearch.guard.whole import send_computed, send_whole

BODY = b"an answer"
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"9"), (b"x-other", b"a: b")]
HEAD = b"content-type: text/plain\r\ncontent-length: 9\r\nx-other: a: b\r\n"
# By what is asked: headers that make an answer unusual.
ODD: dict[bytes, list[tuple[bytes, bytes]]] = {
    b"line": [(b"x-split", b"a\r\nset-cookie: b=c")],
    b"feed": [(b"x-split", b"a\nb")],
    b"nul": [(b"x-nul", b"\0")],
    b"delete": [(b"x-delete", b"\x7f")],
    b"name": [(b"x-split\n", b"")],
    b"close": [(b"connection", b"close")],
    b"chunked": [(b"transfer-encoding", b"chunked")],
    b"long": [(b"content-length", b"10")],
    b"tab": [(b"x-tab", b"a\tb"), (b"x-latin", b"gr\xfc\xdf"), (b"set-cookie", b"a=b"), (b"set-cookie", b"c=d")],
}
GET = b"GET /%b HTTP/1.1\r\nHost: a\r\n\r\n"

sent_whole: list[bool] = []


async def application(scope: Any, _receive: Any, send: Any) -> None:  # Any: ASGI
    """In one piece at /whole and /computed, as ever elsewhere."""
    headers = HEADERS + ODD.get(scope["query_string"], [])
    if scope["path"] in {"/whole", "/computed"}:
        send.__self__.access_log = False  # test runners listen to all loggers
        is_known = scope["path"] == "/whole"
        sent_whole.append(send_whole(send, HEAD, BODY) if is_known else send_computed(send, headers, BODY))
        if sent_whole[-1]:
            return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = uvicorn.Config(
        application,
        port=0,
        http="livesearch.guard.protocol:GuardedProtocol",
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    server, has_started = uvicorn.Server(config), threading.Event()
    original = server.startup

    async def startup(sockets: list[socket.socket] | None = None) -> None:
        await original(sockets)
        has_started.set()

    server.startup = startup  # type: ignore[method-assign]  # to be told
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert has_started.wait(30)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


@pytest.fixture(autouse=True)
def _forget() -> None:
    sent_whole.clear()


def exchange(port: int, sent: bytes) -> bytes:
    """All that is answered until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def test_answer_is_uvicorns_to_the_byte(port: int) -> None:
    whole = exchange(port, GET % b"whole" + LAST)
    usual = exchange(port, GET % b"usual" + LAST)

    assert sent_whole == [True]
    assert whole == usual
    assert whole.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n")


def test_computed_answer_is_uvicorns_to_the_byte(port: int) -> None:
    computed = exchange(port, GET % b"computed" + GET % b"computed?tab" + LAST)
    usual = exchange(port, GET % b"usual" + GET % b"usual?tab" + LAST)

    assert sent_whole == [True, True]
    assert computed == usual
    assert b"x-latin: gr\xfc\xdf\r\nset-cookie: a=b\r\nset-cookie: c=d\r\n" in computed


@pytest.mark.parametrize("odd", sorted(ODD.keys() - {b"tab"}))
def test_headers_that_are_unusual_are_left_to_uvicorn(port: int, odd: bytes) -> None:
    answer = exchange(port, GET % (b"computed?" + odd) + LAST)

    assert sent_whole == [False]
    assert answer == exchange(port, GET % (b"usual?" + odd) + LAST)


def test_connection_goes_on_and_pipelined_requests_are_answered_in_order(port: int) -> None:
    answers = exchange(port, (GET % b"whole") * 20 + GET % b"usual" + (GET % b"whole") * 3 + LAST)

    assert sent_whole == [True] * 23
    assert answers.count(BODY) == 25


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /whole HTTP/1.0\r\n\r\n",
        b"GET /whole HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"HEAD /whole HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
)
def test_what_is_unusual_is_left_to_uvicorn(port: int, request_: bytes) -> None:
    answer = exchange(port, request_)

    assert sent_whole == [False]
    assert answer == exchange(port, request_.replace(b"/whole", b"/usual"))


async def test_other_servers_are_left_alone() -> None:
    async def send(_: object) -> None: ...

    assert not send_whole(send, HEAD, BODY)
    assert not send_computed(send, HEADERS, BODY)
