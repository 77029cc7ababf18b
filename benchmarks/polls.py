"""What thousands of open pages cost that ask again and again whether their list has changed.

No peer: those with live lists hold a socket open for each page.
"""

import asyncio
import random
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from heapq import heapify, heapreplace
from html import unescape
from pathlib import Path
from time import perf_counter
from typing import cast
from urllib.request import urlopen

import click
import orjson
import uvloop
from rich.table import Table

from benchmarks.http_page import demo_rows
from benchmarks.http_servers import CLIENT_CORE, Server, pin, running
from benchmarks.printing import console, percentile
from benchmarks.serving import free_port
from benchmarks.stores import opened
from livesearch.config import store_url_of
from livesearch.services import Services

_NAME = "games"
_HEADERS = (
    "HX-Request: true\r\nHX-Request-Type: partial\r\nX-Poll: 1\r\nHX-Source: div#live\r\nAccept-Encoding: gzip\r\n"
)
_POLL = re.compile(r'id="live"[^>]*hx-get="([^"]*)"')
_COUNTED = re.compile(r'livesearch_request_seconds_count\{face="fragment",route="/htmx/c/<name>/changes"\} ([0-9.]+)')
_VERSION, _ASKED = re.compile(rb"(?i)livesearch-version: *([0-9]+)"), re.compile(rb"([?&]v=)[0-9]+")
# Seconds in which connections are opened, before anything counts.
_WARM_UP = 5.0
# Later than this (seconds, p99) with its own requests, the generator says nothing about the server.
_LARGEST_LAG = 0.02


@dataclass(slots=True)
class _Seen:
    """What the pages saw: seconds from when each poll was due, how late it was sent, and what else came than 204."""

    seconds: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    told: int = 0
    errors: int = 0
    counts: bool = False


class _Page(asyncio.Protocol):
    """One open page with its connection."""

    def __init__(self, request: bytes, seen: _Seen) -> None:
        self._request, self._seen = request, seen
        self._transport: asyncio.Transport | None = None
        self._due, self._buffer = 0.0, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None

    def poll(self, due: float) -> None:
        """Ask; the time counts from when that was due."""
        if self._transport is None or self._due:
            self._seen.errors += self._seen.counts
            return
        self._due = due
        if self._seen.counts:
            self._seen.lags.append(perf_counter() - due)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, end, body = self._buffer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *([0-9]+)", head)
        if not end or len(body) < int(length[1] if length else 0):
            return
        status, self._buffer = head[9:12], b""
        if moved := _VERSION.search(head):
            self._request = _ASKED.sub(rb"\g<1>" + moved[1], self._request, count=1)
        if self._seen.counts:
            self._seen.seconds.append(perf_counter() - self._due)
            self._seen.told += status == b"200"
            self._seen.errors += status not in {b"200", b"204"}
        self._due = 0.0


@click.command()
@click.option("--pages", default=5_000, show_default=True, help="Open pages, each with its connection.")
@click.option("--interval", default=5.0, show_default=True, help="Seconds between two polls of a page.")
@click.option("--seconds", default=30.0, show_default=True, help="Length of each part.")
@click.option("--store", help="An empty store, a file or a database URL; by default a scratch file.")
@click.option("--every", default=2.0, show_default=True, help="Seconds between commits in the second part.")
def polls(*, pages: int, interval: float, seconds: float, store: str | None, every: float) -> None:
    """Have many pages poll one worker: while nothing changes, and while somebody writes."""
    uvloop.install()
    with tempfile.TemporaryDirectory() as folder, _serving(folder, store) as (server, url):
        pin(CLIENT_CORE)
        asyncio.run(_measure(server, url, pages, interval, seconds, every))


@contextmanager
def _serving(folder: str, store: str | None) -> Iterator[tuple[Server, str]]:
    source, port = Path(folder, f"{_NAME}.jsonl"), free_port()
    source.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in demo_rows()))
    url = store_url_of(store or str(Path(folder, "bench.db")))
    command = ("livesearch", "serve", str(source), f"--store={url}", f"--port={port}")
    secret = {"LIVESEARCH_SECRET_KEY": "of a benchmark, on this machine alone"}
    with running((sys.executable, "-m", *command), port, secret) as server:
        yield server, url


