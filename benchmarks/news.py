"""How soon an open page tells what another process has committed, in a real browser.

No peer: pages of other search engines learn of a change when they are loaded anew.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import click
import orjson
from playwright.async_api import Page, async_playwright
from rich.table import Table

from benchmarks.http_servers import Server, running
from benchmarks.printing import console, percentile
from benchmarks.serving import free_port
from benchmarks.stores import opened
from livesearch.config import store_url_of

_NAME = "news"
_CHROMIUM = "/usr/bin/chromium"
# Milliseconds that a poll and its answer may take, beside the wait for it.
_ALLOWANCE_MS = 200
# The page itself notes when it says so; both clocks are the machine's.
_WATCH = """() => {
  window.toldAt = new Map();
  new MutationObserver(() => {
    const said = document.getElementById('show-changes')?.dataset.summary;
    if (said && !toldAt.has(said)) toldAt.set(said, Date.now());
  }).observe(document.getElementById('results'), { childList: true, subtree: true, attributes: true });
}"""


@click.command()
@click.option("--store", help="An empty store, a file or a database URL; by default a scratch file.")
@click.option("--count", default=100, show_default=True, help="Commits, one after the other.")
@click.option("--interval", default=1.0, show_default=True, help="Seconds between two polls of the page.")
def news(*, store: str | None, count: int, interval: float) -> None:
    """Commit in another process again and again; see when an open page says "1 new"."""
    with tempfile.TemporaryDirectory() as folder:
        url = store_url_of(store or str(Path(folder, "bench.db")))
        with _serving(folder, url, interval) as server:
            delays = asyncio.run(_watch(server, url, count, interval))
    table = Table("commits", "told in time", "p50 ms", "p95 ms", "max ms", "allowed ms")
    allowed = 1000 * interval + _ALLOWANCE_MS
    in_time = sum(delay <= allowed for delay in delays)
    times = (f"{percentile(delays, share):,.0f}" for share in (0.5, 0.95, 1))
    table.add_row(str(count), f"{in_time} of {count}", *times, f"{allowed:,.0f}")
    console.print(table)
    console.print("From the commit, as its process saw it return, to the words on the page.")


@contextmanager
def _serving(folder: str, url: str, interval: float) -> Iterator[Server]:
    source, port = Path(folder, f"{_NAME}.jsonl"), free_port()
    rows = ({"id": f"row-{number}", "title": f"Zelda part {number}"} for number in range(2_000))
    source.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    environment = {"LIVESEARCH_SECRET_KEY": "of a benchmark, alone", "LIVESEARCH_POLL_SECONDS": str(interval)}
    command = (sys.executable, "-m", "livesearch", "serve", str(source), f"--store={url}", f"--port={port}")
    with running(command, port, environment) as server:
        yield server


async def _watch(server: Server, url: str, count: int, interval: float) -> list[float]:
    """Milliseconds from each commit to the words."""
    chance, delays = random.Random(1), list[float]()  # noqa: S311  # moments, not secrets
    async with _open_page(f"http://127.0.0.1:{server.port}/c/{_NAME}?q=zelda") as page, _writer(url) as writer:
        await page.evaluate(_WATCH)
        for number in range(count):
            await asyncio.sleep(chance.uniform(0, interval))
            committed = await _commit(writer, f"new-{number}")
            await page.wait_for_function("() => toldAt.has('1 new')", timeout=60_000)
            told = await page.evaluate("toldAt.get('1 new')")
            delays.append(told - 1000 * committed)
            await page.evaluate("toldAt.clear()")
            await page.locator("#show-changes").click()
            await page.locator("#show-changes").wait_for(state="detached")
            await page.evaluate("toldAt.clear()")
    return delays


@asynccontextmanager
async def _open_page(address: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page()
        await page.goto(address)
        yield page
        await browser.close()


@asynccontextmanager
async def _writer(url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    command = (sys.executable, "-m", "benchmarks.news", url)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        yield process
    finally:
        process.terminate()
        await process.wait()


async def _commit(writer: asyncio.subprocess.Process, key: str) -> float:
    """Have a document written; gives Unix seconds of when that was done."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write(f"{key}\n".encode())
    return float(await writer.stdout.readline())


async def _write(url: str) -> None:
    """Be the other process: write a document for each line that comes, and say when."""
    async with opened(url) as services:
        while key := (await asyncio.to_thread(sys.stdin.readline)).strip():
            await services.documents.put(_NAME, key, {"id": key, "title": f"Zelda {key}"})
            sys.stdout.write(f"{time.time()}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_write(sys.argv[1]))
