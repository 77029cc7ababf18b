"""The bridge without a server: both flavours, driven by hand-made ASGI messages or by httpx."""

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from asgiref.wsgi import WsgiToAsgi
from flask import Response, g, request
from sqlalchemy import text

from livesearch.bridge import LoopBridge, ThreadBridge, body_limit, limits
from livesearch.config import Settings
from livesearch.db import Database
from livesearch.web.greenlets import in_greenlet, spawn
from livesearch.web.loop import LoopFlask, aiter_sync, blocking

Message = dict[str, Any]  # Any: ASGI messages
MARK: contextvars.ContextVar[str] = contextvars.ContextVar("MARK")
LOOPS: list[asyncio.AbstractEventLoop] = []  # where views ran


def make_app(events: list[str]) -> LoopFlask:  # noqa: C901, PLR0915  # a list of routes
    """A small application; what happens outside of responses is told to `events`."""
    app = LoopFlask("bridged")

    @app.before_request
    async def name_visitor() -> None:
        await asyncio.sleep(0)
        g.visitor = request.args.get("visitor", "nobody")

    @app.get("/visitor")
    async def visitor() -> dict[str, object]:
        LOOPS.append(asyncio.get_running_loop())
        inherited = MARK.get(None)
        MARK.set(g.visitor)
        await asyncio.sleep(0.002)
        return {"visitor": g.visitor, "argument": request.args["visitor"], "inherited": inherited}

    @app.post("/upload")
    async def upload() -> str:
        return str(len(request.get_data()))

    @app.route("/sleep", methods=["GET", "POST"])
    async def sleep() -> str:
        events.append("sleeping")
        try:
            await asyncio.sleep(0.2)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise
        events.append("slept")
        return "slept"

    @app.get("/closes")
    async def closes() -> Response:
        response = Response("closed")
        response.call_on_close(lambda: events.append("closed"))
        return response

    @app.get("/umlaut")
    async def umlaut() -> tuple[str, dict[str, str]]:
        return "", {"HX-Trigger": "grüß"}

    @app.get("/ticks")
    async def ticks() -> Response:
        async def tick() -> AsyncGenerator[str, None]:
            try:
                for number in range(100_000):
                    yield f"{number}\n"
                    await asyncio.sleep(0.001)
            finally:
                await asyncio.sleep(0)
                events.append("ticker ended")

        return Response(aiter_sync(tick()))

    @app.get("/flood")
    def flood() -> Response:
        def pieces() -> Iterator[bytes]:
            for _ in range(20_000):
                yield b"drop"
            events.append("flood ended")

        return Response(pieces())

    @app.get("/breaks")
    def breaks() -> Response:
        def parts() -> Iterator[str]:
            try:
                yield "half"
                raise ZeroDivisionError
            finally:
                events.append("parts ended")

        return Response(parts())

    @app.get("/long")
    def long() -> Response:
        return Response(iter(["abc", "def", "ghi"]), headers={"Content-Length": "4"})

    @app.get("/blocking")
    @blocking
    def block() -> dict[str, object]:
        async def where() -> bool:
            return asyncio.get_running_loop() is LOOPS[-1]

        time.sleep(0.2)
        return {"thread": threading.current_thread().name, "same_loop": app.async_to_sync(where)()}

    @app.get("/numbers")
    async def numbers() -> Response:
        async def count() -> AsyncGenerator[str, None]:
            for number in range(3):
                await asyncio.sleep(0)
                yield str(number)

        return Response(aiter_sync(count()))

    return app


@pytest.fixture
def events() -> list[str]:
    LOOPS.clear()
    return []


@pytest.fixture(params=[(LoopBridge, True), (LoopBridge, False), (ThreadBridge, True)])
def bridge(request: pytest.FixtureRequest, events: list[str], monkeypatch: pytest.MonkeyPatch) -> LoopBridge:
    """A bridge, and whether its server gives each request a context of its own."""
    kind, is_apart = request.param
    monkeypatch.setattr(Call, "is_apart", is_apart)
    return cast("LoopBridge", kind(make_app(events)))


def client(bridge: LoopBridge) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(cast("Any", bridge))  # Any: httpx has its own names for ASGI types
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


