"""A server that is killed while it imports: started again it goes on, and in the end every row is there once."""

import csv
import os
from pathlib import Path

import pytest

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.services import build_services
from tests.indexes import checked_documents
from tests.uploading import Editor, served

ROW_COUNT = 34_000
BATCH = 32_768  # documents of one transaction


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "title", "maker"])
        writer.writerows(
            (f"r{number}", f"Racing number {number}", f"Maker {number % 7}") for number in range(ROW_COUNT)
        )
    return path


async def test_killed_again_and_again_an_import_goes_on_and_loses_nothing(tmp_path: Path, rows: Path) -> None:
    with served(tmp_path, dict(os.environ)) as server, Editor(server.url) as editor:
        address = editor.send(rows)
        editor.start(address, "races")
        editor.wait_for(address, 2_000)
        server.kill()
        server.start()
        reached = editor.wait_for(address, BATCH + 1)
        server.kill()
        server.start()
        editor.wait_for(address, ROW_COUNT + 1)
        page = editor.look(address)

    assert reached is None or reached > BATCH
    assert "rows.csv: done" in page
    database = Database(Settings(store_url=f"sqlite+aiosqlite:///{tmp_path}/store.db"))
    documents = await checked_documents(build_services(database.settings, database).transactions, "races")
    await database.close()
    assert len(documents) == ROW_COUNT
    # Files go when they are imported.
    assert [path.name for path in (tmp_path / "store.db.uploads").glob("*.csv")] == []
