"""The bridge under a real uvicorn: reused connections, hang-ups, stalled readers; asgiref's own bridge beside it."""

import asyncio
import contextvars
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Literal, cast

import psutil
import pytest
import uvicorn
from asgiref.wsgi import WsgiToAsgi
from flask import Flask, Response, g, request, stream_with_context
from sqlalchemy import text

from livesearch.bridge import LoopBridge, ThreadBridge, limits
from livesearch.config import Settings
from livesearch.db import READER_COUNT, Database
from livesearch.guard import protocol
from livesearch.web.loop import LoopFlask, aiter_sync
from tests.connections import connect, read_all

MARK: contextvars.ContextVar[str] = contextvars.ContextVar("MARK")
SLOW = (
    "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 30000000)"
    " SELECT count(*) FROM number"
)


def add_quick_views(app: Flask) -> None:
    @app.get("/hello")
    async def hello() -> str:
        return "hello"

    @app.get("/sleep")
    async def sleep() -> str:
        await asyncio.sleep(0.2)
        return "slept"


class Site(LoopFlask):
    """An application over a database; `events` holds what happened and when."""

    def __init__(self, database: Database) -> None:
        super().__init__("site")
        self.database = database
        self.events: list[tuple[str, float]] = []
        self.loop: asyncio.AbstractEventLoop | None = None
        self.piece_count = 0
        add_quick_views(self)
        self.add_url_rule("/slow", view_func=self.slow)
        self.add_url_rule("/store", view_func=self.store)
        self.add_url_rule("/write", view_func=self.write, methods=["POST"])
        self.add_url_rule("/who", view_func=self.who)
        self.add_url_rule("/ticks", view_func=self.ticks)
        self.add_url_rule("/flood", view_func=self.flood)
        self.add_url_rule("/large", view_func=self.large)
        self.add_url_rule("/breaks", view_func=self.breaks)
        self.add_url_rule("/umlaut", view_func=self.umlaut)
        self.add_url_rule("/upload", view_func=self.upload, methods=["POST"])

    def note(self, event: str) -> None:
        self.events.append((event, time.perf_counter()))

    def noted(self, event: str) -> list[float]:
        return [at for name, at in self.events if name == event]

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.loop = asyncio.get_running_loop()
        await self.database.warm()
        self.note("started")
        yield
        await self.database.close()
        self.note("stopped")

    async def slow(self) -> str:
        try:
            async with self.database.read() as connection:
                self.note("asking")
                return str((await connection.execute(text(SLOW))).scalar_one())
        except asyncio.CancelledError:
            self.note("cancelled")
            raise

    async def store(self) -> str:
        async with self.database.read() as connection:
            return str((await connection.execute(text("SELECT 40 + 2"))).scalar_one())

    async def write(self) -> str:
        self.note("writing")
        await asyncio.sleep(0.2)
        self.note("written")
        return "written"

    def umlaut(self) -> tuple[str, dict[str, str]]:
        return "", {"HX-Trigger": "grüß"}

    def upload(self) -> str:
        return str(len(request.get_data()))

    async def who(self) -> Response:
        """Tell what an earlier request left behind, if anything; leave something behind."""
        name = request.args["name"]
        found = (g.get("name"), MARK.get(None))
        g.name = name
        MARK.set(name)
        body = f"{name} {found}"
        parts = (part for part in (body[:2], body[2:]))
        return Response(stream_with_context(parts), headers={"Content-Length": str(len(body))})

    async def ticks(self) -> Response:
        async def tick() -> AsyncGenerator[str, None]:
            try:
                for number in itertools.count():
                    yield f"{number}\n"
                    await asyncio.sleep(0.005)
            finally:
                self.note("ticker ended")

        return Response(aiter_sync(tick()))

    def flood(self) -> Response:
        def pieces() -> Iterator[bytes]:
            try:
                for self.piece_count in range(10_000):
                    yield bytes(65536)
            finally:
                self.note("flood ended")

        return Response(pieces())

    def large(self) -> bytes:
        return b"a" * 5_000_000

    def breaks(self) -> Response:
        def parts() -> Iterator[str]:
            yield "half"
            raise ZeroDivisionError

        return Response(parts())


@contextmanager
def serving(app: Any, loop: Literal["uvloop", "asyncio"] = "uvloop") -> Iterator[int]:
    """Serve an ASGI application in a thread; yields its port. It ends with the block."""
    config = uvicorn.Config(
        app,
        port=0,
        loop=loop,
        http="livesearch.guard.protocol:GuardedProtocol",
        ws="none",
        lifespan="on",
        log_level="critical",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()


def wait_until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.002)


def make_site(folder: Path) -> Site:
    return Site(Database(Settings(store_url=f"sqlite+aiosqlite:///{folder}/store.db")))


@pytest.fixture(scope="module", params=["uvloop", "asyncio", "threads"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, int]]:
    site = make_site(tmp_path_factory.mktemp("site"))
    bridge_class = ThreadBridge if request.param == "threads" else LoopBridge
    with serving(
        bridge_class(site, lifespan=site.lifespan), "asyncio" if request.param == "asyncio" else "uvloop"
    ) as number:
        yield site, number


