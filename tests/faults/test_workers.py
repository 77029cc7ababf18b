"""Several workers: what becomes of them, and of who connects, when one of them or their parent ends."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

# Seconds after SIGTERM in which requests are still taken, and seconds to wait for anything.
_DRAIN, _PATIENCE = 1, 20.0


class Site:
    """A server with two workers.

    Attributes:
        url: Where it answers.
        address: The same, as a socket takes it.
    """

    def __init__(self, folder: Path) -> None:
        (folder / "games.csv").write_text("id,title\n1,Zelda\n")
        (folder / "metrics").mkdir()
        self.metrics = folder / "metrics"
        environment = {
            **os.environ,
            "LIVESEARCH_STORE_URL": f"sqlite+aiosqlite:///{folder}/store.db",
            "LIVESEARCH_DRAIN_SECONDS": str(_DRAIN),
            "PROMETHEUS_MULTIPROC_DIR": str(self.metrics),
        }
        command = (sys.executable, "-m", "livesearch", "serve", str(folder / "games.csv"), "--port", "0")
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.parent = subprocess.Popen((*command, "--workers", "2"), env=environment, stderr=log, stdout=log)  # noqa: S603  # our own command
        found = wait_for(lambda: re.search(r"Serving http://127\.0\.0\.1:(\d+)", self.log.read_text()))
        assert isinstance(found, re.Match)
        self.address = ("127.0.0.1", int(found[1]))
        self.url = f"http://127.0.0.1:{found[1]}"
        wait_for(self.is_answering)

    def is_answering(self) -> bool:
        """Whether a search is answered."""
        try:
            return httpx.get(f"{self.url}/c/games?q=zel", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def is_refusing(self) -> bool:
        """Whether nobody listens."""
        try:
            socket.create_connection(self.address, timeout=1).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return False

    def workers(self) -> set[int]:
        """The processes that serve: children whose command is that of a spawned process."""
        children = Path(f"/proc/{self.parent.pid}/task/{self.parent.pid}/children").read_text().split()
        return {int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def wait_for(ask: Callable[[], object]) -> object:
    """Ask until there is an answer that is true, and give it."""
    deadline = time.monotonic() + _PATIENCE
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.05)
    return answer


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    served = Site(tmp_path)
    yield served
    if served.parent.poll() is None:
        served.parent.terminate()
    served.parent.wait(_PATIENCE)


def test_workers_end_with_their_parent_and_leave_the_port(site: Site) -> None:
    workers = site.workers()
    site.parent.kill()
    site.parent.wait()

    wait_for(site.is_refusing)
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))

    assert len(workers) == 2
    socket.create_server(site.address).close()  # the next one has the port


def test_who_connects_past_the_drain_is_refused_while_a_request_goes_on(site: Site) -> None:
    head = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n"
    with socket.create_connection(site.address, timeout=_PATIENCE) as going_on:
        going_on.sendall(head + b"nam")
        time.sleep(0.3)
        site.parent.send_signal(signal.SIGTERM)
        time.sleep(_DRAIN + 1.5)

        is_refusing = site.is_refusing()
        going_on.sendall(b"e=a")
        answer = going_on.recv(100)

    assert is_refusing
    assert answer.startswith(b"HTTP/1.1 4")


def test_worker_that_was_killed_is_replaced_and_counted_no_more(site: Site) -> None:
    workers = site.workers()
    killed = min(workers)
    wait_for(lambda: list(site.metrics.glob(f"gauge_live*_{killed}.db")))
    os.kill(killed, signal.SIGKILL)

    wait_for(lambda: len(site.workers() - {killed}) == 2)
    wait_for(lambda: not list(site.metrics.glob(f"gauge_live*_{killed}.db")))
    wait_for(site.is_answering)