class Call:
    """One ASGI call by hand: what it is told, what it sent. The last message is noted in `events`, too."""

    is_apart = True

    def __init__(
        self,
        bridge: LoopBridge,
        path: str,
        method: str = "GET",
        headers: Iterable[tuple[bytes, bytes]] = (),
        events: list[str] | None = None,
    ) -> None:
        self.sent: list[Message] = []
        self.events = [] if events is None else events
        self.is_reading = asyncio.Event()
        self.is_reading.set()
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        scope = {
            "type": "http", "method": method, "path": path, "query_string": b"", "http_version": "1.1",
            "headers": list(headers), "server": ("localhost", 80), "client": ("127.0.0.1", 1), "scheme": "http",
        }  # fmt: skip
        context = contextvars.Context()
        if not self.is_apart:
            context.run(MARK.set, "the server's own")
        self.task: asyncio.Task[None] = asyncio.create_task(
            bridge(cast("Any", scope), cast("Any", self.inbox.get), self.send), context=context
        )

    async def send(self, message: Any) -> None:
        await self.is_reading.wait()
        self.sent.append(message)
        if message["type"] == "http.response.body" and not message["more_body"]:
            self.events.append("last message")

    def tell(self, *bodies: bytes) -> "Call":
        for number, body in enumerate(bodies, 1):
            self.inbox.put_nowait({"type": "http.request", "body": body, "more_body": number < len(bodies)})
        return self

    def hang_up(self) -> None:
        self.inbox.put_nowait({"type": "http.disconnect"})

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])


