"""A peer: MiniSearch, a search library in JavaScript, in a process of node's."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers import KeyedRow, Rank

_PACKAGE = "minisearch@7.2.0"
_SCRIPT = Path(__file__).with_name("minisearch_peer.mjs")
# Seconds for npm to install one small package.
_INSTALL_SECONDS = 120


class PeerAbsentError(Exception):
    """The peer cannot be run here; the message says why."""


@contextmanager
def minisearch(rows: Iterable[KeyedRow]) -> Iterator[Rank]:
    """Rows with three texts each, found by prefix and fuzzily (a fifth of a word's letters), every word required.

    Raises:
        PeerAbsentError: node or npm is not there, or the package cannot be had.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise PeerAbsentError("node and npm are not on the PATH")
    with tempfile.TemporaryDirectory() as folder:
        _install(npm, folder)
        entry = Path(folder, "node_modules", "minisearch", "dist", "es", "index.js")
        with subprocess.Popen(  # noqa: S603  # our own script
            [node, "--max-old-space-size=4096", str(_SCRIPT), str(entry)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            reader, writer = process.stdout, process.stdin
            for key, texts in rows:
                writer.write(json.dumps([key, *texts]) + "\n")
            writer.write("\n")
            writer.flush()
            reader.readline()

            def rank(text: str, limit: int) -> list[str]:
                writer.write(json.dumps([text, limit]) + "\n")
                writer.flush()
                return [str(key) for key in json.loads(reader.readline())]

            yield rank
            writer.close()


def _install(npm: str, folder: str) -> None:
    command = [npm, "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--silent", _PACKAGE]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL_SECONDS)  # noqa: S603  # as above
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise PeerAbsentError(f"npm could not install {_PACKAGE}: {error}") from error
