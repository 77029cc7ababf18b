"""What an answer from the cache costs, beside the least that the same server can do."""

import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import click
import orjson
import uvloop
from rich.table import Table

from benchmarks.http_client import Question
from benchmarks.http_page import demo_rows
from benchmarks.http_servers import CLIENT_CORE, pin, running
from benchmarks.http_stacks import Window, measure
from benchmarks.printing import console
from benchmarks.serving import free_port

_PATH = "/c/games?q=the"
# Enough for a full page.
_ROW_COUNT = 500
_LIKE = "BENCHMARK_LIKE"
_UVICORN = (
    "uvicorn", "--factory", "--loop=uvloop", "--http=livesearch.guard.protocol:GuardedProtocol", "--ws=none",
    "--log-level=error", "--no-access-log", "--no-server-header", "--timeout-keep-alive=75", "--lifespan=off",
    "--reset-contextvars",
)  # fmt: skip
# What each answer has of its own, or the server sets.
_LEFT_OUT = frozenset({"date", "connection", "content-length", "x-request-id", "server-timing"})

Application = Callable[[Any, Any, Any], Awaitable[None]]  # Any: ASGI


def hello() -> Application:
    """Bare ASGI: a word, and two headers."""
    return _bare([(b"content-type", b"text/plain"), (b"content-length", b"5")], b"hello")


def alike() -> Application:
    """Bare ASGI with the headers and the body of an answer of the product."""
    request = Request(f"http://127.0.0.1:{os.environ[_LIKE]}{_PATH}", headers={"HX-Request": "true"})  # our own
    with urlopen(request, timeout=60) as answer:  # noqa: S310  # likewise
        body = answer.read()
        headers = [(name.lower().encode(), value.encode()) for name, value in answer.getheaders()]
    kept = [(name, value) for name, value in headers if name.decode() not in _LEFT_OUT]
    own = [(b"x-request-id", b"0" * 32), (b"server-timing", b"cache;desc=hit")]
    return _bare([*kept, (b"content-length", str(len(body)).encode()), *own], body)


def _bare(headers: list[tuple[bytes, bytes]], body: bytes) -> Application:
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    rest = {"type": "http.response.body", "body": body}

    async def application(_scope: Any, _receive: Any, send: Any) -> None:  # Any: ASGI
        await send(start)
        await send(rest)

    return application


@click.command()
@click.option("--rounds", default=5, show_default=True, help="Windows of each; the median counts.")
@click.option("--seconds", default=1.0, show_default=True, help="Length of a window.")
def cache(*, rounds: int, seconds: float) -> None:
    """Ask for one search again and again: kept, computed, and from applications that do next to nothing."""
    uvloop.install()
    pin(CLIENT_CORE)
    _print(_measure(rounds, seconds))


def _measure(rounds: int, seconds: float) -> Mapping[str, Mapping[int, Window]]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())

        def start(command: Sequence[str], environment: Mapping[str, str]) -> Any:  # Any: a server
            port = free_port()
            return stack.enter_context(running((sys.executable, "-m", *command, f"--port={port}"), port, environment))

        source = Path(folder, "games.jsonl")
        source.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in demo_rows()[:_ROW_COUNT]))

        def serve(cache_mb: str) -> Any:  # Any: likewise
            store = f"--store={Path(folder, f'store-{cache_mb}.db')}"
            return start(("livesearch", "serve", str(source), store), {"LIVESEARCH_CACHE_MB": cache_mb})

        kept = serve("64")
        like = {_LIKE: str(kept.port)}
        servers = {
            "bare ASGI hello": start((*_UVICORN, "benchmarks.cache:hello"), {}),
            "bare ASGI, headers and body alike": start((*_UVICORN, "benchmarks.cache:alike"), like),
            "kept fragment": kept,
            "kept suggestions": kept,
            "computed fragment": serve("0"),
        }
        question = Question.get(_PATH, 'data-query="the"')
        questions = {name: [question] for name in servers}
        questions["bare ASGI hello"] = [Question.get("/", "hello")]
        questions["kept suggestions"] = [Question.get("/htmx/c/games/suggest?q=the", 'data-query="the"')]
        return measure(servers, questions, connection_counts=(1, 16, 64), round_count=rounds, seconds=seconds)


def _print(figures: Mapping[str, Mapping[int, Window]]) -> None:
    counts = list(next(iter(figures.values())))
    table = Table(
        "", *[f"{what} c={count}" for count in counts for what in ("answers/s", "CPU µs", "÷ hello")], "errors"
    )
    for label, row in figures.items():
        cells = []
        for count, window in row.items():
            hello_rate = figures["bare ASGI hello"][count].rate
            cells += [f"{window.rate:,.0f}", f"{window.cpu_us:,.0f}", f"{window.rate / hello_rate:.2f}"]
        wrong = sum(window.wrong_count for window in row.values())
        errors = max(window.error_share for window in row.values())
        table.add_row(label, *cells, f"{errors:.0%}, {wrong} wrong")
    console.print(table)
    console.print("CPU: of the server for an answer. ÷ hello: answers a second. Medians of rounds in changing order.")
