"""A real server over the demo, in a process of its own."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_START_SECONDS = 60.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running_server(folder: str | Path, *arguments: str) -> Iterator[int]:
    """Serve the demo (or what the arguments say) from a new store in a folder; gives the port."""
    port = free_port()
    command = [sys.executable, "-m", "livesearch", "serve", "--port", str(port), "--store", f"{folder}/store.db"]
    with Path(folder, "server.log").open("wb") as log:
        process = subprocess.Popen([*command, *arguments], stdout=log, stderr=log, cwd=folder)  # noqa: S603  # ours
        try:
            wait_until_it_listens(process, port, Path(folder, "server.log"))
            yield port
        finally:
            process.terminate()
            process.wait(30)


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Wait for a server that has just been started; RuntimeError with what it wrote when it does not come up."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not come up:\n{log.read_text()}")
