"""PostgreSQL tables, as a shell names them: the store that is meant, and what is said about it."""

import asyncio
import json
import os
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from livesearch.cli import main, serving


@pytest.fixture
def address(postgres_url: str) -> str:
    """A database with a table and a view, as another program names it, with a password that nobody asks for."""

    async def fill() -> None:
        connection = await asyncpg.connect(postgres_url.replace("+asyncpg", ""))
        await connection.execute(
            "CREATE TABLE games (id int PRIMARY KEY, title text); INSERT INTO games VALUES (1, 'Zelda'), (2, 'Sonic');"
            "CREATE VIEW seen AS SELECT * FROM games"
        )
        await connection.close()

    asyncio.run(fill())
    return postgres_url.replace("postgresql+asyncpg://postgres@", "postgresql://postgres:hunter2secret@")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands run in a folder of their own, with nothing chosen; the server itself is tried elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serving, "run", lambda *_, **__: None)
    monkeypatch.setenv("LIVESEARCH_STORE_URL", "")  # the command sets it for its workers
    monkeypatch.delenv("LIVESEARCH_SECRET_KEY", raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_serve_takes_the_table_s_database_as_the_store(
    address: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = run("serve", f"{address}::games", "--port", "0")
    monkeypatch.setenv("LIVESEARCH_SECRET_KEY", "0123456789abcdef")
    served = run("serve", f"{address}::games", "--port", "0")
    again = run("serve", f"{address}::games", "--port", "0")
    chosen = os.environ["LIVESEARCH_STORE_URL"]
    shown = run("show", "games", "--store", address)
    dropped = run("drop", "games", "--yes", "--store", address)

    assert (refused.exit_code, "LIVESEARCH_SECRET_KEY is not set" in refused.stderr) == (2, True), refused.output
    assert served.exit_code == 0, served.stderr
    said = " ".join(served.stderr.split())
    assert "The store is the table's own database, postgresql://postgres@127.0.0.1" in said
    assert "It follows table public.games in place" in said, said
    assert "2 rows. Nothing changed." in again.stderr
    assert chosen == address.replace("postgresql://", "postgresql+asyncpg://")
    assert "follows table public.games in place" in shown.stdout
    assert dropped.exit_code == 0
    for result in (refused, served, again, shown):
        assert "hunter2secret" not in result.output
    assert list(folder.iterdir()) == []


def test_serve_copies_where_a_store_was_chosen_or_a_view_is_named(address: str, folder: Path) -> None:
    table = run("serve", f"{address}::games", "--port", "0", "--store", "mine.db")
    os.environ["LIVESEARCH_STORE_URL"] = ""
    view = run("serve", f"{address}::seen", "--port", "0")
    listed = run("collections", "--json", "--store", "mine.db")
    shown = json.loads(run("show", "seen", "--json", "--store", "livesearch.db").stdout)

    assert (table.exit_code, view.exit_code) == (0, 0), table.stderr + view.stderr
    assert json.loads(listed.stdout)[0]["documents"] == 2
    assert json.loads(listed.stdout)[0]["source"].startswith("postgresql://postgres@")
    assert (shown["documents"], shown["source_table"]) == (2, None)
    assert "hunter2secret" not in "".join(
        path.read_bytes().decode("latin-1") for path in folder.iterdir() if path.is_file()
    )


def test_rejected_rows_of_a_table_go_to_a_file_named_after_the_collection(address: str, folder: Path) -> None:
    async def add() -> None:
        connection = await asyncpg.connect(address)
        await connection.execute(
            "CREATE TABLE odd (id text, more json); INSERT INTO odd VALUES ('a', '1'), ('b', '1e400')"
        )
        await connection.close()

    asyncio.run(add())
    report = json.loads(run("import", f"{address}::odd", "--store", "mine.db", "--key", "id", "--json").stdout)

    assert (report["accepted"], report["rejected"], report["rejects"]) == (1, 1, "odd.rejects.jsonl")
    assert (folder / "odd.rejects.jsonl").is_file()
