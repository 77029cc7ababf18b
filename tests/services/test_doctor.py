"""The doctor: what it finds wrong, and that it says how to mend it."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import pytest

from livesearch.config import Settings
from livesearch.db import Database, sqlite_path
from livesearch.domain import UserRole
from livesearch.services import Services, build_services
from livesearch.services.doctor import Doctor, Finding, Level, surroundings
from livesearch.services.imports import ImportOptions
from tests.conftest import WriteRows

# What a PostgreSQL store must have, so that findings are the same on both.
_KEY = "a key of sixteen letters or more"


async def examine(store_url: str, **chosen: object) -> list[Finding]:
    """What is found at a store, with settings beside the usual ones."""
    settings = Settings(store_url=store_url, secret_key=_KEY, **chosen)  # type: ignore[arg-type]  # pydantic checks them
    database = Database(settings)
    services = build_services(settings, database)
    try:
        return await Doctor(settings, database, services).examine()
    finally:
        await services.search.close()
        await database.close()


def permit(path: Path | str, mode: int) -> None:
    """Say who may read a file; it is made where there is none."""
    Path(path).touch()
    Path(path).chmod(mode)


def about(findings: list[Finding], subject: str) -> list[Finding]:
    return [finding for finding in findings if finding.subject == subject]


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine that takes connections."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        yield listener.getsockname()[1]


async def test_store_that_is_well_has_no_warning(services: Services, store_url: str, write_rows: WriteRows) -> None:
    if services.transactions.database.is_sqlite:
        permit(sqlite_path(store_url), 0o600)
    await services.imports.run(write_rows("games", [{"id": "1", "title": "Zelda"}]), ImportOptions(key="id"))
    await services.accounts.add("ann", "correct horse", role=UserRole.ADMIN)

    findings = await examine(store_url, trusted_hosts="search.example.com")

    assert [f for f in findings if f.level not in {Level.OK, Level.NOTE}] == []
    assert about(findings, "games")[0].text.startswith("1 documents; a search takes ")
    assert [f.text for f in about(findings, "Accounts")] == ["1 account, an administrator among them."]
    assert [f.text for f in about(findings, "Host names")] == ["It answers to search.example.com alone."]
    assert {f.level for f in about(findings, "Mail")} == {Level.NOTE}


async def test_empty_store_is_to_be_set_up(store_url: str) -> None:
    database = Database(Settings(store_url=store_url))
    async with database.write():  # a file, without tables
        pass
    await database.close()

    findings = await examine(store_url)

    (schema,) = about(findings, "Schema")
    assert schema.level is Level.FAULT
    assert "livesearch db upgrade" in (schema.remedy or "")


async def test_missing_file_is_a_fault(sqlite_url: str) -> None:
    findings = await examine(sqlite_url)

    store = about(findings, "Store")[-1]
    assert (store.level, store.text) == (Level.FAULT, f"There is none at {sqlite_path(sqlite_url)}.")
    assert store.remedy == f"Make one: livesearch serve games.csv --store {sqlite_path(sqlite_url)}"
    assert about(await examine(sqlite_url), "Store")[-1].level is Level.FAULT  # and it was not made by the first call


async def test_server_that_does_not_answer_is_a_fault_and_no_password_is_shown() -> None:
    findings = await examine("postgresql+asyncpg://ann:hunter2@127.0.0.1:1/none")

    assert about(findings, "Store")[-1].level is Level.FAULT
    assert "hunter2" not in str(findings)


async def test_postgres_needs_a_secret_key() -> None:
    settings = Settings(store_url="postgresql+asyncpg://ann@127.0.0.1:1/none")

    found = about(list(surroundings.settings_findings(settings)), "Secret key")

    assert [f.level for f in found] == [Level.FAULT]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.usefixtures("services")
async def test_files_that_others_may_read_are_told(store_url: str, tmp_path: Path) -> None:
    key = tmp_path / "store.db.secret-key"
    permit(key, 0o644)
    permit(sqlite_path(store_url), 0o640)

    found = about(await examine(store_url), "Permissions")

    assert [f.remedy for f in found] == [f"chmod 600 {sqlite_path(store_url)}", f"chmod 600 {key}"]


@pytest.mark.parametrize(
    ("chosen", "subject", "part"),
    [
        ({"workers": 64}, "Workers", "More processes than cores"),
        ({"public_url": "https://a.example"}, "Host names", "LIVESEARCH_TRUSTED_HOSTS"),
        ({"public_url": "http://a.example"}, "Encryption", "TLS"),
        ({"registration": "open"}, "Registration", "LIVESEARCH_REGISTRATION=closed"),
        ({"redis_url": "redis://127.0.0.1"}, "Redis", "Unset"),
        ({"replica_urls": "postgresql://b/c"}, "Replicas", "Unset"),
        ({"smtp_host": "127.0.0.1"}, "Mail", "LIVESEARCH_SMTP_SENDER"),
        ({"smtp_host": "127.0.0.1", "smtp_sender": "a@b.example"}, "Mail", "LIVESEARCH_PUBLIC_URL"),
        (
            {
                "smtp_host": "127.0.0.1",
                "smtp_port": 1,
                "smtp_sender": "a@b.example",
                "public_url": "https://a.example",
            },
            "Mail",
            "LIVESEARCH_SMTP_PORT",
        ),
    ],
)
async def test_settings_that_are_unsafe_or_without_effect_are_told(
    sqlite_url: str, chosen: dict[str, object], subject: str, part: str
) -> None:
    (found,) = about(await examine(sqlite_url, **chosen), subject)

    assert found.level in {Level.NOTE, Level.WARNING}
    assert part in (found.remedy or "")


async def test_mail_server_that_answers_is_well(sqlite_url: str, port: int) -> None:
    chosen = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_sender": "a@b.example",
        "public_url": "https://a.example",
    }

    (found,) = about(await examine(sqlite_url, **chosen), "Mail")

    assert (found.level, found.text) == (Level.OK, f"The mail server 127.0.0.1:{port} takes connections.")


async def test_folder_that_cannot_be_written_is_a_fault(
    services: Services, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_sqlite = services.transactions.database.is_sqlite
    monkeypatch.setattr("os.access", lambda path, _: not Path(path).is_relative_to(tmp_path))

    found = await examine(store_url, upload_folder=str(tmp_path / "uploads"))

    assert [f.level for f in about(found, "File")] == [Level.FAULT] * is_sqlite
    assert [f.level for f in about(found, "Uploads")] == [Level.FAULT]


async def test_little_room_is_told(
    services: Services, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_sqlite = services.transactions.database.is_sqlite

    def usage(_: Path) -> object:
        return type("Usage", (), {"free": 300_000_000})

    monkeypatch.setattr("shutil.disk_usage", usage)

    found = await examine(store_url, upload_folder=str(tmp_path / "uploads"))

    assert [f.level for f in about(found, "Disk")] == [Level.WARNING] * is_sqlite
    assert [f.text for f in about(found, "Uploads")] == [
        f"300 MB are free in {tmp_path}/uploads, and a file may have 200 MB."
    ]


def test_file_system_of_the_network_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "store.db"
    path.touch()
    mounts = f"proc /proc proc rw 0 0\nhost:/x / ext4 rw 0 0\nhost:/x {tmp_path} nfs4 rw 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda _: mounts)

    settings = Settings(store_url=f"sqlite+aiosqlite:///{path}")
    found = about(list(surroundings.file_findings(settings, tmp_path / "uploads")), "File")

    assert [(f.level, "(nfs4)" in f.text) for f in found] == [(Level.WARNING, True)]


async def test_slow_store_and_slow_search_are_told(
    services: Services, store_url: str, write_rows: WriteRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.imports.run(write_rows("games", [{"id": "1", "title": "Zelda"}]), ImportOptions(key="id"))
    monkeypatch.setattr("livesearch.services.doctor.doctor._SLOW_STORE_MS", 0.0)
    monkeypatch.setattr("livesearch.services.doctor.doctor._SLOW_SEARCH_MS", 0.0)

    found = await examine(store_url)

    assert [f.level for f in about(found, "games")] == [Level.WARNING]
    assert about(found, "Store")[-1].level is Level.WARNING


@pytest.mark.parametrize("store_url", ["postgres"], indirect=True)
async def test_table_that_is_not_followed_any_more_is_told(services: Services, store_url: str) -> None:
    address = store_url.replace("+asyncpg", "")
    client = await asyncpg.connect(address)
    await client.execute("CREATE SCHEMA IF NOT EXISTS shop; CREATE TABLE shop.toys (id int PRIMARY KEY, title text)")
    await client.execute("INSERT INTO shop.toys VALUES (1, 'Robot')")
    try:
        await services.imports.run(f"{address}::shop.toys", ImportOptions())
        await client.execute("DROP TABLE shop.toys")

        found = about(await examine(store_url), "toys")

        assert found[0].level is Level.FAULT
        assert "livesearch drop toys" in (found[0].remedy or "")
    finally:
        await client.execute("DROP SCHEMA shop CASCADE")
        await client.close()
