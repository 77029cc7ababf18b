"""How fast rows come in, and how large they are then: livesearch against plain FTS5 over the same texts.

The peer stores and indexes the searched texts alone: no facets, no numbers, no key, no document, no vocabulary, no
resuming.
"""

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click
from rich.table import Table

from benchmarks.printing import console

# Ends with what the process and those it started have used, as the last line of standard error.
_MEASURED = """
import json, resource, runpy, sys
try:
    {work}
finally:
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    used = [sum((u.ru_utime, u.ru_stime)) for u in (own, children)] + [own.ru_maxrss, children.ru_maxrss]
    print(json.dumps(used), file=sys.stderr)
"""
_LIVESEARCH = "sys.argv[0] = 'livesearch'; runpy.run_module('livesearch', run_name='__main__')"
_FTS5 = (
    "from pathlib import Path; from benchmarks.peers import load_fts5, searched_rows;"
    " print(load_fts5(Path(sys.argv[1]), searched_rows(sys.argv[2])[1], options=sys.argv[3]))"
)


@dataclass(frozen=True, slots=True)
class Run:
    """One way to take the rows in.

    Attributes:
        cpu_seconds: Of all processes and threads; tells more than the clock where the machine is shared.
        peaks: MiB that the process had at most, and the one beside it, if there was one.
    """

    row_count: int
    seconds: float
    cpu_seconds: float
    peaks: tuple[float, ...]
    size: int


@click.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
def imports(source: str) -> None:
    """Import SOURCE with livesearch and with FTS5."""
    table = Table("what", "rows", "seconds", "rows/s", "CPU s", "peak MiB", "file MB", "of the last file")
    with tempfile.TemporaryDirectory() as folder:
        runs = {"livesearch import": _livesearch(source, Path(folder, "ours.db"))}
        for name, options in (("FTS5", ""), ("FTS5, prefix='1 2 3'", ", prefix='1 2 3'")):
            runs[name] = _fts5(source, Path(folder, f"{len(options)}.db"), options)
    last = list(runs.values())[-1].size
    for name, run in runs.items():
        table.add_row(
            name,
            f"{run.row_count:,}",
            f"{run.seconds:.1f}",
            f"{run.row_count / run.seconds:,.0f}",
            f"{run.cpu_seconds:.1f}",
            " + ".join(f"{peak:.0f}" for peak in run.peaks),
            f"{run.size / 1e6:.0f}",
            f"{run.size / last:.2f}",
        )
    console.print(table)


def _livesearch(source: str, path: Path) -> Run:
    def count(printed: str) -> int:
        report: dict[str, int] = json.loads(printed)
        return report["accepted"] + report["updated"] + report["unchanged"]

    printed, seconds, cpu_seconds, peaks = _run(
        _LIVESEARCH, "import", source, "--name", "rows", "--store", str(path), "--json"
    )
    return Run(count(printed), seconds, cpu_seconds, peaks, path.stat().st_size)


def _fts5(source: str, path: Path, options: str) -> Run:
    printed, seconds, cpu_seconds, peaks = _run(_FTS5, str(path), source, options)
    return Run(int(printed), seconds, cpu_seconds, peaks, path.stat().st_size)


def _run(work: str, *arguments: str) -> tuple[str, float, float, tuple[float, ...]]:
    """What a process printed, its seconds by the clock and of CPU, and its peaks in MiB."""
    command = [sys.executable, "-c", _MEASURED.format(work=work), *arguments]
    started = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  # our own
    seconds = time.perf_counter() - started
    own, children, own_peak, child_peak = json.loads(done.stderr.splitlines()[-1])
    return done.stdout, seconds, own + children, tuple(peak / 1024 for peak in (own_peak, child_peak) if peak)
