"""What a serving process holds in memory: a real server over a store, asked over HTTP."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO
from urllib.parse import urlencode
from urllib.request import urlopen

# Seconds a server may take to listen.
_START_SECONDS = 60.0


def serving_memory(store: str, collection: str, texts: Sequence[str]) -> Mapping[str, float]:
    """Serve a store, ask for every text, and read the server's memory in MiB (2^20 bytes), by what the kernel calls it.

    ``VmRSS`` is all that is resident; of it ``RssAnon`` is the process's own, and ``RssFile`` are pages of files, such
    as of the store, that the kernel takes back when others need them. ``VmHWM`` is the highest resident size so far.

    Returns:
        Empty where there is no ``/proc``.
    """
    port = free_port()
    command = [sys.executable, "-m", "livesearch", "serve", "--port", str(port), "--store", store]
    environment = os.environ | {"LIVESEARCH_SECRET_KEY": "of a benchmark, on this machine alone"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)  # noqa: S603  # our own command
        try:
            wait_until_it_listens(process, port, log)
            return _ask(process.pid, f"http://127.0.0.1:{port}/c/{collection}", texts)
        finally:
            process.terminate()
            process.wait(30)


def _ask(pid: int, url: str, texts: Sequence[str]) -> Mapping[str, float]:
    for text in texts:
        with urlopen(f"{url}?{urlencode({'q': text})}", timeout=60) as answer:  # noqa: S310  # an address of our own
            answer.read()
    return _memory(pid)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: IO[bytes]) -> None:
    """Wait for a server that has just been started.

    Raises:
        RuntimeError: It ended, or did not listen within a minute; the message has what it printed.
    """
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    log.seek(0)
    raise RuntimeError(f"the server did not come up: {log.read().decode()}")


def _memory(pid: int) -> dict[str, float]:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return {}
    lines = (line.split() for line in status.read_text().splitlines())
    names = {"VmRSS:", "RssAnon:", "RssFile:", "VmHWM:"}
    return {line[0].rstrip(":"): int(line[1]) / 1024 for line in lines if line and line[0] in names}
