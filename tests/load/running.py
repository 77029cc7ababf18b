"""Runs: a server, a crowd, and a look at what the server's processor does meanwhile."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.load.report import LARGEST_LAG, Answer, between, percentile
from tests.load.server import free_port

SERVER_CORE, CROWD_CORE = 0, 1
# Seconds that a server or a crowd takes to come up, and that a crowd takes to write down what it saw.
_GRACE_SECONDS = 90.0


@contextmanager
def pinned_server(folder: str | Path) -> Iterator[tuple[str, int]]:
    """Serve the demo from a new store in a folder, on a core of its own; gives address and process id.

    Raises:
        RuntimeError: It did not come up; the message has what it printed.
    """
    port = free_port()
    command = [sys.executable, "-m", "livesearch", "serve", "--port", str(port), "--store", f"{folder}/store.db"]
    log = Path(folder, "server.log")
    with log.open("wb") as lines, subprocess.Popen(command, stdout=lines, stderr=lines, cwd=folder) as process:  # noqa: S603  # ours
        try:
            pin(SERVER_CORE, process.pid)
            deadline = time.monotonic() + _GRACE_SECONDS
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the server did not come up:\n{log.read_text()}")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()


def pin(core: int, pid: int) -> None:
    """Keep a process, and what it starts from now on, on one core, where the system can and there is such a core."""
    if hasattr(os, "sched_setaffinity") and core < (os.cpu_count() or 1):
        os.sched_setaffinity(pid, {core})


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Seen:
    """What a crowd saw.

    Attributes:
        begun: When the first people came, by ``time.monotonic``.
        lags: When each request was due, and how late the crowd itself was with it; in seconds.
        crowd_load: Share of its processor that the crowd used, 0 to 1.
    """

    begun: float
    answers: Sequence[Answer]
    lags: Sequence[tuple[float, float]]
    crowd_load: float

    def lag(self, begin: float, end: float) -> float:
        """The crowd's own delay in a stretch of time: 99th percentile, in seconds."""
        return percentile([lag for due, lag in self.lags if begin <= due < end], 0.99)

    def is_void(self, begin: float, end: float) -> bool:
        """Whether the crowd was too slow for its figures to be the server's."""
        return not self.lag(begin, end) <= LARGEST_LAG

    def between(self, begin: float, end: float) -> Sequence[Answer]:
        """What was due in a stretch of time."""
        return between(self.answers, begin, end)


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds that the server has used, and that anybody has used of its core; bytes that it has resident."""

    moment: float
    used: float
    busy: float
    size: int


@dataclass(slots=True)
class Meter:
    """What a server and its core do, twice a second."""

    samples: list[Sample] = field(default_factory=list)

    def load(self, begin: float, end: float) -> float:
        """Processors used between two moments (``time.monotonic``), all processes and threads; NaN when unknown."""
        return self._rate(begin, end, lambda sample: sample.used)

    def foreign_load(self, begin: float, end: float) -> float:
        """Share of the server's core that others took, the host of a virtual machine among them: 0 to 1, or NaN."""
        share = self._rate(begin, end, lambda sample: sample.busy) - self.load(begin, end)
        return 0.0 if share < 0 else share  # the clocks of a process and of a core differ a little

    def _rate(self, begin: float, end: float, seconds_of: Callable[[Sample], float]) -> float:
        chosen = [sample for sample in self.samples if begin <= sample.moment <= end]
        if len(chosen) < 2:
            return float("nan")
        return (seconds_of(chosen[-1]) - seconds_of(chosen[0])) / (chosen[-1].moment - chosen[0].moment)

    @property
    def memory_mib(self) -> float:
        """The largest resident size seen, in MiB."""
        return max((sample.size for sample in self.samples), default=0) / (1 << 20)


@contextmanager
def metered(pid: int) -> Iterator[Meter]:
    """Look at a process and its children each half second."""
    meter, stop, parent = Meter(), threading.Event(), psutil.Process(pid)

    def look() -> None:
        while not stop.wait(0.5):
            try:
                family = [parent, *parent.children(recursive=True)]
                times = [process.cpu_times() for process in family]
                size = sum(process.memory_info().rss for process in family)
            except psutil.NoSuchProcess:
                return
            used = sum(one.user + one.system for one in times)
            meter.samples.append(Sample(time.monotonic(), used, _busy_seconds(SERVER_CORE), size))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield meter
    finally:
        stop.set()
        thread.join()


def _busy_seconds(core: int) -> float:
    """Seconds that a core has not been idle, ever."""
    times = psutil.cpu_times(percpu=True)[core]
    # What guests took is in `user` and `nice`, too.
    counted = {"user", "nice", "system", "irq", "softirq", "steal"} & set(times._fields)
    return float(sum(getattr(times, name) for name in counted))


def run_crowd(url: str, stages: Sequence[tuple[float, int]], *, seed: int = 1) -> Seen:
    """Let people come and go.

    Args:
        stages: For how many seconds there are how many people, one after the other.

    Raises:
        RuntimeError: The crowd's process failed; the message has what it printed.
    """
    command = [sys.executable, "-m", "tests.load.crowd"]
    total = sum(seconds for seconds, _ in stages)
    with subprocess.Popen(  # noqa: S603  # ours
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as process:
        pin(CROWD_CORE, process.pid)
        plan = json.dumps({"url": url, "stages": stages, "seed": seed}).encode()
        try:
            output, complaints = process.communicate(plan, timeout=total + _GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    if process.returncode:
        raise RuntimeError(f"the crowd failed:\n{complaints.decode()}")
    seen = json.loads(output)
    return Seen(
        seen["begun"],
        [Answer(*answer) for answer in seen["answers"]],
        [(due, lag) for due, lag in seen["lags"]],
        seen["cpu_seconds"] / total,
    )
