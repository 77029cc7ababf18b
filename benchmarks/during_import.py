"""How long searches take while an import runs at full speed in another process, against the same searches before."""

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import orjson
from rich.table import Table

from benchmarks.peers import searched_rows
from benchmarks.printing import console, percentile
from benchmarks.stores import opened, store_path
from livesearch.domain import Row, SearchQuery
from livesearch.ingest import open_source, parse_source
from livesearch.search.analysis import words
from livesearch.services import Services
from livesearch.services.imports import ImportOptions

_SEARCHED, _OTHER = "searched", "other"
# Letters of the beginnings that are typed, and pauses between two of them as a quick typist makes them, in seconds.
_LENGTHS, _PAUSE = (1, 2, 3, 5), 0.03
# Searches of which the idle figures are made, and at least so many during an import.
_COUNT = 400


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@click.option("--store", help="An empty store, a file or a database URL; by default a scratch file.")
def during_import(source: str, store: str | None) -> None:
    """Import half of SOURCE and search it, also while all of it is imported: into another and the same collection."""
    with store_path(store) as path, TemporaryDirectory() as folder:
        half = Path(folder, "half.jsonl")
        texts = _write_half(source, half)
        results = asyncio.run(_measure(path, source, str(half), texts))
    table = Table("meanwhile", "searches", "p50 ms", "p95 ms", "p99 ms", "p95 / idle p95", "import s")
    idle = percentile(results[0][1], 0.95)
    for what, times, seconds in results:
        figures = (f"{1000 * percentile(times, share):.1f}" for share in (0.5, 0.95, 0.99))
        table.add_row(what, str(len(times)), *figures, f"{percentile(times, 0.95) / idle:.2f}", f"{seconds:.1f}")
    console.print(table)


def _write_half(source: str, path: Path) -> list[str]:
    """Write every second row to a file; gives what is typed."""
    rows = [row.document for row in open_source(parse_source(source)).rows() if isinstance(row, Row)][::2]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    chance = random.Random(1)  # noqa: S311  # rows to type, not secrets
    titles = [words(title) for title, _ in searched_rows(str(path))[1] if words(title)]
    typed = [found[0][:length] for found in chance.sample(titles, min(len(titles), _COUNT)) for length in _LENGTHS]
    chance.shuffle(typed)
    return typed


Result = tuple[str, list[float], float]


async def _measure(store: str, source: str, half: str, texts: Sequence[str]) -> list[Result]:
    async with opened(store) as services:
        await services.imports.run(half, ImportOptions(name=_SEARCHED))
        await _search(services, texts[:100])
        idle = await _search(services, texts[:_COUNT])
        results = [("nothing", idle, 0.0)]
        for what, name in (("import of another collection", _OTHER), ("import of the same collection", _SEARCHED)):
            started = time.perf_counter()
            command = ("-m", "livesearch", "import", source, "--name", name, "--store", store, "--json")
            process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
            ended = asyncio.ensure_future(process.communicate())
            times: list[float] = []
            while not ended.done():
                times += await _search(services, [texts[len(times) % len(texts)]])
            await ended
            assert process.returncode == 0
            results.append((what, times, time.perf_counter() - started))
        again = await _search(services, texts[:_COUNT])
        return [*results, ("nothing, twice as many rows", again, 0.0)]


async def _search(services: Services, texts: Sequence[str]) -> list[float]:
    times = []
    for text in texts:
        started = time.perf_counter()
        await services.search.search(_SEARCHED, SearchQuery(text))
        times.append(time.perf_counter() - started)
        await asyncio.sleep(_PAUSE)
    return times