async def _measure(server: Server, store: str, page_count: int, interval: float, seconds: float, every: float) -> None:
    targets = await asyncio.to_thread(_targets, server)
    seen = _Seen()
    pages = await _opened(server, targets, page_count, seen)
    table = Table(
        "", "polls/s", "p50 ms", "p99 ms", "max ms", "told", "errors", "past the bridge", "server", "sent late p99 ms"
    )
    asking = asyncio.create_task(_ask(pages, interval))
    await asyncio.sleep(_WARM_UP)
    table.add_row("nothing changes", *await _part(server, seen, seconds))
    async with opened(store) as services:
        writing = asyncio.create_task(_write(services, every))
        table.add_row(f"a commit each {every:g} s", *await _part(server, seen, seconds))
        writing.cancel()
    asking.cancel()
    console.print(table)
    console.print(
        f"{page_count:,} pages of {len(targets)} searches, each asking every {interval:g} s. A time counts from when"
        " the poll was due. Past the bridge: answered by Flask, with a query or from what it had compared before."
    )


def _targets(server: Server) -> Sequence[str]:
    """What the lists of many searches ask."""
    words = sorted({str(row["title"]).split()[0].lower() for row in demo_rows()} - {""})
    chosen = random.Random(1).sample([word for word in words if word.isascii() and word.isalpha()], 200)  # noqa: S311
    found = []
    for word in chosen:
        with urlopen(f"http://127.0.0.1:{server.port}/c/{_NAME}?q={word}", timeout=60) as answer:  # ours
            target = _POLL.search(answer.read().decode())
        found += [unescape(target[1])] if target else []
    return found


async def _opened(server: Server, targets: Sequence[str], count: int, seen: _Seen) -> Sequence[_Page]:
    loop, pages = asyncio.get_running_loop(), []
    for number in range(count):
        target = targets[number % len(targets)]
        request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n{_HEADERS}\r\n".encode()
        page = _Page(request, seen)
        await loop.create_connection(partial(_same, page), "127.0.0.1", server.port)
        pages.append(page)
    return pages


def _same(page: _Page) -> _Page:
    return page


async def _ask(pages: Sequence[_Page], interval: float) -> None:
    """Poll for ever, each page at its own moment, whatever the server does."""
    chance = random.Random(2)  # noqa: S311  # moments, not secrets
    begun = perf_counter()
    due = [(begun + chance.uniform(0, interval), number) for number in range(len(pages))]
    heapify(due)
    while True:
        moment, number = due[0]
        delay = moment - perf_counter()
        if delay > 0:
            await asyncio.sleep(delay)
        pages[number].poll(moment)
        heapreplace(due, (moment + interval * chance.uniform(0.85, 1.0), number))


async def _part(server: Server, seen: _Seen, seconds: float) -> Sequence[str]:
    asked = await asyncio.to_thread(_past_the_bridge, server)
    seen.seconds, seen.lags, seen.told, seen.errors, seen.counts = [], [], 0, 0, True
    cpu = server.cpu_seconds()
    await asyncio.sleep(seconds)
    load = (server.cpu_seconds() - cpu) / seconds
    seen.counts = False
    passed = await asyncio.to_thread(_past_the_bridge, server) - asked
    count, lag = len(seen.seconds), percentile(seen.lags, 0.99)
    times = (f"{1000 * percentile(seen.seconds, share):.1f}" for share in (0.5, 0.99, 1))
    void = " (VOID)" if lag > _LARGEST_LAG else ""
    return (
        f"{count / seconds:,.0f}", *times, f"{seen.told:,}", str(seen.errors),
        f"{passed / max(count, 1):.2%}", f"{load:.0%} of a core", f"{1000 * lag:.1f}{void}",
    )  # fmt: skip


def _past_the_bridge(server: Server) -> float:
    with urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=60) as answer:  # ours
        found = _COUNTED.search(answer.read().decode())
    return float(found[1]) if found else 0.0


async def _write(services: Services, every: float) -> None:
    row = dict(demo_rows()[0])
    for number in range(1_000_000):
        await services.documents.put(_NAME, str(row["id"]), {**row, "serial": f"changed {number}"})
        await asyncio.sleep(every)
