"""Large uploads at once: a server holds none of them in memory."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.uploading import Editor, Server, served

UPLOAD_SIZE = 60_000_000
UPLOAD_COUNT = 2


def highest_memory(server: Server) -> int:
    """Bytes that the server's process has held at most so far."""
    assert server.process
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the highest memory so far")
def test_uploads_at_once_are_files_and_not_memory(tmp_path: Path) -> None:
    few, large = tmp_path / "few.csv", tmp_path / "large.csv"
    few.write_text("id,title\n1,Zelda\n")
    row = "1,Zelda and so on and on until the line has some length\n"
    large.write_text("id,title\n" + row * (UPLOAD_SIZE // len(row)))
    with served(tmp_path, dict(os.environ), str(few)) as server:
        editors = [Editor(server.url) for _ in range(UPLOAD_COUNT)]
        editors[0].look(editors[0].send(few))  # what a first upload loads is loaded
        before = highest_memory(server)
        with ThreadPoolExecutor(UPLOAD_COUNT) as pool:
            addresses = list(pool.map(lambda editor: editor.send(large), editors))
        for editor in editors:
            editor.client.close()

        assert len(set(addresses)) == UPLOAD_COUNT
        # Pieces of them are held, and the first rows of each when its draft is looked at.
        assert highest_memory(server) - before < UPLOAD_SIZE / 3
