"""Backups: a store that is in use is copied as of one moment, and put back wholly or not at all."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from livesearch.config import Settings
from livesearch.db import Database, sqlite_path
from livesearch.db.copying import _libpq, copy_sqlite, overwrite_sqlite
from livesearch.domain import SearchQuery
from livesearch.errors import (
    ConfigError,
    ConflictError,
    InvalidInputError,
    LivesearchError,
    NotFoundError,
    StoreError,
    StoreUnavailableError,
)
from livesearch.services import Services, build_services
from livesearch.services.backups import BackupService
from livesearch.services.imports import ImportOptions
from livesearch.store.schema import SchemaState
from tests.conftest import WriteRows

# Enough rows that a copy of them takes several steps.
_ROW_COUNT = 3000


def _ignore(_done: int, _total: int) -> None:
    """Nobody looks how far it is."""


def _names(folder: Path) -> set[str]:
    """What lies in a folder."""
    return {path.name for path in folder.iterdir()}


def _damage(path: Path, at: int, content: bytes) -> None:
    """Write over a part of a file."""
    with path.open("r+b") as opened:
        opened.seek(at)
        opened.write(content)


def _mode(path: Path) -> int:
    """Who may do what with a file."""
    return path.stat().st_mode & 0o777


def _backups(store_url: str) -> BackupService:
    return BackupService(Settings(store_url=store_url))


@pytest.fixture(autouse=True)
def _programs(request: pytest.FixtureRequest) -> None:
    """What a PostgreSQL store's backup needs."""
    if "postgres" in request.node.name and shutil.which("pg_dump") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("pg_dump must be installed")
        pytest.skip("there is no pg_dump: install postgresql-client")


@pytest.fixture
async def filled(store_url: str, write_rows: WriteRows) -> AsyncIterator[Services]:
    """Services over a store of their own with some rows."""
    database = Database(Settings(store_url=store_url, query_timeout_ms=20_000))
    services = build_services(database.settings, database)
    await services.transactions.upgrade()
    rows: list[dict[str, object]] = [{"id": str(n), "title": f"game {n} {'x' * 200}"} for n in range(_ROW_COUNT)]
    await services.imports.run(write_rows("games", rows), ImportOptions(key="id"))
    yield services
    await services.search.close()
    await database.close()


async def _total(store_url: str, text: str) -> int:
    """How many games a store finds, which must be sound."""
    database = Database(Settings(store_url=store_url, query_timeout_ms=20_000))
    services = build_services(database.settings, database)
    try:
        assert await services.integrity.check() == []
        return (await services.search.search("games", SearchQuery(text))).total
    finally:
        await services.search.close()
        await database.close()


async def _leave(services: Services) -> None:
    await services.search.close()
    await services.transactions.database.close()


