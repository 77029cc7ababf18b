"""Whether every commit of another process is found by the very next search, and what a killed writer leaves behind.

A quarter of the commits are another program's, made through plain SQL. No peer: those with an index of their own make
commits visible later, by a refresh or a task.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import orjson
from rich.table import Table

from benchmarks.printing import console, percentile
from benchmarks.stores import import_once, opened, store_path
from livesearch.domain import Role
from livesearch.services.imports import ImportOptions
from tests.faults.committing import NAME, Findings, follow

# Documents that are there before, so that each search has something to choose from.
_ROW_COUNT = 20_000
_ROLES = {"title": Role.TITLE, "about": Role.TEXT}


@click.command()
@click.option("--store", help="An empty store, a file or a database URL; by default a scratch file.")
@click.option("--count", default=10_000, show_default=True, help="Commits in all.")
@click.option("--kills", "kill_count", default=10, show_default=True, help="Times that the writer is killed.")
def commits(store: str | None, count: int, kill_count: int) -> None:
    """Commit one write after another in a process that is killed now and then; look for each in this one."""
    with store_path(store) as path, TemporaryDirectory() as folder:
        source = Path(folder, "rows.jsonl")
        source.write_bytes(b"\n".join(map(orjson.dumps, _rows())))
        findings, faults = asyncio.run(_follow(path, str(source), count, kill_count))
    table = Table("commits", "found by the next search", "kills", "faults afterwards", "search p50 ms", "p99 ms")
    found = findings.commits - len(findings.lost)
    times = (f"{1000 * percentile(findings.seconds, share):.1f}" for share in (0.5, 0.99))
    table.add_row(f"{findings.commits:,}", f"{found:,}", str(kill_count), str(len(faults)), *times)
    console.print(table)
    for line in (*findings.lost, *faults):
        console.print(line)


async def _follow(store: str, source: str, count: int, kill_count: int) -> tuple[Findings, list[str]]:
    findings, part = Findings(), count // (kill_count + 1)
    faults: list[str] = []
    async with opened(store) as services:
        await import_once(services, source, ImportOptions(name=NAME, key="id", roles=_ROLES))
        for run in range(kill_count):
            # Numbers far apart: what a killed writer did last is not known.
            await follow(services, 100_000 * run, 2 * part, findings, kill_after=part)
            faults += await services.integrity.check()
        rest = count - findings.commits
        await follow(services, 100_000 * kill_count, rest, findings, kill_after=rest + 1)
        return findings, faults + await services.integrity.check()


def _rows() -> Iterator[dict[str, object]]:
    words = ["red", "green", "blue", "fox", "dog", "cat", "runs", "sleeps", "jumps", "slowly", "fast", "today"]
    chance = random.Random(1)  # noqa: S311  # rows, not secrets
    for number in range(_ROW_COUNT):
        title, about = (" ".join(chance.choices(words, k=count)) for count in (3, 20))
        yield {"id": f"g{number}", "title": title, "about": about}
