"""How fast rows come in, and how large they are then: livesearch against plain FTS5 over the same texts.

The peer stores and indexes the searched texts alone: no facets, no numbers, no key, no document, no resuming.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.peers import load_fts5, searched_rows


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
def imports(source: str) -> None:
    """Import SOURCE with livesearch and with FTS5."""
    table = Table("what", "rows", "seconds", "rows/s", "file MB", "peak MB")
    with tempfile.TemporaryDirectory() as folder:
        table.add_row("livesearch import", *_livesearch(source, Path(folder, "ours.db")))
        for name, options in (("FTS5", ""), ("FTS5, prefix='1 2 3'", ", prefix='1 2 3'")):
            path = Path(folder, f"{len(options)}.db")
            started = time.perf_counter()
            count = load_fts5(path, searched_rows(source)[1], options=options)
            seconds = time.perf_counter() - started
            table.add_row(
                name, str(count), f"{seconds:.1f}", f"{count / seconds:.0f}", _megabytes(path), "not measured"
            )
    Console().print(table)


def _livesearch(source: str, path: Path) -> tuple[str, ...]:
    started = time.perf_counter()
    command = ["-m", "livesearch", "import", source, "--name", "rows", "--store", str(path), "--json"]
    script = (
        "import resource, runpy, sys; sys.argv = ['livesearch', *sys.argv[1:]]\n"
        "try: runpy.run_module('livesearch', run_name='__main__')\n"
        "finally: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    done = subprocess.run(  # noqa: S603  # our own command
        [sys.executable, "-c", script, *command[2:]], check=True, capture_output=True, text=True
    )
    seconds = time.perf_counter() - started
    report = json.loads(done.stdout)
    count = report["accepted"] + report["updated"] + report["unchanged"]
    peak = int(done.stderr.split()[-1]) / 1024
    return str(count), f"{seconds:.1f}", f"{count / seconds:.0f}", _megabytes(path), f"{peak:.0f}"


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:.0f}"