@pytest.fixture
def site(served: tuple[Site, int]) -> Site:
    served[0].events.clear()
    return served[0]


@pytest.fixture
def port(served: tuple[Site, int]) -> int:
    return served[1]


def get(port: int, path: str) -> bytes:
    return read_all(connect(port, f"GET {path} HTTP/1.1\nHost: localhost\nConnection: close\n\n"))


async def hammer(port: int, *, clients: int, requests: int, seconds: float = 30.0) -> Counter[str]:
    """Send requests one after the other on each of many kept connections; count the answers by status."""
    statuses: Counter[str] = Counter()

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)  # asyncio sets TCP_NODELAY
        try:
            for _ in range(requests):
                writer.write(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                statuses[head[9:12].decode()] += 1
        except (OSError, asyncio.IncompleteReadError):
            statuses["broken"] += 1
        finally:
            writer.close()

    try:
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(ask() for _ in range(clients)))
    except TimeoutError:
        statuses["late"] += 1
    return statuses


async def seconds_for_ten_sleepers(port: int) -> float:
    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /sleep HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"slept")
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(10)))
    return time.perf_counter() - started


@contextmanager
def serving_process(bridge: str) -> Iterator[int]:
    """Serve the quick views in a process of their own, over our bridge or asgiref's; yields the port."""
    # The root of the checkout, too: run as a program, this file has only its own folder to import `tests` from.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])}
    process = subprocess.Popen(  # noqa: S603  # this file, run by this interpreter
        [sys.executable, __file__, bridge], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    )
    assert process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


@pytest.fixture(scope="module")
def quick_port() -> Iterator[int]:
    with serving_process("ours") as number:
        yield number


async def test_64_kept_connections_answer_every_request(quick_port: int) -> None:
    statuses = await hammer(quick_port, clients=64, requests=160, seconds=90)

    assert statuses == {"200": 10_240}


async def test_ten_sleeping_views_take_as_long_as_one(quick_port: int) -> None:
    assert min([await seconds_for_ten_sleepers(quick_port) for _ in range(3)]) < 0.5


async def test_plain_bridge_fails_both_promises() -> None:
    """Why there is a bridge of our own. When this fails, asgiref has mended its own: look again."""
    with serving_process("asgiref's") as port:
        seconds = await seconds_for_ten_sleepers(port)
        statuses = await hammer(port, clients=64, requests=100, seconds=5)

    assert seconds > 1.5
    assert statuses["500"] + statuses["broken"] > 50


def test_nothing_passes_to_the_next_request_on_a_connection(port: int) -> None:
    names = [f"n{number:03}" for number in range(100)]
    requests = "".join(f"GET /who?name={name} HTTP/1.1\nHost: localhost\n\n" for name in names)
    last = "GET /who?name=last HTTP/1.1\nHost: localhost\nConnection: close\n\n"
    answer = read_all(connect(port, requests + last)).decode()

    assert [line for line in answer.replace("HTTP/1.1", "\n").splitlines() if "(" in line] == [
        f"{name} (None, None)" for name in [*names, "last"]
    ]


def test_hang_up_interrupts_the_statement_in_the_database(port: int, site: Site) -> None:
    delays = []
    for attempt in range(3):
        connection = connect(port, "GET /slow HTTP/1.1\nHost: localhost\n\n")
        wait_until(lambda attempt=attempt: len(site.noted("asking")) == attempt + 1)  # type: ignore[misc]
        time.sleep(0.05)
        hung_up_at = time.perf_counter()
        connection.close()
        wait_until(lambda attempt=attempt: len(site.noted("cancelled")) == attempt + 1)  # type: ignore[misc]
        delays.append(site.noted("cancelled")[-1] - hung_up_at)

    assert min(delays) < 0.05
    pool = site.database._reader.sync_engine.pool  # noqa: SLF001
    wait_until(lambda: pool.checkedin() == READER_COUNT)  # type: ignore[attr-defined]
    assert [get(port, "/store")[-2:] for _ in range(READER_COUNT + 1)] == [b"42"] * (READER_COUNT + 1)


def test_hang_up_lets_a_write_run_to_its_end(port: int, site: Site) -> None:
    connection = connect(port, "POST /write HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n")
    wait_until(lambda: site.noted("writing"))
    connection.close()

    wait_until(lambda: site.noted("written"))


def test_hang_up_ends_a_stream(port: int, site: Site) -> None:
    connection = connect(port, "GET /ticks HTTP/1.1\nHost: localhost\n\n")
    assert b"200 OK" in connection.recv(4096)
    assert get(port, "/hello").endswith(b"hello")  # others are served meanwhile
    connection.close()

    wait_until(lambda: site.noted("ticker ended"))


def test_endless_synchronous_stream_leaves_others_the_loop(port: int, site: Site) -> None:
    connection = connect(port, "GET /flood HTTP/1.1\nHost: localhost\n\n")
    reading = threading.Thread(target=lambda: [connection.recv(1 << 20) for _ in range(200)])
    reading.start()
    assert get(port, "/hello").endswith(b"hello")
    reading.join()
    assert not site.noted("flood ended")
    connection.close()

    wait_until(lambda: site.noted("flood ended"))


