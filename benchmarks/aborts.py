"""What a search costs that nobody waits for any more: how soon it stops, and how soon the next one is answered."""

import asyncio
import gzip
import itertools
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import psutil
from rich.table import Table

from benchmarks.printing import console, percentile
from tests.faults.aborting import (
    Site,
    ask,
    give_up_slow,
    prepare,
    results,
    running_site,
    scratch_store,
    settled,
    storm,
    stray_count,
)

# Every so manieth row of the demo: what searches cost is not the question here.
_STEP = 4
_STORES = ("sqlite", "postgres")


@click.command()
@click.option("--keystrokes", default=1000, show_default=True, help="Abandoned searches of 2 s, one after the other.")
@click.option("--storm", "storm_count", default=2000, show_default=True, help="Abandoned searches, 20 at once.")
@click.option(
    "--plain-storm", default=200, show_default=True, help="The same for asgiref's own bridge, which queues them."
)
@click.option("--store", "stores", type=click.Choice(_STORES), multiple=True, default=_STORES, show_default=True)
def aborts(keystrokes: int, storm_count: int, plain_storm: int, stores: Sequence[str]) -> None:
    """Abandon searches on both stores, through sockets that are closed half-way."""
    stopping = Table(
        "store",
        "given up",
        "running then",
        "stopped p50 ms",
        "p99 ms",
        "max ms",
        "answered",
        "next wrong",
        "taken",
        "open",
    )
    after = Table(
        "store", "bridge", "given up", "took s", "next request ms", "usual ms", "server CPU s", "same results"
    )
    with TemporaryDirectory() as folder:
        source = _demo(Path(folder))
        for kind in stores:
            with scratch_store(kind, folder) as url:
                asyncio.run(prepare(url, source))
                with running_site(url) as site:
                    stopping.add_row(kind, *asyncio.run(_keystrokes(site, url, keystrokes)))
                    after.add_row(kind, "ours", *asyncio.run(_storm(site, storm_count)))
                if kind == "sqlite":
                    with running_site(url, "plain") as site:
                        after.add_row(kind, "WsgiToAsgi", *asyncio.run(_storm(site, plain_storm)))
    console.print(stopping)
    console.print(after)


def _demo(folder: Path) -> str:
    """A part of the demo, as JSON lines."""
    path = folder / "games.jsonl"
    with gzip.open(str(files("livesearch").joinpath("demo", "demo_console_games.jsonl.gz")), "rt") as rows:
        path.write_text("".join(itertools.islice(rows, 0, None, _STEP)))
    return str(path)


async def _keystrokes(site: Site, url: str, count: int) -> Sequence[str]:
    seen = await give_up_slow(site.port, count)
    figures = (percentile(seen.seconds, 0.5), percentile(seen.seconds, 0.99), max(seen.seconds))
    open_count = await stray_count(url)
    counts = (seen.answered_count, seen.wrong_count, seen.taken, open_count)
    return (str(count), str(len(seen.seconds)), *(f"{1000 * value:.1f}" for value in figures), *map(str, counts))


async def _storm(site: Site, count: int) -> Sequence[str]:
    before = await results(site.port)
    usual = [await _time_of_next(site) for _ in range(21)]
    process = psutil.Process(site.pid)
    started, used = time.monotonic(), _cpu_seconds(process)
    await storm(site.port, count)
    took, waited = time.monotonic() - started, await _time_of_next(site)
    await settled(site.port)
    is_same = await results(site.port) == before
    figures = (f"{took:.1f}", f"{1000 * waited:.0f}", f"{1000 * percentile(usual, 0.5):.0f}")
    return (str(count), *figures, f"{_cpu_seconds(process) - used:.1f}", "yes" if is_same else "NO")


async def _time_of_next(site: Site) -> float:
    started = time.monotonic()
    assert await ask(site.port, "/quick") == (200, b"42")
    return time.monotonic() - started


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
