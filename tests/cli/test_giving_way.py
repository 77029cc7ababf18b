"""An import leaves the processors to searches: what the scheduler knows of its process."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

_SECONDS = 20.0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other schedulers")
def test_import_command_has_a_low_priority(tmp_path: Path) -> None:
    arguments = ("import", "-", "--format", "jsonl", "--name", "games", "--store", str(tmp_path / "store.db"))
    command = (sys.executable, "-m", "livesearch", *arguments)
    pipe, expected = subprocess.PIPE, (10, os.SCHED_BATCH)
    # It waits for its rows.
    with subprocess.Popen(command, stdin=pipe, stderr=pipe) as process:  # noqa: S603  # our own
        deadline = time.monotonic() + _SECONDS
        while (found := _scheduling(process.pid)) != expected and time.monotonic() < deadline:
            time.sleep(0.05)
        process.kill()

    assert found == expected


def _scheduling(pid: int) -> tuple[int, int]:
    """A process's niceness and scheduling class."""
    return os.getpriority(os.PRIO_PROCESS, pid), os.sched_getscheduler(pid)
