"""Servers in processes of their own, on a core of their own, and the processor time they take."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import Popen

import psutil

from benchmarks.serving import wait_until_it_listens

# The server has one core and the client another, so that neither takes the other's time.
SERVER_CORE, CLIENT_CORE = 0, 1
# As the product serves; the peers' own advice does not differ.
_UVICORN = (
    "uvicorn", "--factory", "--loop=uvloop", "--http=httptools", "--log-level=error", "--no-access-log",
    "--no-server-header", "--timeout-keep-alive=75", "--lifespan=off",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        process: Its parent process.
    """

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Processor time so far, of all its processes and threads."""
        times = [process.cpu_times() for process in (self.process, *self.process.children(recursive=True))]
        return float(sum(time.user + time.system for time in times))


def pin(core: int, pid: int = 0) -> None:
    """Keep a process (this one: 0), and what it starts from now on, on one core.

    Where there is only one core, or the system cannot, nothing is done.
    """
    if hasattr(os, "sched_setaffinity") and core < (os.cpu_count() or 1):
        os.sched_setaffinity(pid, {core})


def uvicorn_command(factory: str, port: int, *, resets_context: bool = False) -> Sequence[str]:
    """Serve what a function makes: ``module:function``."""
    reset = ("--reset-contextvars",) if resets_context else ()
    return (sys.executable, "-m", *_UVICORN, *reset, f"--port={port}", f"benchmarks.{factory}")


def gunicorn_command(factory: str, port: int, *, threads: int) -> Sequence[str]:
    """Serve a synchronous application with one process and some threads."""
    options = (f"--threads={threads}", "--keep-alive=75", "--log-level=error", f"--bind=127.0.0.1:{port}")
    return (sys.executable, "-m", "gunicorn", "--worker-class=gthread", *options, f"benchmarks.{factory}()")


@contextmanager
def running(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[Server]:
    """Run a server until the block ends.

    Raises:
        RuntimeError: It did not listen within a minute; the message has what it printed.
    """
    with tempfile.TemporaryFile() as log:
        process = Popen(command, stdout=log, stderr=log, env=os.environ | environment)  # noqa: S603  # our own command
        pin(SERVER_CORE, process.pid)
        try:
            wait_until_it_listens(process, port, log)
            yield Server(port, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(30)
