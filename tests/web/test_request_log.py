import asyncio
import json

import httpx
import pytest
import structlog

from livesearch.app import LivesearchApp, create_app
from livesearch.bridge import LoopBridge
from livesearch.config import Settings


async def test_request_is_one_line_with_route(client: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs() as lines:
        await client.get("/c/games?q=private+words")

    line = next(line for line in lines if line["event"] == "request")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/c/<name>", 200)
    assert line["ms"] > 0
    assert "private" not in str(lines)


async def test_plain_request_id_is_kept(client: httpx.AsyncClient) -> None:
    response = await client.get("/healthz", headers={"X-Request-ID": "trace-1.2:3"})

    assert response.headers["X-Request-ID"] == "trace-1.2:3"


@pytest.mark.parametrize("sent", ["a b", "x" * 65, 'a"b', "{}"])
async def test_other_request_id_is_replaced(client: httpx.AsyncClient, sent: str) -> None:
    response = await client.get("/healthz", headers={"X-Request-ID": sent})

    assert response.headers["X-Request-ID"] != sent


async def test_unexpected_error_is_logged_with_its_cause(games: Settings) -> None:
    app = create_app(games)

    async def fail() -> str:
        raise RuntimeError("the cause")

    app.add_url_rule("/fail", view_func=fail)
    transport = httpx.ASGITransport(LoopBridge(app))  # type: ignore[arg-type]  # asgiref types scopes more narrowly
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        with structlog.testing.capture_logs() as lines:
            await client.get("/fail")

    failure = next(line for line in lines if line["event"] == "failure")
    assert str(failure["exc_info"]) == "the cause"


async def test_lines_of_a_request_name_it(games: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    app = create_app(games.model_copy(update={"log_format": "json"}))

    async def tell() -> str:
        structlog.get_logger("test").warning("something")
        return ""

    app.add_url_rule("/tell", view_func=tell)
    transport = httpx.ASGITransport(LoopBridge(app))  # type: ignore[arg-type]  # asgiref types scopes more narrowly
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        await client.get("/tell", headers={"X-Request-ID": "trace-1"})
    structlog.get_logger("test").warning("something else")

    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["event"], line.get("request_id")) for line in lines] == [
        ("something", "trace-1"),
        ("request", "trace-1"),
        ("something else", None),
    ]


async def test_client_that_leaves_is_logged_as_such_and_stops_the_view(games: Settings) -> None:
    app = create_app(games)
    began, stopped = asyncio.Event(), asyncio.Event()

    async def wait() -> str:
        began.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.set()
            raise
        return ""

    app.add_url_rule("/wait", view_func=wait)
    with structlog.testing.capture_logs() as lines:
        await _leave(app, began)
        await asyncio.wait_for(stopped.wait(), 5)

    assert [line["status"] for line in lines if line["event"] == "request"] == [499]


async def _leave(app: LivesearchApp, began: asyncio.Event) -> None:
    """Ask for /wait and hang up once the view runs."""
    messages = [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        if messages:
            return dict(messages.pop())
        await began.wait()
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/wait",
        "raw_path": b"/wait",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await LoopBridge(app)(scope, receive, send)  # type: ignore[arg-type]
    assert sent == []
