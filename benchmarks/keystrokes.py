"""How long a keystroke takes inside the engine: livesearch with facets and exact total against FTS5's ranked top 20."""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.peers import load_fts5, searched_rows
from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import SearchQuery
from livesearch.search.analysis import words
from livesearch.services import build_services
from livesearch.services.imports import ImportOptions

# Lengths reported; what is longer is as fast as the longest.
_LENGTHS = (1, 2, 3, 4, 5, 8)
Times = dict[int, list[float]]


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@click.option("--names", "name_count", default=50, show_default=True, help="Titles typed letter by letter.")
def keystrokes(source: str, name_count: int) -> None:
    """Import SOURCE, then type some of its titles letter by letter."""
    rows = list(searched_rows(source)[1])
    chance = random.Random(1)  # noqa: S311  # rows to type, not secrets
    typed = [words(row[0])[0] for row in chance.sample(rows, min(name_count, len(rows))) if words(row[0])]
    with tempfile.TemporaryDirectory() as folder:
        ours = asyncio.run(_livesearch(source, Path(folder, "ours.db"), typed))
        load_fts5(Path(folder, "fts5.db"), rows, options=", prefix='1 2 3'")
        peer = _fts5(Path(folder, "fts5.db"), typed)
    table = Table("letters", "livesearch p50 ms", "p99 ms", "FTS5 p50 ms", "p99 ms", "FTS5 / livesearch, p50")
    for length in _LENGTHS:
        if ours[length]:
            mine, theirs = sorted(ours[length]), sorted(peer[length])
            table.add_row(
                str(length), *_pair(mine), *_pair(theirs), f"{theirs[len(theirs) // 2] / mine[len(mine) // 2]:.1f} x"
            )
    Console().print(table)


def _pair(ordered: Sequence[float]) -> tuple[str, str]:
    return f"{1000 * ordered[len(ordered) // 2]:.1f}", f"{1000 * ordered[int(len(ordered) * 0.99)]:.1f}"


async def _livesearch(source: str, path: Path, typed: Sequence[str]) -> Times:
    database = Database(Settings(store_url=f"sqlite+aiosqlite:///{path}", query_timeout_ms=60_000))
    try:
        services = build_services(database.settings, database)
        await services.transactions.upgrade()
        await services.imports.run(source, ImportOptions(name="rows"))
        await services.search.search("rows", SearchQuery())

        times: Times = defaultdict(list)
        for text, length in _keystrokes(typed):
            started = time.perf_counter()
            await services.search.search("rows", SearchQuery(text))
            times[length].append(time.perf_counter() - started)
        return times
    finally:
        await database.close()


def _fts5(path: Path, typed: Sequence[str]) -> Times:
    connection = sqlite3.connect(path)
    times: Times = defaultdict(list)
    for text, length in _keystrokes(typed):
        started = time.perf_counter()
        connection.execute("SELECT rowid FROM rows(?) ORDER BY rank LIMIT 20", (f'"{text}"*',)).fetchall()
        times[length].append(time.perf_counter() - started)
    connection.close()
    return times


def _keystrokes(typed: Sequence[str]) -> Sequence[tuple[str, int]]:
    return [(word[:length], length) for word in typed for length in _LENGTHS if length <= len(word)]
