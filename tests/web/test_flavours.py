"""One application, however it is served: in threads, by plain WSGI servers, by two workers; and how a server ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from livesearch.app import LivesearchApp, create_app
from livesearch.config import Settings

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
REQUESTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("GET", "/c/games?q=zelda", {}),
    ("GET", "/c/games?q=zelda&f.platform=NES", HTMX),
    ("GET", "/c/games/doc/nes/zelda", {}),
    ("GET", "/htmx/c/games/suggest?q=zel", HTMX),
    ("GET", "/api/v1/collections/games/search?q=zelda", {}),
    ("HEAD", "/c/games?q=zelda", {}),
    ("GET", "/c/nothing", {}),
    ("GET", "/c/nothing", HTMX),
    ("POST", "/c/games", {}),
    ("GET", "/healthz", {}),
    ("GET", "/readyz", {}),
)
Answer = tuple[str, int, str]
# What differs from request to request: times, and tokens of forms.
CHANGING = re.compile(r'"took_ms":[\d.]+|[\d.]+ ms|csrf[-_]token"[^>]*')


def answers(client: httpx.Client) -> list[Answer]:
    """What the requests are answered, without what changes each time."""
    found = [(path, client.request(method, path, headers=headers)) for method, path, headers in REQUESTS]
    return [(path, answer.status_code, CHANGING.sub("", answer.text)) for path, answer in found]


@pytest.fixture(scope="module")
def expected(games: Settings) -> Iterator[list[Answer]]:
    """The answers of the application called as plain WSGI, without any server."""
    app = create_app(games)
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://localhost") as client:
        yield answers(client)
    close(app)


def close(app: LivesearchApp) -> None:
    app.async_to_sync(app.database.close)()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def started(settings: Settings, folder: Path, *command: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server over the games, ended by SIGTERM unless it has ended."""
    variables = {**os.environ, "LIVESEARCH_STORE_URL": settings.store_url, "LIVESEARCH_DRAIN_SECONDS": "0"}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # ours
            [sys.executable, "-m", *command], stdout=log, stderr=log, cwd=folder, env={**variables, **environment}
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def wait_until_ready(process: subprocess.Popen[bytes], client: httpx.Client, folder: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail(f"the server did not come up:\n{(folder / 'server.log').read_text()}")


def serve(port: int, *options: str) -> tuple[str, ...]:
    return ("livesearch", "serve", "--port", str(port), *options)


def gunicorn(port: int, *options: str) -> tuple[str, ...]:
    return (
        "gunicorn",
        "--bind",
        f"127.0.0.1:{port}",
        "--log-level",
        "warning",
        *options,
        "livesearch.app:create_wsgi()",
    )


@pytest.mark.parametrize(
    ("command", "options", "environment"),
    [
        (serve, (), {"LIVESEARCH_BRIDGE": "thread"}),
        (gunicorn, ("--worker-class", "sync"), {}),
        (gunicorn, ("--worker-class", "gthread", "--threads", "4"), {}),
    ],
    ids=["thread", "gunicorn sync", "gunicorn gthread"],
)
def test_every_server_gives_the_same_answers(
    games: Settings,
    tmp_path: Path,
    expected: list[Answer],
    command: object,
    options: tuple[str, ...],
    environment: dict[str, str],
) -> None:
    port = free_port()
    assert callable(command)
    with (
        started(games, tmp_path, *command(port, *options), **environment) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
    ):
        wait_until_ready(process, client, tmp_path)
        found = answers(client)

    assert found == expected
    assert {status for _, status, _ in found} == {200, 404, 405}
    assert "Traceback" not in (tmp_path / "server.log").read_text()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sigterm_is_told_before_the_end_and_lets_requests_finish(games: Settings, tmp_path: Path, workers: str) -> None:
    port = free_port()
    command = serve(port, "--workers", workers)
    with (
        started(games, tmp_path, *command, LIVESEARCH_DRAIN_SECONDS="2") as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
    ):
        wait_until_ready(process, client, tmp_path)
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        signalled_at = time.monotonic()

        # With two workers each hears of it from the first process, within half a second.
        while (ready := httpx.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
            assert time.monotonic() < signalled_at + 2
        searched = httpx.get(f"http://127.0.0.1:{port}/c/games?q=zelda")
        # A request that is under way when the drain ends: its body comes later.
        upload = socket.create_connection(("127.0.0.1", port), timeout=10)
        upload.sendall(b"POST /c/games HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na")
        time.sleep(max(0.0, signalled_at + 3 - time.monotonic()))  # The drain is over: nobody is let in any more.
        with pytest.raises(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/healthz")
        upload.sendall(b"a")
        finished = upload.recv(65536)
        upload.close()
        process.wait(10)

    assert (ready.status_code, ready.headers["connection"]) == (503, "close")
    assert "about to stop" in ready.text
    assert (searched.status_code, searched.headers["connection"]) == (200, "close")
    assert finished.startswith(b"HTTP/1.1 405 ")
    assert psutil.wait_procs(children, timeout=5)[1] == []
    assert "Traceback" not in (tmp_path / "server.log").read_text()
