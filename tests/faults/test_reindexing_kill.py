"""An upgrade that is killed while it makes the index anew: the next one goes on, and in the end the index is right."""

import asyncio
import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import CHUNK_BITS, SearchQuery
from livesearch.services import build_services
from tests.faults.test_import_kill import PATIENCE, end
from tests.indexes import checked_documents

CHUNK_COUNT, ROW_COUNT = 4, 1200


def make_stale(store: Path) -> None:
    """Chunks with some rows each, and an index that is of another version."""

    async def fill() -> None:
        database = Database(Settings(store_url=f"sqlite+aiosqlite:///{store}"))
        services = build_services(database.settings, database)
        await services.transactions.upgrade()
        words, chance = ["red", "green", "blue", "zelda", "käse"], random.Random(3)  # noqa: S311  # rows, not secrets
        for chunk in range(CHUNK_COUNT):
            source = store.parent / "games.jsonl"
            rows = [
                {"id": f"k{chunk}-{number}", "title": " ".join(chance.choices(words, k=30))}
                for number in range(ROW_COUNT)
            ]
            source.write_text("".join(json.dumps(row) + "\n" for row in rows))
            await services.imports.run(str(source))
            async with services.transactions.write() as conn:
                await conn.exec_driver_sql("UPDATE collections SET next_number = ?", ((chunk + 1) << CHUNK_BITS,))
        async with services.transactions.write() as conn:
            await conn.exec_driver_sql("UPDATE collections SET index_version = 0")
            await conn.exec_driver_sql("DELETE FROM postings")
        await database.close()

    asyncio.run(fill())


def start(store: Path) -> "subprocess.Popen[bytes]":
    command = (sys.executable, "-m", "livesearch", "db", "upgrade", "--store", str(store))
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603  # our own


def done_count(store: Path) -> int:
    """Chunks that are done since the index was begun."""
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    [(count, version)] = connection.execute("SELECT count(*), max(index_version) FROM chunks, collections")
    connection.close()
    return count if version != 0 else 0


def test_killed_again_and_again_an_upgrade_comes_to_its_end(tmp_path: Path) -> None:
    store, chance = tmp_path / "store.db", random.Random()  # noqa: S311  # moments, not secrets
    make_stale(store)
    for reached in (1, 2):
        process, deadline = start(store), time.monotonic() + PATIENCE
        while done_count(store) < reached and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.03))
        end(process, signal.SIGKILL)
    assert done_count(store) >= 2
    process = start(store)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors.decode()

    async def look() -> tuple[int, int, list[str]]:
        database = Database(Settings(store_url=f"sqlite+aiosqlite:///{store}", query_timeout_ms=20_000))
        services = build_services(database.settings, database)
        documents = await checked_documents(services.transactions, "games")
        page = await services.search.search("games", SearchQuery("zelda"))
        faults = await services.integrity.check()
        await database.close()
        return len(documents), page.total, faults

    count, found, faults = asyncio.run(look())
    assert (count, faults) == (CHUNK_COUNT * ROW_COUNT, [])
    assert 0 < found <= count