def test_stalled_reader_is_given_up(port: int, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEND_SECONDS", 0.3)
    connection = connect(port, "GET /flood HTTP/1.1\nHost: localhost\n\n")
    time.sleep(0.1)
    assert get(port, "/hello").endswith(b"hello")
    wait_until(lambda: site.noted("flood ended"))

    assert site.piece_count < 1000  # of 10,000: what the buffers of both kernels and the server hold
    connection.close()


def open_connections(port: int) -> int:
    """Connections that the server, which runs in this process, has not closed."""
    connections = psutil.Process().net_connections("tcp")
    return sum(one.laddr.port == port and one.status == psutil.CONN_ESTABLISHED for one in connections)


def test_45_stalled_readers_of_5_mb_hold_nobody_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEND_SECONDS", 2.0)
    monkeypatch.setattr(protocol, "STALL_SECONDS", 2.5)
    stalled = [connect(port, "GET /large HTTP/1.1\nHost: localhost\n\n") for _ in range(45)]
    time.sleep(0.5)
    seconds = []
    for _ in range(10):
        started = time.perf_counter()
        assert get(port, "/hello").endswith(b"hello")
        seconds.append(time.perf_counter() - started)

    assert sorted(seconds)[5] < 0.5  # stalled, a thread or the loop would be held for 2
    wait_until(lambda: not open_connections(port), 8)
    for connection in stalled:
        connection.close()


def test_break_within_an_answer_is_told_by_the_connection(port: int) -> None:
    answer = get(port, "/breaks")

    assert answer.endswith(b"half\r\n")  # no last chunk: the client knows that it is not whole
    assert get(port, "/hello").endswith(b"hello")


def test_chunked_upload_arrives(port: int) -> None:
    chunk = b"fa0\r\n" + bytes(4000) + b"\r\n"
    head = b"POST /upload HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert read_all(connect(port, head + 20 * chunk + b"0\r\n\r\n")).endswith(b"80000")


def test_upload_over_the_limit_is_refused(port: int) -> None:
    head = "POST /upload HTTP/1.1\nHost: localhost\nContent-Length: 1048577\n\n"

    assert read_all(connect(port, head)).startswith(b"HTTP/1.1 413 ")


def test_header_outside_ascii_is_sent_as_latin_1(port: int) -> None:
    assert b"\r\nhx-trigger: gr\xfc\xdf\r\n" in get(port, "/umlaut")


def test_websocket_is_refused(port: int) -> None:
    handshake = (
        "GET /hello HTTP/1.1\nHost: localhost\nUpgrade: websocket\nConnection: Upgrade\n"
        "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
    )

    assert read_all(connect(port, handshake)).startswith(b"HTTP/1.1 403 ")


def test_loop_turns_under_load(tmp_path: Path) -> None:
    async def worst_lag() -> float:
        worst, until = 0.0, time.perf_counter() + 0.7
        while time.perf_counter() < until:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            worst = max(worst, time.perf_counter() - before)
        return worst

    site = make_site(tmp_path)

    def measure(port: int) -> float:
        assert site.loop
        measured = asyncio.run_coroutine_threadsafe(worst_lag(), site.loop)
        asyncio.run(hammer(port, clients=8, requests=60))
        return measured.result(10)

    with serving(LoopBridge(site, lifespan=site.lifespan)) as port:
        lag = min(measure(port) for _ in range(3))

    assert lag < 0.1


def test_server_starts_and_stops_the_application(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    with serving(LoopBridge(site, lifespan=site.lifespan)):
        assert [name for name, _ in site.events] == ["started"]

    assert [name for name, _ in site.events] == ["started", "stopped"]


def test_server_does_not_start_over_a_failure(tmp_path: Path) -> None:
    site = make_site(tmp_path / "missing")
    server = uvicorn.Server(
        uvicorn.Config(LoopBridge(site, lifespan=site.lifespan), port=0, lifespan="on", log_level="critical")
    )

    with pytest.raises(SystemExit):
        server.run()
    assert not server.started


def test_stopping_server_ends_a_stream_and_then_the_application(tmp_path: Path) -> None:
    site = make_site(tmp_path)
    with serving(LoopBridge(site, lifespan=site.lifespan)) as port:
        connection = connect(port, "GET /ticks HTTP/1.1\nHost: localhost\n\n")
        connection.recv(4096)

    assert [name for name, _ in site.events] == ["started", "ticker ended", "stopped"]
    connection.close()


def main(bridge: str) -> None:
    """Serve the quick views until killed; say the port first."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)  # noqa: T201
    app = LoopFlask("quick") if bridge == "ours" else Flask("quick")
    add_quick_views(app)
    asgi = LoopBridge(app) if bridge == "ours" else WsgiToAsgi(app)  # type: ignore[no-untyped-call]  # asgiref has no types there
    uvicorn.Server(uvicorn.Config(cast("Any", asgi), access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1])
