"""What the bridge refuses, whom it lets wait, and what it writes down about it. Both flavours, without a server."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any, cast

import orjson
import pytest
import structlog

from livesearch.app import create_app
from livesearch.bridge import LoopBridge, ThreadBridge, limits
from livesearch.config import Settings
from livesearch.errors import OverloadedError
from livesearch.guard.admission import Admission
from livesearch.web.loop import LoopFlask
from livesearch.web.refusals import Refusals

Message = dict[str, Any]  # Any: ASGI messages
HTMX = ((b"hx-request", b"true"),)


class Full(Admission):
    """No room for anybody."""

    async def enter(self) -> None:
        raise OverloadedError


class Site(LoopFlask):
    """An application whose one view answers when it may."""

    def __init__(self) -> None:
        super().__init__("site")
        self.may_answer = asyncio.Event()
        self.asked_count = 0
        for path in ("/", "/healthz", "/static/file", "/api/v1/collections"):
            self.add_url_rule(path, endpoint=path, view_func=self.answer, methods=["GET", "POST"])

    async def answer(self) -> str:
        self.asked_count += 1
        await self.may_answer.wait()
        return 100_000 * "a"


class Call:
    """One ASGI call by hand."""

    def __init__(
        self, bridge: LoopBridge, path: str = "/", *, method: str = "GET", headers: Iterable[tuple[bytes, bytes]] = ()
    ) -> None:
        self.sent: list[Message] = []
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.is_reading = asyncio.Event()
        self.is_reading.set()
        scope = {
            "type": "http", "method": method, "path": path, "query_string": b"", "http_version": "1.1",
            "headers": list(headers), "server": ("localhost", 80), "client": ("127.0.0.1", 1), "scheme": "http",
        }  # fmt: skip
        self.task = asyncio.create_task(bridge(cast("Any", scope), cast("Any", self.inbox.get), self.send))
        if method == "GET":
            self.tell(b"")

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        await self.is_reading.wait()

    def tell(self, body: bytes, *, more: bool = False) -> None:
        self.inbox.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def hang_up(self) -> None:
        self.inbox.put_nowait({"type": "http.disconnect"})

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.sent[1:])


async def settle(condition: Any, seconds: float = 2.0) -> None:  # Any: a condition
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


@pytest.fixture
async def site() -> Site:
    return Site()


@pytest.fixture(scope="module")
def refusals(games: Settings) -> Refusals:
    # Hosts that are trusted must not keep pages from being made: no host is asked for.
    return Refusals(create_app(games.model_copy(update={"trusted_hosts": ("search.example",)})))


@pytest.fixture
def lines() -> Iterator[list[Any]]:  # Any: lines of a log
    with structlog.testing.capture_logs() as captured:
        yield captured


def requests_in(lines: list[Any]) -> list[tuple[str, int]]:
    return [(line["method"], line["status"]) for line in lines if line["event"] == "request"]


@pytest.mark.parametrize(
    ("path", "headers", "media_type"),
    [
        ("/", (), b"text/html; charset=utf-8"),
        ("/", HTMX, b"text/html; charset=utf-8"),
        ("/api/v1/collections", (), b"application/problem+json"),
    ],
)
async def test_too_much_to_do_is_told_in_the_form_that_is_wanted(
    site: Site, refusals: Refusals, lines: list[Any], path: str, headers: Any, media_type: bytes
) -> None:
    call = Call(LoopBridge(site, admission=Full(), refusals=refusals), path, headers=headers)
    await call.task

    assert call.status == 503
    assert call.headers[b"content-type"] == media_type
    assert call.headers[b"retry-after"] == b"1"
    assert call.headers[b"cache-control"] == b"no-store"
    assert b"content-security-policy" in call.headers
    assert b"connection" not in call.headers
    assert b"Try again in a moment." in call.body
    assert site.asked_count == 0
    assert requests_in(lines) == [("GET", 503)]
    if headers:
        assert call.headers[b"hx-retarget"] == b"#error-container"
        assert b'class="error-message"' in call.body
    if path.startswith("/api"):
        assert orjson.loads(call.body)["instance"] == path
    if (path, headers) == ("/", ()):
        assert call.body.startswith(b"<!DOCTYPE html>")
        assert b"<h1>Very busy</h1>" in call.body
        assert b"set-cookie" not in call.headers


@pytest.mark.parametrize(("status", "title"), [(400, b"Bad Request"), (408, b"Timeout"), (413, b"Content Too Large")])
def test_every_refusal_is_a_page_below_the_root_that_a_proxy_names(
    refusals: Refusals, status: int, title: bytes
) -> None:
    scopes: list[Any] = [{"path": "/imports", "headers": (), "root_path": root} for root in ("", "/search", "")]
    bodies = [refusals.answer(status, scope)[1] for scope in scopes]

    assert all(title in body for body in bodies)
    assert b'href="/search/"' in bodies[1]
    assert bodies[0] is bodies[2]


def test_refusals_without_an_application_are_plain_text() -> None:
    scope: Any = {"path": "/", "headers": (), "root_path": ""}

    headers, body = Refusals().answer(413, scope)

    assert dict(headers)[b"content-type"] == b"text/plain; charset=utf-8"
    assert body == b"Content Too Large: This is larger than what may be sent here.\n"


@pytest.mark.parametrize("path", ["/healthz", "/static/file"])
async def test_signs_of_life_and_files_need_no_turn(site: Site, path: str) -> None:
    site.may_answer.set()
    call = Call(LoopBridge(site, admission=Full()), path)
    await call.task

    assert call.status == 200


@pytest.mark.parametrize("bridge_class", [LoopBridge, ThreadBridge])
async def test_turn_ends_with_the_answer_not_with_its_delivery(site: Site, bridge_class: type[LoopBridge]) -> None:
    bridge = bridge_class(site, admission=Admission(working=1))
    slow = Call(bridge)
    await settle(lambda: site.asked_count == 1)
    next_one = Call(bridge)
    await asyncio.sleep(0.05)
    assert site.asked_count == 1

    slow.is_reading.clear()
    site.may_answer.set()
    await next_one.task

    assert next_one.status == 200
    assert not slow.task.done()
    slow.hang_up()
    await slow.task
    site.may_answer.clear()
    last, beyond = Call(bridge), Call(bridge)  # The turn was given back once, not twice.
    await settle(lambda: site.asked_count == 3)
    await asyncio.sleep(0.05)
    assert site.asked_count == 3
    site.may_answer.set()
    await asyncio.gather(last.task, beyond.task)


async def test_who_leaves_the_queue_never_reaches_the_application(site: Site, lines: list[Any]) -> None:
    bridge = LoopBridge(site, admission=Admission(working=1))
    working, waiting = Call(bridge), Call(bridge)
    await settle(lambda: site.asked_count == 1)
    waiting.hang_up()
    await waiting.task
    site.may_answer.set()
    await working.task

    assert waiting.sent == []
    assert site.asked_count == 1
    assert requests_in(lines) == [("GET", 499)]


async def test_who_leaves_while_sending_is_written_down(site: Site, lines: list[Any]) -> None:
    call = Call(LoopBridge(site), method="POST")
    call.tell(b"a", more=True)
    call.hang_up()
    await call.task

    assert requests_in(lines) == [("POST", 499)]


async def test_body_that_trickles_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECEIVE_SECONDS", 0.3)
    call = Call(LoopBridge(site), method="POST")
    loop = asyncio.get_running_loop()
    started = loop.time()
    while not call.task.done() and loop.time() < started + 5:
        call.tell(b"a", more=True)
        await asyncio.sleep(0.02)

    assert call.status == 408
    assert loop.time() - started < 2


async def test_slow_but_steady_body_is_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECEIVE_SECONDS", 0.3)
    site.may_answer.set()
    call = Call(LoopBridge(site), method="POST")
    for _ in range(10):
        call.tell(bytes(60_000), more=True)
        await asyncio.sleep(0.08)
    call.tell(b"")
    await call.task

    assert call.status == 200


async def test_refused_body_is_read_a_little_so_that_the_answer_arrives(site: Site) -> None:
    call = Call(LoopBridge(site), method="POST", headers=[(b"content-length", b"300000000")])
    for _ in range(3000):
        call.tell(bytes(100_000), more=True)
    await call.task

    assert call.status == 413
    assert call.headers[b"connection"] == b"close"
    assert 2980 < call.inbox.qsize() < 3000


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        (b"books.example", "/", 200),
        (b"books.example:8000", "/", 200),
        (b"Books.Example", "/", 200),
        (b"evil.example", "/", 400),
        (b"evil.example", "/healthz", 200),
    ],
)
async def test_only_trusted_hosts_are_answered(site: Site, host: bytes, path: str, status: int) -> None:
    site.may_answer.set()
    call = Call(LoopBridge(site, trusted_hosts=["books.example"]), path, headers=[(b"host", host)])
    await call.task

    assert call.status == status


async def test_stopping_process_sends_clients_elsewhere(site: Site) -> None:
    site.may_answer.set()
    bridge = LoopBridge(site)
    bridge.is_stopping = True
    call = Call(bridge)
    await call.task

    assert call.status == 200
    assert call.headers[b"connection"] == b"close"
