"""Bursts of typing: each key gives up the search of the one before, and what counts is the answer to the last."""

import asyncio
import gzip
import json
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from rich.table import Table

from benchmarks.burst_apps import STORE_VARIABLE, THREADS, build_store
from benchmarks.http_servers import Server, running
from benchmarks.printing import console, percentile
from benchmarks.serving import free_port

# Copies of the demo's titles that the peers search: 272,000 rows, of which one letter finds tens of thousands.
_COPIES = 16
# Seconds between the last answer and the next word, at most.
_PAUSE = 0.8
_PYTHON = (sys.executable, "-m")
_UVICORN = ("uvicorn", "--factory", "--log-level=error", "--no-access-log", "--reset-contextvars")


@click.command()
@click.option("--people", default=6, show_default=True, help="Who type at once.")
@click.option("--interval", default=90, show_default=True, help="Milliseconds between two keys.")
@click.option("--words", "word_count", default=8, show_default=True, help="Words that each of them types.")
def bursts(people: int, interval: int, word_count: int) -> None:
    """Type words of the demo's titles on livesearch, and on four stacks that ask FTS5 for its ranked top ten."""
    with gzip.open(str(files("livesearch").joinpath("demo", "demo_console_games.jsonl.gz")), "rt") as lines:
        titles = [json.loads(line)["title"] for line in lines]
    words = sorted(
        {
            word
            for title in titles
            for word in title.lower().split()
            if word.isascii() and word.isalpha() and len(word) > 3
        }
    )
    table = Table("what", "last keys", "p50 ms", "p95 ms", "max ms", "not answered", "server CPU s")
    with TemporaryDirectory() as folder:
        build_store(Path(folder, "fts5.db"), titles * _COPIES)
        for name, command, path in _stacks(f"{folder}/store.db"):
            port = free_port()
            environment = {STORE_VARIABLE: f"{folder}/fts5.db", "PYTHONPATH": os.getcwd()}  # noqa: PTH109  # a text is wanted
            with running([part.format(port=port) for part in command], port, environment) as server:
                # Statements run in threads beside the loop: on one core they would be measured waiting for each other.
                for process in (server.process, *server.process.children(recursive=True)):
                    process.cpu_affinity([])
                typed = _Typed(server, path, random.Random(1), words)  # noqa: S311  # the same for each stack
                table.add_row(name, *asyncio.run(typed.run(people, interval / 1000, word_count)))
    console.print(table)


def _stacks(store: str) -> Sequence[tuple[str, Sequence[str], str]]:
    """Name, command and address of the search."""
    app = "benchmarks.burst_apps:{}"
    gunicorn = (
        "gunicorn",
        "--worker-class=gthread",
        f"--threads={THREADS}",
        "--log-level=error",
        "--bind=127.0.0.1:{port}",
    )
    return (
        (
            "livesearch, its own search",
            (*_PYTHON, "livesearch", "serve", "--port={port}", f"--store={store}"),
            "/c/games",
        ),
        *(
            (f"FTS5, {name}", (*_PYTHON, *_UVICORN, "--port={port}", app.format(function)), "/")
            for name, function in (("our bridge", "ours"), ("our bridge, threads", "threads"), ("WsgiToAsgi", "plain"))
        ),
        ("FTS5, synchronous Flask, gunicorn", (*_PYTHON, *gunicorn, app.format("sync()")), "/"),
    )


class _Typed:
    """What a number of people type on one server."""

    def __init__(self, server: Server, path: str, chance: random.Random, words: Sequence[str]) -> None:
        self._server, self._path, self._chance, self._words = server, path, chance, words
        self._seconds: list[float] = []
        self._failed_count = 0

    async def run(self, people: int, interval: float, word_count: int) -> Sequence[str]:
        """Type; gives the figures of the table."""
        for word in self._words[:3]:  # what is loaded by the first search
            await self._ask(word)
        used = self._server.cpu_seconds()
        await asyncio.gather(*(self._type(interval, word_count) for _ in range(people)))
        used = self._server.cpu_seconds() - used
        figures = (*(percentile(self._seconds, share) for share in (0.5, 0.95)), max(self._seconds, default=0))
        times = (f"{1000 * value:.0f}" for value in figures)
        return (str(len(self._seconds)), *times, str(self._failed_count), f"{used:.1f}")

    async def _type(self, interval: float, word_count: int) -> None:
        for _ in range(word_count):
            await asyncio.sleep(self._chance.random() * _PAUSE)
            word = self._chance.choice(self._words)[:6]
            for length in range(1, len(word)):
                asking = asyncio.create_task(self._ask(word[:length]))
                await asyncio.sleep(interval)
                asking.cancel()
            started = time.perf_counter()
            if await self._ask(word):
                self._seconds.append(time.perf_counter() - started)
            else:
                self._failed_count += 1

    async def _ask(self, text: str) -> bool:
        """Ask on a connection of its own, closed half-way when this is cancelled; says whether it was answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        try:
            writer.write(f"GET {self._path}?q={text} HTTP/1.1\r\nHost: 127.0.0.1\r\nHX-Request: true\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(_headers(head)["content-length"]))
            return head[9:12] == b"200"
        finally:
            writer.transport.abort()


def _headers(head: bytes) -> Mapping[str, str]:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines}
