"""`livesearch backup`, `restore` and `doctor`, as a shell calls them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from livesearch.cli import main


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with one game."""
    path = tmp_path / "store.db"
    monkeypatch.setenv("LIVESEARCH_STORE_URL", f"sqlite+aiosqlite:///{path}")
    (tmp_path / "games.csv").write_text("id,title\n1,Zelda\n")
    assert run("import", str(tmp_path / "games.csv")).exit_code == 0
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def titles(*options: str) -> list[str]:
    found = json.loads(run("search", "games", "", "--json", *options).stdout)
    return [hit["document"]["title"] for hit in found["hits"]]


def test_backup_is_made_once_and_restored_where_there_is_no_store(tmp_path: Path) -> None:
    file, other = str(tmp_path / "backup.db"), str(tmp_path / "other.db")

    made, again = run("backup", file), run("backup", file)
    restored = run("restore", file, "--store", other)

    assert (made.exit_code, again.exit_code, restored.exit_code) == (0, 1, 0)
    assert "backup.db is a backup of the store: " in " ".join(made.stderr.split())
    assert "exists, and is left as it is. Name a new file." in " ".join(again.stderr.split())
    assert titles("--store", other) == ["Zelda"]


def test_restore_replaces_a_store_when_forced(tmp_path: Path) -> None:
    file = str(tmp_path / "backup.db")
    run("backup", file)
    (tmp_path / "games.csv").write_text("id,title\n1,Zelda II\n")
    run("import", str(tmp_path / "games.csv"))

    refused = run("restore", file)
    kept = titles()
    forced = run("restore", file, "--force")

    assert (refused.exit_code, forced.exit_code) == (1, 0)
    assert "--force replaces it." in " ".join(refused.stderr.split())
    assert (kept, titles()) == (["Zelda II"], ["Zelda"])


def test_restore_without_a_file_is_wrong_usage() -> None:
    assert run("restore").exit_code == 2


def test_doctor_says_how_it_stands_and_how_to_mend_it() -> None:
    seen, as_json = run("doctor"), run("doctor", "--json")

    findings = json.loads(as_json.stdout)
    assert (seen.exit_code, as_json.exit_code) == (0, 0)
    assert {"games", "Store", "Accounts"} <= {finding["subject"] for finding in findings}
    assert all(set(finding) == {"level", "subject", "text", "remedy"} for finding in findings)
    assert "→ livesearch user add NAME --role admin" in seen.stdout


def test_doctor_fails_where_the_site_would(tmp_path: Path) -> None:
    seen = run("doctor", "--store", str(tmp_path / "none.db"))

    assert seen.exit_code == 1
    assert "fault" in seen.stdout