async def wait_for(condition: Callable[[], object], seconds: float = 2.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def test_bridge_is_asgirefs() -> None:
    assert issubclass(LoopBridge, WsgiToAsgi)


async def test_views_keep_their_visitors_apart_on_one_loop(bridge: LoopBridge) -> None:
    MARK.set("the server's own")
    async with client(bridge) as browser:
        answers = await asyncio.gather(*(browser.get("/visitor", params={"visitor": f"v{n}"}) for n in range(60)))

    assert [answer.json() for answer in answers] == [
        {"visitor": f"v{n}", "argument": f"v{n}", "inherited": None} for n in range(60)
    ]
    assert set(LOOPS) == {asyncio.get_running_loop()}


async def test_async_views_run_together(bridge: LoopBridge) -> None:
    async with client(bridge) as browser:
        started = time.perf_counter()
        await asyncio.gather(*(browser.get("/sleep") for _ in range(10)))

    assert time.perf_counter() - started < 0.5


async def test_chunked_body_arrives(bridge: LoopBridge) -> None:
    call = Call(bridge, "/upload", "POST", [(b"transfer-encoding", b"chunked")]).tell(b"a" * 70_000, b"", b"b" * 30_000)
    await call.task

    assert call.status == 200
    assert call.sent[-1] == {"type": "http.response.body", "body": b"100000", "more_body": False}


@pytest.mark.parametrize("declared", [True, False])
async def test_body_over_the_limit_is_refused_before_the_application(
    events: list[str], declared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(events)
    monkeypatch.setattr(app, "wsgi_app", lambda *_: pytest.fail("called"))
    bridge = LoopBridge(app, body_limit=lambda path: 1000 if path == "/upload" else 0)
    headers = [(b"content-length", b"1001")] if declared else [(b"transfer-encoding", b"chunked")]
    call = Call(bridge, "/upload", "POST", headers).tell(b"a" * 600, b"a" * 401)
    await call.task

    assert call.status == 413
    assert (b"connection", b"close") in call.sent[0]["headers"]


async def test_body_at_the_limit_is_taken(events: list[str]) -> None:
    call = Call(LoopBridge(make_app(events), body_limit=lambda _: 1000), "/upload", "POST").tell(b"a" * 600, b"a" * 400)
    await call.task

    assert call.status == 200


@pytest.mark.parametrize(("path", "limit"), [("/imports", 3_000_000), ("/imports/7", 3_000_000), ("/login", 1_048_576)])
def test_uploads_may_be_larger_than_forms(path: str, limit: int) -> None:
    assert body_limit(Settings(max_upload_mb=3))(path) == limit


async def test_stalled_upload_is_refused(bridge: LoopBridge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECEIVE_SECONDS", 0.05)
    call = Call(bridge, "/upload", "POST")
    call.inbox.put_nowait({"type": "http.request", "body": b"a", "more_body": True})
    await call.task

    assert call.status == 408


async def test_hang_up_while_uploading_answers_nothing(bridge: LoopBridge) -> None:
    call = Call(bridge, "/upload", "POST")
    call.inbox.put_nowait({"type": "http.request", "body": b"a", "more_body": True})
    call.hang_up()
    await call.task

    assert call.sent == []


async def test_too_many_duplicate_headers_are_a_bad_request(bridge: LoopBridge) -> None:
    call = Call(bridge, "/visitor", headers=[(b"x", b"1")] * 101).tell(b"")
    await call.task

    assert call.status == 400


async def test_close_is_called_before_the_last_message(bridge: LoopBridge, events: list[str]) -> None:
    await Call(bridge, "/closes", events=events).tell(b"").task

    assert events == ["closed", "last message"]


async def test_header_outside_ascii_is_sent_as_latin_1(bridge: LoopBridge) -> None:
    call = Call(bridge, "/umlaut").tell(b"")
    await call.task

    assert (b"hx-trigger", "grüß".encode("latin-1")) in call.sent[0]["headers"]


async def test_head_has_length_but_no_body(bridge: LoopBridge) -> None:
    call = Call(bridge, "/closes", "HEAD").tell(b"")
    await call.task

    assert (b"content-length", b"6") in call.sent[0]["headers"]
    assert [message["body"] for message in call.sent[1:]] == [b""]


async def test_nothing_beyond_content_length_is_sent(bridge: LoopBridge) -> None:
    call = Call(bridge, "/long").tell(b"")
    await call.task

    assert b"".join(message["body"] for message in call.sent[1:]) == b"abcd"
    assert [message["more_body"] for message in call.sent[1:]] == [True, False]


async def test_stream_arrives_in_order(bridge: LoopBridge) -> None:
    async with client(bridge) as browser:
        answer = await browser.get("/numbers")

    assert answer.text == "012"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_hang_up_cancels_what_only_reads(bridge: LoopBridge, events: list[str], method: str) -> None:
    call = Call(bridge, "/sleep", method).tell(b"")
    await wait_for(lambda: events)
    call.hang_up()
    await call.task

    assert events == ["sleeping", "cancelled"]
    assert call.sent == []
    assert call.task.cancelling() == 0  # The server's task goes on, as if nothing had been.


async def test_hang_up_lets_a_write_run_to_its_end(bridge: LoopBridge, events: list[str]) -> None:
    call = Call(bridge, "/sleep", "POST").tell(b"")
    await wait_for(lambda: events)
    call.hang_up()
    await call.task

    assert events == ["sleeping", "slept"]


async def test_hang_up_ends_a_stream(bridge: LoopBridge, events: list[str]) -> None:
    call = Call(bridge, "/ticks").tell(b"")
    await wait_for(lambda: len(call.sent) > 10)
    call.hang_up()
    await call.task
    await wait_for(lambda: events)

    assert events == ["ticker ended"]
    assert len(call.sent) < 1000


async def test_hang_up_ends_a_stream_that_never_waits(bridge: LoopBridge, events: list[str]) -> None:
    call = Call(bridge, "/flood").tell(b"")
    await wait_for(lambda: call.sent)
    call.hang_up()
    await call.task

    assert events == []


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("leaves", [False, True])
async def test_server_that_stops_cancels_the_view_and_is_obeyed(
    bridge: LoopBridge, events: list[str], method: str, leaves: bool
) -> None:
    call = Call(bridge, "/sleep", method).tell(b"")
    await wait_for(lambda: events)
    call.task.cancel()
    if leaves:  # at the same time
        call.hang_up()

    with pytest.raises(asyncio.CancelledError):
        await call.task
    assert events == ["sleeping", "cancelled"]


async def test_client_that_does_not_read_is_given_up(
    bridge: LoopBridge, events: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEND_SECONDS", 0.05)
    call = Call(bridge, "/ticks").tell(b"")
    await wait_for(lambda: len(call.sent) > 2)
    call.is_reading.clear()
    async with asyncio.timeout(2):
        await call.task

    assert events == ["ticker ended"]


async def test_exception_before_the_answer_is_the_applications_500(bridge: LoopBridge) -> None:
    bridge.wsgi_application.view_functions["closes"] = lambda: 1 / 0
    call = Call(bridge, "/closes").tell(b"")
    await call.task

    assert call.status == 500


async def test_exception_within_the_answer_reaches_the_server(bridge: LoopBridge, events: list[str]) -> None:
    call = Call(bridge, "/breaks").tell(b"")

    with pytest.raises(ZeroDivisionError):
        await call.task
    assert events == ["parts ended"]
    assert call.sent[-1]["more_body"] is True


async def worst_lag(work: Callable[[], Any]) -> float:
    """The longest time in seconds that the loop did not turn while `work` ran."""
    lags = [0.0]

    async def probe() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter() - before)

    probing = asyncio.create_task(probe())
    await work()
    probing.cancel()
    return max(lags)


async def test_blocking_views_leave_the_loop_alone(bridge: LoopBridge) -> None:
    async with client(bridge) as browser:
        await browser.get("/visitor", params={"visitor": "first"})
        answers: list[httpx.Response] = []

        async def ask() -> None:
            answers[:] = await asyncio.gather(*(browser.get("/blocking") for _ in range(5)))

        lag = min([await worst_lag(ask) for _ in range(3)])

    assert lag < 0.1  # on the loop, each of them would hold it for 0.2
    assert all(answer.json()["same_loop"] for answer in answers)
    assert len({answer.json()["thread"] for answer in answers}) == 5


class Lifespan:
    """A lifespan that notes what happens, and fails where it is told to."""

    def __init__(self, fails_at: str = "") -> None:
        self.fails_at = fails_at
        self.events: list[str] = []
        self.sent: list[Message] = []

    @asynccontextmanager
    async def __call__(self) -> AsyncGenerator[None, None]:
        self.note("start")
        yield
        self.note("stop")

    def note(self, event: str) -> None:
        self.events.append(event)
        if event == self.fails_at:
            raise OSError(f"cannot {event}")

    async def run(self, app: LoopFlask) -> list[Message]:
        async def send(message: Any) -> None:
            self.sent.append(message)

        async def receive() -> Any:
            return {"type": "lifespan.startup" if not self.sent else "lifespan.shutdown"}

        bridge = LoopBridge(app, lifespan=self)
        await bridge(cast("Any", {"type": "lifespan"}), receive, send)
        return self.sent


async def test_lifespan_starts_and_stops(events: list[str]) -> None:
    lifespan = Lifespan()
    sent = await lifespan.run(make_app(events))

    assert lifespan.events == ["start", "stop"]
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("start", ["lifespan.startup.failed"]),
        ("stop", ["lifespan.startup.complete", "lifespan.shutdown.failed"]),
    ],
)
async def test_lifespan_failure_is_told_with_its_message(events: list[str], moment: str, expected: list[str]) -> None:
    sent = await Lifespan(fails_at=moment).run(make_app(events))

    assert [message["type"] for message in sent] == expected
    assert sent[-1]["message"] == f"cannot {moment}"


async def test_websocket_is_closed(events: list[str]) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await LoopBridge(make_app(events))(cast("Any", {"type": "websocket"}), receive, send)

    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_flask_client_in_a_greenlet_shares_the_loop(events: list[str]) -> None:
    browser = make_app(events).test_client()
    answer = await spawn(browser.get, "/visitor?visitor=ann")

    assert answer.json == {"visitor": "ann", "argument": "ann", "inherited": None}
    assert [asyncio.get_running_loop()] == LOOPS


def test_flask_client_and_threads_share_the_portal(events: list[str], tmp_path: Path) -> None:
    app = make_app(events)
    database = Database(Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/store.db"))

    @app.get("/store")
    async def ask_store() -> str:
        LOOPS.append(asyncio.get_running_loop())
        async with database.read() as connection:
            return str((await connection.execute(text("SELECT 40 + 2"))).scalar_one())

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: app.test_client().get("/store").text, range(60)))
    app.async_to_sync(database.close)()

    assert answers == ["42"] * 60
    assert len(set(LOOPS)) == 1


