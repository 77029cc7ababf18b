"""A server of its own, and an editor who sends it rows over HTTP: for tests and benchmarks that kill it meanwhile."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import httpx
import psutil

from tests.load.server import free_port, wait_until_it_listens

NAME, PASSWORD = "Ann", "correct horse"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
_PATIENCE = 60.0
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
_ROWS = re.compile(r"<span>([\d,]+) rows?</span>")


class Server:
    """`livesearch serve` over a store in a folder, which may be killed and started again."""

    def __init__(self, folder: Path, environment: dict[str, str], sources: Sequence[str]) -> None:
        self.folder, self.environment, self.sources = folder, environment, sources
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = ("-m", "livesearch", "serve", "--port", str(self.port), "--store", str(self.folder / "store.db"))
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  # our own
                [sys.executable, *command, *self.sources], stdout=log, stderr=log, cwd=self.folder, env=self.environment
            )
        wait_until_it_listens(self.process, self.port, self.folder / "server.log")

    def kill(self) -> None:
        """End it as a crash would, and wait until nothing is left of it."""
        assert self.process
        children = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(_PATIENCE)
        _, alive = psutil.wait_procs(children, timeout=_PATIENCE)
        assert alive == [], "a process has outlived its server"

    def stop(self) -> None:
        """End it as an operator does."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(_PATIENCE)


@contextmanager
def served(folder: Path, environment: dict[str, str], *sources: str) -> Iterator[Server]:
    """A server over some sources, or the demo, with an editor."""
    server = Server(folder, environment, sources)
    command = (sys.executable, "-m", "livesearch", "user", "add", NAME, "--role", "editor", "--password-stdin")
    try:
        server.start()
        subprocess.run(  # noqa: S603  # our own
            [*command, "--store", str(folder / "store.db")],
            input=PASSWORD.encode(),
            check=True,
            capture_output=True,
            cwd=folder,
            env=environment,
        )
        yield server
    finally:
        server.stop()


class Editor:
    """Sends rows as a browser does."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=120)
        form = {"csrf_token": self._token("/login"), "name": NAME, "password": PASSWORD}
        assert self.client.post("/login", data=form).status_code == 303

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def _token(self, address: str) -> str:
        found = _TOKEN.search(self.client.get(address).text)
        assert found
        return found[1]

    def send(self, path: Path) -> str:
        """Send a file; gives the address of its draft."""
        with path.open("rb") as file:
            answer = self.client.post(
                "/imports", data={"csrf_token": self._token("/imports")}, files={"file": (path.name, file)}
            )
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def start(self, address: str, name: str) -> None:
        """Import a draft into a collection."""
        form = {"csrf_token": self._token(address), "name": name, "key": "id", "do": "import"}
        assert self.client.post(address, data=form).status_code == 303

    def look(self, address: str) -> str:
        """The part of an import's page that changes."""
        return self.client.get(f"/htmx{address}", headers=HTMX).text

    def rows(self, address: str) -> int | None:
        """Rows that an import says it has read; None once it has ended."""
        text = self.look(address)
        if 'id="import"' in text and "hx-trigger" not in text:
            return None
        found = _ROWS.search(text)
        return int(found[1].replace(",", "")) if found else 0

    def wait_for(self, address: str, row_count: int, *, seconds: float = _PATIENCE, pause: float = 0.05) -> int | None:
        """Wait until an import has read so many rows, or has ended."""
        deadline = time.monotonic() + seconds
        while (rows := self.rows(address)) is not None and rows < row_count:
            assert time.monotonic() < deadline, f"only {rows} rows were read"
            time.sleep(pause)
        return rows
