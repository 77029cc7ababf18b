"""A real server whose memory and reading can be looked at, and whose guard can be hurried."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.load.server import free_port, wait_until_it_listens

# The command, with other deadlines of the guard than its own, so that a test need not wait for these.
_HURRIED = (
    "import sys; from livesearch.bridge import limits; from livesearch.guard import protocol;"
    " from livesearch.cli import main;"
    " limits.RECEIVE_SECONDS = limits.SEND_SECONDS = protocol.HEAD_SECONDS = float(sys.argv[1]);"
    " del sys.argv[1]; main()"
)


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    port: int
    process: subprocess.Popen[bytes]

    def resident_mb(self) -> float:
        """Memory of the server and its workers in MB (2^20 bytes)."""
        return sum(float(process.memory_info().rss) for process in self._processes()) / 2**20

    def read_mb(self) -> float:
        """What the server and its workers have read so far, of files and connections, in MB (10^6 bytes)."""
        return sum(float(process.io_counters().read_chars) for process in self._processes()) / 1e6

    def cpu_seconds(self) -> float:
        """Processor time of the server and its workers so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self._processes())

    def _processes(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


@contextmanager
def served(folder: str | Path, *arguments: str, deadline: float | None = None, **environment: str) -> Iterator[Served]:
    """Serve the demo (or what the arguments say) from a new store in a folder.

    Args:
        deadline: Seconds that clients get to send or read, instead of the guard's own.
        environment: Variables for the server.
    """
    port = free_port()
    start = ["-m", "livesearch"] if deadline is None else ["-c", _HURRIED, str(deadline)]
    command = [sys.executable, *start, "serve", "--port", str(port), "--store", f"{folder}/store.db", *arguments]
    variables = {**os.environ, "LIVESEARCH_DRAIN_SECONDS": "0", **environment}
    with Path(folder, "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=variables)  # noqa: S603  # ours
        try:
            wait_until_it_listens(process, port, Path(folder, "server.log"))
            yield Served(port, process)
        finally:
            process.terminate()
            process.wait(30)