def test_wsgi_transport_works_without_a_bridge(events: list[str]) -> None:
    with httpx.Client(transport=httpx.WSGITransport(make_app(events)), base_url="http://localhost") as browser:
        assert browser.get("/visitor", params={"visitor": "ann"}).json()["visitor"] == "ann"
        assert browser.get("/numbers").text == "012"


def test_portal_shows_the_context_that_a_coroutine_set(events: list[str]) -> None:
    async def mark() -> None:
        MARK.set("set in the coroutine")

    def call() -> str:
        make_app(events).async_to_sync(mark)()
        return MARK.get()

    assert contextvars.copy_context().run(call) == "set in the coroutine"


async def test_async_to_sync_on_the_loop_says_what_to_do(events: list[str]) -> None:
    app = make_app(events)

    with pytest.raises(RuntimeError, match="await it there"):
        app.async_to_sync(asyncio.sleep)(0)
    with pytest.raises(RuntimeError, match=r"asyncio\.to_thread"):
        app.run_blocking(time.sleep, 0)


async def test_exceptions_cross_the_greenlet_both_ways() -> None:
    seen: list[BaseException] = []

    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("inner")

    def work() -> bool:
        try:
            LoopFlask("x").async_to_sync(fail)()
        except KeyError as error:
            seen.append(error)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await spawn(work)
    assert [str(error) for error in seen] == ["'inner'"]
    assert not in_greenlet()