async def test_backup_of_a_store_in_use_is_restored_whole(filled: Services, store_url: str, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    await _backups(store_url).back_up(file, _ignore)
    await filled.collections.drop("games")
    await _leave(filled)

    state = await _backups(store_url).restore(file, _ignore, replaces=True)

    assert state is SchemaState.CURRENT
    assert await _total(store_url, "game") == _ROW_COUNT
    assert _mode(file) == 0o600
    assert [name for name in _names(tmp_path) if name.startswith("backup")] == ["backup"]


async def test_backup_replaces_no_file(filled: Services, store_url: str, tmp_path: Path) -> None:  # noqa: ARG001
    file = tmp_path / "backup"
    file.write_text("of yesterday")

    with pytest.raises(ConflictError, match="backup exists, and is left as it is"):
        await _backups(store_url).back_up(file, _ignore)

    assert file.read_text() == "of yesterday"
    assert [name for name in _names(tmp_path) if name.startswith("backup")] == ["backup"]


async def test_backup_into_a_folder_that_is_not_there_says_so(
    filled: Services,  # noqa: ARG001
    store_url: str,
    tmp_path: Path,
) -> None:
    with pytest.raises(StoreError, match="No such file or directory"):
        await _backups(store_url).back_up(tmp_path / "nowhere" / "backup", _ignore)


async def test_restore_replaces_no_store_unless_told(filled: Services, store_url: str, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    await _backups(store_url).back_up(file, _ignore)
    await _leave(filled)

    with pytest.raises(ConflictError, match="--force"):
        await _backups(store_url).restore(file, _ignore)

    assert await _total(store_url, "game") == _ROW_COUNT


async def test_restore_while_a_server_has_the_store_changes_nothing(
    filled: Services, store_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    await _backups(store_url).back_up(file, _ignore)

    with pytest.raises(StoreUnavailableError, match="in use"):
        await _backups(store_url).restore(file, _ignore, replaces=True)

    assert (await filled.search.search("games", SearchQuery("game"))).total == _ROW_COUNT


@pytest.mark.parametrize(
    "content", [b"", b"id,title\n1,Zelda\n", b"SQLite format 3\0 and no more", b"PGDMP and no more"]
)
async def test_restore_takes_no_other_file(filled: Services, store_url: str, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    await _leave(filled)

    with pytest.raises(LivesearchError) as raised:
        await _backups(store_url).restore(file, _ignore, replaces=True)

    assert isinstance(raised.value, InvalidInputError | StoreError)
    assert await _total(store_url, "game") == _ROW_COUNT


async def test_restore_of_a_file_that_is_not_there_says_so(store_url: str, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no file"):
        await _backups(store_url).restore(tmp_path / "none", _ignore)


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
async def test_missing_program_is_named(
    filled: Services, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _leave(filled)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ConfigError, match=r"pg_dump, which is not here\. Install"):
        await _backups(store_url).back_up(tmp_path / "backup", _ignore)

    assert not (tmp_path / "backup").exists()


def test_password_goes_by_the_environment() -> None:
    address, secrets = _libpq("postgresql+asyncpg://ann:se%40cret@db.example:5433/games?ssl=require")

    assert address == "postgresql://ann@db.example:5433/games?sslmode=require"
    assert secrets == {"PGPASSWORD": "se@cret"}


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
async def test_dump_of_another_program_is_not_restored(store_url: str, tmp_path: Path) -> None:
    client = await asyncpg.connect(store_url.replace("+asyncpg", ""))
    await client.execute("CREATE TABLE songs (title text)")
    await client.close()
    await _backups(store_url).back_up(tmp_path / "songs", _ignore)

    with pytest.raises(InvalidInputError, match="holds no store of livesearch"):
        await _backups(store_url).restore(tmp_path / "songs", _ignore, replaces=True)


class TestSqlite:
    """What holds for a store that is a file."""

    @pytest.fixture
    def store_url(self, sqlite_url: str) -> str:
        return sqlite_url

    async def test_backup_is_of_one_moment_while_others_commit(
        self, filled: Services, store_url: str, tmp_path: Path
    ) -> None:
        file, count = tmp_path / "backup.db", 0
        copying = asyncio.ensure_future(_backups(store_url).back_up(file, lambda _d, _t: None))
        while not copying.done():
            await filled.documents.put("games", f"new {count}", {"title": "newcomer"})
            count += 1
        await copying
        await _leave(filled)

        found = await _total(f"sqlite+aiosqlite:///{file}", "newcomer")

        assert count > 0
        assert found <= count
        assert await _total(store_url, "newcomer") == count

    async def test_backup_given_up_leaves_nothing(self, filled: Services, store_url: str, tmp_path: Path) -> None:
        await _leave(filled)
        before = _names(tmp_path)
        steps = []

        async def give_up() -> None:
            task = asyncio.current_task()
            assert task is not None
            loop = asyncio.get_running_loop()

            def note(done: int, total: int) -> None:
                steps.append((done, total))
                loop.call_soon_threadsafe(task.cancel)

            await copy_sqlite(Path(sqlite_path(store_url)), tmp_path / "backup.db", note)

        giving_up = asyncio.ensure_future(give_up())
        await asyncio.wait([giving_up])

        assert giving_up.cancelled()
        assert steps
        assert _names(tmp_path) == before

    async def test_restore_that_fails_halfway_leaves_what_was(
        self, filled: Services, store_url: str, tmp_path: Path
    ) -> None:
        path, file = Path(sqlite_path(store_url)), tmp_path / "backup.db"
        await _backups(store_url).back_up(file, _ignore)
        await filled.documents.put("games", "new", {"title": "newcomer"})
        await _leave(filled)

        def fail(done: int, total: int) -> None:
            assert 0 < done < total
            raise sqlite3.OperationalError("the disk went away")

        with pytest.raises(StoreError, match="the disk went away"):
            await overwrite_sqlite(file, path, fail)

        assert await _total(store_url, "newcomer") == 1

    async def test_restore_into_a_new_place(self, filled: Services, store_url: str, tmp_path: Path) -> None:
        file, other = tmp_path / "backup.db", f"sqlite+aiosqlite:///{tmp_path}/other.db"
        await _backups(store_url).back_up(file, _ignore)
        await _leave(filled)

        await _backups(other).restore(file, _ignore)

        assert await _total(other, "game") == _ROW_COUNT
        assert sqlite3.connect(file).execute("PRAGMA journal_mode").fetchone() == ("delete",)

    async def test_damaged_backup_is_told_and_not_restored(
        self, filled: Services, store_url: str, tmp_path: Path
    ) -> None:
        file = tmp_path / "backup.db"
        await _backups(store_url).back_up(file, _ignore)
        await _leave(filled)
        _damage(file, 600_000, os.urandom(200_000))

        with pytest.raises(LivesearchError, match=r"damaged|malformed"):
            await _backups(store_url).restore(file, _ignore, replaces=True)

        assert await _total(store_url, "game") == _ROW_COUNT

    async def test_store_of_another_program_is_not_restored(self, store_url: str, tmp_path: Path) -> None:
        file = tmp_path / "other.db"
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE songs (title TEXT)")
        other.close()

        with pytest.raises(InvalidInputError, match="holds no store of livesearch"):
            await _backups(store_url).restore(file, _ignore)

        assert _names(tmp_path) == {"other.db"}

    async def test_store_with_its_log_is_no_backup(self, filled: Services, store_url: str, tmp_path: Path) -> None:
        other = f"sqlite+aiosqlite:///{tmp_path}/other.db"
        path = Path(sqlite_path(store_url))
        await filled.documents.put("games", "new", {"title": "newcomer"})

        with pytest.raises(InvalidInputError, match=r"not whole without store.db-wal"):
            await _backups(other).restore(path, _ignore)

    async def test_store_that_somebody_reads_is_left_as_it_is(
        self, filled: Services, store_url: str, tmp_path: Path
    ) -> None:
        file, other = tmp_path / "backup.db", f"sqlite+aiosqlite:///{tmp_path}/other.db"
        await _backups(store_url).back_up(file, _ignore)
        await _leave(filled)
        await _backups(other).restore(file, _ignore)
        reader = sqlite3.connect(tmp_path / "other.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM documents").fetchone()

        with pytest.raises(StoreUnavailableError, match="in use"):
            await _backups(other).restore(file, _ignore, replaces=True)
        reader.close()

        assert await _total(other, "game") == _ROW_COUNT

    async def test_damaged_store_is_to_be_moved_away(self, filled: Services, store_url: str, tmp_path: Path) -> None:
        path, file = Path(sqlite_path(store_url)), tmp_path / "backup.db"
        await _backups(store_url).back_up(file, _ignore)
        await _leave(filled)
        _damage(path, 0, bytes(4096))

        with pytest.raises(StoreError, match=r"store.db is damaged\. Move it away"):
            await _backups(store_url).restore(file, _ignore, replaces=True)

    async def test_store_itself_is_no_backup(self, filled: Services, store_url: str) -> None:
        await _leave(filled)

        with pytest.raises(InvalidInputError, match="is the store itself"):
            await _backups(store_url).restore(Path(sqlite_path(store_url)), _ignore, replaces=True)

    async def test_backup_of_no_store_says_so(self, store_url: str, tmp_path: Path) -> None:
        with pytest.raises(NotFoundError, match="There is no file"):
            await _backups(store_url).back_up(tmp_path / "backup.db", _ignore)
