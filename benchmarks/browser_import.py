"""An import through the browser: its progress, a kill of the server half way, the count, and searches meanwhile."""

import csv
import os
import random
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import click
import httpx
import psutil
from rich.table import Table

from benchmarks.printing import console, percentile
from tests.uploading import Editor, Server, served

# Searches of which the idle figures are made; pauses between two, as a quick typist makes them, in seconds.
_IDLE_COUNT, _PAUSE = 400, 0.03
_WORDS = ("racing", "quest", "super", "world", "star", "dragon", "legend", "soccer", "ninja", "space", "golf", "force")
_HOURS = 3 * 3600.0


@dataclass(slots=True)
class Typist:
    """Searches the demo all the time, through HTTP; a server that is down is waited for and not counted.

    Attributes:
        times: Seconds of each search that was answered.
    """

    url: str
    times: list[float] = field(default_factory=list)
    _ended: Event = field(default_factory=Event)

    def type_on(self, count: int | None = None) -> None:
        """Search, so many times or until ``stop``."""
        chance = random.Random(1)  # noqa: S311  # words to type, not secrets
        with httpx.Client(base_url=self.url, timeout=30) as client:
            while not self._ended.is_set() and (count is None or len(self.times) < count):
                text = chance.choice(_WORDS)[: chance.randint(1, 6)]
                started = time.perf_counter()
                try:
                    answer = client.get("/c/games", params={"q": text}, headers={"HX-Request": "true"})
                except httpx.TransportError:
                    time.sleep(0.2)
                    continue
                assert answer.status_code == 200, answer.text
                self.times.append(time.perf_counter() - started)
                time.sleep(_PAUSE)

    def stop(self) -> None:
        """Type no more."""
        self._ended.set()


@click.command()
@click.option("--rows", "row_count", default=1_000_000, show_default=True, help="Rows to make and import.")
def browser_import(row_count: int) -> None:
    """Send rows over HTTP, kill the server half way, start it again, and search meanwhile."""
    # Kept answers would tell nothing about searching.
    environment = {**os.environ, "LIVESEARCH_CACHE_MB": "0", "LIVESEARCH_MAX_UPLOAD_MB": "1000"}
    with tempfile.TemporaryDirectory() as name, served(Path(name), environment) as server:
        path = _make_rows(Path(name), row_count)
        idle = Typist(server.url)
        idle.type_on(100)
        idle.times.clear()
        idle.type_on(_IDLE_COUNT)
        _run(server, path, row_count, idle.times)


def _make_rows(folder: Path, row_count: int) -> Path:
    path = folder / "rows.csv"
    chance = random.Random(7)  # noqa: S311  # rows, not secrets
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "maker", "year"])
        for number in range(row_count):
            title = f"{' '.join(chance.choices(_WORDS, k=3))} {number}"
            writer.writerow([f"r{number}", title, f"Maker {number % 50}", 1980 + number % 40])
    return path


def _run(server: Server, path: Path, row_count: int, idle: Sequence[float]) -> None:
    typist, meter = Typist(server.url), Meter(server)
    with Editor(server.url) as editor:
        started = time.perf_counter()
        address = editor.send(path)
        sent = time.perf_counter() - started
        started = time.perf_counter()
        editor.start(address, "rows")
        assert "<progress" in editor.look(address)
        shown = time.perf_counter() - started
        editor.wait_for(address, 1, pause=0.02)
        counted = time.perf_counter() - started
        threads = [Thread(target=typist.type_on), Thread(target=meter.measure)]
        for thread in threads:
            thread.start()
        try:
            reached = editor.wait_for(address, row_count // 2, seconds=_HOURS, pause=0.5)
            server.kill()
            committed = _committed(server)
            server.start()
            editor.wait_for(address, row_count + 1, seconds=_HOURS, pause=0.5)
        finally:
            typist.stop()
            meter.stop()
            for thread in threads:
                thread.join()
        seconds = time.perf_counter() - started
    table = Table("what", "figure")
    table.add_row(
        "rows; megabytes sent; seconds to send", f"{row_count:,}; {path.stat().st_size / 1e6:.0f}; {sent:.1f}"
    )
    table.add_row("progress bar shown after; rows on it after, ms", f"{1000 * shown:.0f}; {1000 * counted:.0f}")
    table.add_row("rows read, and committed, when the server was killed", f"{reached or 0:,}; {committed:,}")
    table.add_row("documents in the end", f"{_stored(server):,}")
    table.add_row("seconds in all; rows a second", f"{seconds:.0f}; {row_count / seconds:,.0f}")
    before, during = percentile(idle, 0.95), percentile(typist.times, 0.95)
    table.add_row("searches idle: count, p50, p95 ms", _figures(idle))
    table.add_row("searches meanwhile: count, p50, p95 ms", _figures(typist.times))
    table.add_row("p95 meanwhile / idle", f"{during / before:.2f}")
    table.add_row("largest memory, MiB: server; server and its processes", f"{meter.server:.0f}; {meter.all:.0f}")
    console.print(table)
    assert _stored(server) == row_count


def _figures(times: Sequence[float]) -> str:
    return f"{len(times)}; {1000 * percentile(times, 0.5):.1f}; {1000 * percentile(times, 0.95):.1f}"


def _ask(server: Server, statement: str) -> int:
    connection = sqlite3.connect(f"file:{server.folder / 'store.db'}?mode=ro", uri=True)
    try:
        return int(connection.execute(statement).fetchone()[0])
    finally:
        connection.close()


def _committed(server: Server) -> int:
    return _ask(server, "SELECT rows_read FROM imports ORDER BY id DESC LIMIT 1")


def _stored(server: Server) -> int:
    return _ask(
        server,
        "SELECT count(DISTINCT key) FROM documents JOIN collections ON collections.id = collection_id"
        " WHERE collections.name = 'rows'",
    )


@dataclass(slots=True)
class Meter:
    """Looks at the memory of a server and what it has started; in MiB (2^20 bytes)."""

    of: Server
    server: float = 0.0
    all: float = 0.0
    _ended: Event = field(default_factory=Event)

    def measure(self) -> None:
        """Look twice a second until ``stop``."""
        while not self._ended.wait(0.5):
            try:
                process = psutil.Process(self.of.process.pid if self.of.process else 0)
                own = process.memory_info().rss / 2**20
                others = sum(child.memory_info().rss for child in process.children(recursive=True)) / 2**20
            except psutil.Error:
                continue
            self.server, self.all = max(self.server, own), max(self.all, own + others)

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
