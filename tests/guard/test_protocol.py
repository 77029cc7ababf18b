"""The guarded protocol under a real server: what a request's head may be, and how long it may take."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

import pytest
import uvicorn
from flask import request

from livesearch.bridge import LoopBridge
from livesearch.guard import protocol
from livesearch.web.loop import LoopFlask
from tests.connections import connect, read_all

HOST = b"Host: localhost\r\n"


def make_app() -> LoopFlask:
    app = LoopFlask("guarded")

    @app.route("/headers", methods=["GET", "POST"])
    async def headers() -> dict[str, str]:
        return {name.lower(): value for name, value in request.headers}

    return app


@pytest.fixture(scope="module", params=["uvloop", "asyncio"])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    config = uvicorn.Config(
        cast("Any", LoopBridge(make_app())),  # Any: asgiref types scopes more narrowly
        port=0,
        loop=request.param,
        http="livesearch.guard.protocol:GuardedProtocol",
        ws="none",
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def ask(port: int, head: bytes) -> bytes:
    """Send bytes, and read until the server closes the connection."""
    connection = connect(port)
    with suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(head)
    return read_all(connection)


def statuses(answer: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


GET = b"GET /headers HTTP/1.1\r\n"
POST = b"POST /headers HTTP/1.1\r\n"
CHUNKED = POST + HOST + b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /headers?q=" + b"a" * 17_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET /headers?q=" + b"a" * 1_000_000, 414),
        (GET + HOST + b"X: " + b"a" * 33_000 + b"\r\n\r\n", 431),
        (GET + HOST + b"X: " + b"a" * 1_000_000, 431),
        (GET + HOST + b"".join(b"X%d: a\r\n" % number for number in range(101)) + b"\r\n", 431),
        (b"\r\n" * 100_000, 431),
        (GET + b"\r\n", 400),
        (GET + HOST + HOST + b"\r\n", 400),
        (GET + b'Host: evil.example"><x\r\n\r\n', 400),
        (GET + b"Host: \r\n\r\n", 400),
        (b"GET http://other/headers HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /headers\r\n\r\n", 400),
        (b"GET /headers HTTP/3.0\r\n" + HOST + b"\r\n", 400),
        (b"GET /head\xffers HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (GET + HOST + b"X: a\nY: b\r\n\r\n", 400),
        (POST + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (POST + HOST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
        (POST + HOST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + HOST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + HOST + b"Transfer-Encoding: identity\r\n\r\n", 400),
        (b"POST /headers HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + HOST + b"Content-Length: 300000000\r\n\r\nab", 413),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (
            GET + HOST + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            403,
        ),
    ],
)
def test_a_head_that_oversteps_is_refused(port: int, head: bytes, status: int) -> None:
    answer = ask(port, head)

    assert statuses(answer) == [status]
    assert b"\r\nconnection: close\r\n" in answer
    assert b"\r\nx-content-type-options: nosniff\r\n" in answer


@pytest.mark.parametrize(
    "head",
    [
        b"GET /headers?q=" + b"a" * 16_000 + b" HTTP/1.1\r\n" + HOST,
        GET + HOST + b"X: " + b"a" * 31_000 + b"\r\n",
        GET + b"Host: [::1]:8000\r\n",
        GET + b"Host: xn--tst-qla.example:443\r\n",
        b"GET /headers HTTP/1.0\r\n",
        GET + HOST + b"Upgrade: h2c\r\n",
    ],
)
def test_a_plain_head_is_served(port: int, head: bytes) -> None:
    assert statuses(ask(port, head + b"Connection: close\r\n\r\n")) == [200]


def test_a_body_is_no_part_of_its_head(port: int) -> None:
    """The head comes in two segments, the second with a body that is larger than a head may be."""
    connection = connect(port)
    connection.sendall(POST + HOST + b"Connection: close\r\n")
    time.sleep(0.05)
    connection.sendall(b"Content-Length: 200000\r\n\r\n" + bytes(200_000))

    assert statuses(read_all(connection)) == [200]


def test_many_requests_in_one_segment_are_no_large_head(port: int) -> None:
    connection = connect(port)
    connection.sendall(1000 * (GET + HOST + b"\r\n") + GET)
    time.sleep(0.05)
    connection.sendall(HOST + b"Connection: close\r\n\r\n")

    assert statuses(read_all(connection)) == [200] * 1001


@pytest.mark.parametrize("endless", [b"\r\n0\r\nX: ", b"\r\n5;extension="])
def test_what_never_ends_after_the_head_is_cut_off(port: int, endless: bytes) -> None:
    assert statuses(ask(port, CHUNKED + endless + b"a" * 1_000_000)) == []


def test_headers_with_two_spellings_are_not_passed_on(port: int) -> None:
    answer = ask(port, GET + HOST + b"X_Forwarded_For: 6.6.6.6\r\nConnection: close\r\n\r\n")

    assert statuses(answer) == [200]
    assert b"6.6.6.6" not in answer


def test_headers_behind_a_body_are_not_believed(port: int) -> None:
    trailer = b"Connection: close\r\n\r\n2\r\nab\r\n0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n"
    answer = ask(port, CHUNKED + trailer)

    assert statuses(answer) == [200]
    assert b"6.6.6.6" not in answer


def test_refusal_does_not_stand_in_an_earlier_answer(port: int) -> None:
    answer = ask(port, GET + HOST + b"\r\n" + GET + b"\r\n")

    assert statuses(answer) in ([], [200])


@pytest.fixture
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)


@pytest.mark.usefixtures("_hurried")
@pytest.mark.parametrize(
    ("begun", "answers"),
    [(b"", []), (b"\r\n", []), (b"GET /hea", [408]), (GET + HOST + b"X: a", [408])],
)
def test_a_head_that_does_not_come_is_not_waited_for(port: int, begun: bytes, answers: list[int]) -> None:
    started = time.perf_counter()

    assert statuses(ask(port, begun)) == answers
    assert 0.2 < time.perf_counter() - started < 3


@pytest.mark.usefixtures("_hurried")
def test_a_head_that_trickles_is_not_waited_for(port: int) -> None:
    connection = connect(port)
    started = time.perf_counter()
    with suppress(ConnectionResetError, BrokenPipeError):
        for line in [GET] + 100 * [b"X: a\r\n"]:
            connection.sendall(line)
            time.sleep(0.03)

    assert time.perf_counter() - started < 2
    connection.close()


@pytest.mark.usefixtures("_hurried")
def test_a_later_head_that_does_not_come_is_not_waited_for_either(port: int) -> None:
    connection = connect(port)
    for _ in range(2):
        connection.sendall(b"HEAD /headers HTTP/1.1\r\n" + HOST + b"\r\n")
        assert statuses(connection.recv(65536)) == [200]
        time.sleep(0.5)  # Between requests there is no hurry.
    connection.sendall(GET)

    assert statuses(read_all(connection)) == [408]
