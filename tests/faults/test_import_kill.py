"""An import whose process is killed: the next one goes on, and in the end every row is there once."""

import asyncio
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import Document
from livesearch.services import build_services
from tests.indexes import checked_documents

# More rows than the sample has: the index is computed in a process of its own.
ROW_COUNT, KEY_COUNT = 6000, 5000
# The command, with a transaction for each some hundred rows.
SCRIPT = """
from livesearch.services import batches, imports
batches.BYTE_COUNT, imports.ROW_COUNT = 100_000, 400
from livesearch.cli.importing import import_source
import_source()
"""
PATIENCE = 60  # seconds; a busy machine must not fail the test


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Rows of which some repeat a key, far apart."""
    chance = random.Random(7)  # noqa: S311  # rows, not secrets
    words = ["red", "green", "blue", "zelda", "F-16", "käse"]
    path = tmp_path / "games.jsonl"
    with path.open("w") as file:
        for number in range(ROW_COUNT):
            row = {
                "id": f"k{number % KEY_COUNT}",
                "title": f"{' '.join(chance.choices(words, k=3))} {number}",
                "about": " ".join(chance.choices(words, k=60)),
                "maker": chance.choice(["Sega", "Atari"]),
                "score": number,
            }
            file.write(json.dumps(row) + "\n")
    return path


def start(source: Path) -> "subprocess.Popen[bytes]":
    command = (sys.executable, "-c", SCRIPT, str(source), "--store", str(source.parent / "store.db"), "--json")
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603  # our own


def committed(store: Path) -> int:
    """Rows that the import has committed."""
    try:
        connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    except sqlite3.OperationalError:  # not there yet
        return 0
    try:
        row = connection.execute("SELECT max(rows_read) FROM imports").fetchone()
    except sqlite3.OperationalError:
        return 0
    finally:
        connection.close()
    return row[0] or 0


def wait_for(process: "subprocess.Popen[bytes]", store: Path, row_count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while committed(store) < row_count and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def end(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    """Send a signal; assert that no process is left."""
    children = psutil.Process(process.pid).children() if process.poll() is None else []
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    _, alive = psutil.wait_procs(children, timeout=PATIENCE)

    assert alive == []


def stored(store: Path) -> dict[str, Document]:
    async def load() -> dict[str, Document]:
        database = Database(Settings(store_url=f"sqlite+aiosqlite:///{store}"))
        try:
            return await checked_documents(build_services(database.settings, database).transactions, "games")
        finally:
            await database.close()

    return asyncio.run(load())


def finish(source: Path) -> dict[str, int]:
    process = start(source)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors.decode()
    report: dict[str, int] = json.loads(output)
    return report


def test_killed_again_and_again_an_import_loses_and_doubles_nothing(source: Path) -> None:
    store, chance = source.parent / "store.db", random.Random()  # noqa: S311  # moments, not secrets
    for reached in (1, 2000, 4000):
        process = start(source)
        wait_for(process, store, reached)
        time.sleep(chance.uniform(0, 0.1))
        end(process, signal.SIGKILL)
        kept = stored(store)  # what is committed is whole, index and all
        assert len(kept) == min(committed(store), KEY_COUNT)
    report = finish(source)
    documents = stored(store)

    assert report["resumed_at"] >= 4000
    assert (report["accepted"], report["updated"]) == (KEY_COUNT, ROW_COUNT - KEY_COUNT)
    assert {document["score"] for document in documents.values()} == set(range(ROW_COUNT - KEY_COUNT, ROW_COUNT))
    assert finish(source)["unchanged"] == ROW_COUNT


def test_interrupted_by_ctrl_c_an_import_says_so_and_goes_on(source: Path) -> None:
    store = source.parent / "store.db"
    process = start(source)
    wait_for(process, store, 1)
    end(process, signal.SIGINT)

    assert process.returncode == 1
    assert finish(source)["resumed_at"] > 0
    assert len(stored(store)) == KEY_COUNT
