"""Copies of a whole store: SQLite's by its backup interface, PostgreSQL's by the programs that come with it."""

import asyncio
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from livesearch.db.faults import SQLITE_UNAVAILABLE, wrapped_faults
from livesearch.errors import ConfigError, ConflictError, StoreError, StoreUnavailableError

# Called with the pages copied and those there are in all.
OnCopied = Callable[[int, int], None]

# Pages a step: 1 MB, so that it shows how far it is and an interruption is heard.
_STEP_PAGES = 256
# Seconds to wait for another program's lock.
_PATIENCE_SECONDS = 2.0
# With what a file of `pg_dump --format=custom` begins, and one of SQLite.
_DUMP_MAGIC, _SQLITE_MAGIC = b"PGDMP", b"SQLite format 3\0"
# Opens a file without looking for a log or other programs: a copy of a store may be marked to have a log beside it.
_AS_IT_IS = "mode=ro&immutable=1"


class _InterruptedError(Exception):
    """The copying was given up."""


async def copy_sqlite(source: Path, target: Path, on_copied: OnCopied) -> None:
    """Copy a store, live as it is, into a new file of its own: as of one moment, and without a log beside it.

    Writers go on meanwhile; what they commit is not in the copy. Given up or failed, it leaves no file behind.

    Raises:
        ConflictError: The target exists.
        StoreError: The copy could not be made, or is damaged.
    """
    with _new_file(target) as draft:
        await _in_thread(_copy_snapshot, source, draft, on_copied)


async def overwrite_sqlite(source: Path, target: Path, on_copied: OnCopied) -> None:
    """Make a store what another file is, in one transaction: given up or killed, it is what it was.

    Raises:
        StoreUnavailableError: Another program has the store open.
        StoreError: It could not be written.
    """
    await _in_thread(_overwrite, source, target, on_copied)


def log_of(path: Path) -> Path | None:
    """The log beside a SQLite file, without which the file is not whole; None where there is nothing in one."""
    logs = (path.with_name(path.name + suffix) for suffix in ("-wal", "-journal"))
    return next((log for log in logs if log.exists() and log.stat().st_size), None)


def is_sqlite_file(path: Path) -> bool:
    """Whether a file begins as one of SQLite."""
    return _begins_with(path, _SQLITE_MAGIC)


def is_dump(path: Path) -> bool:
    """Whether a file begins as one that `pg_dump` made, in its own format."""
    return _begins_with(path, _DUMP_MAGIC)


@asynccontextmanager
async def reading_file(path: Path) -> AsyncIterator[AsyncConnection]:
    """Lend a connection to a SQLite file that nobody writes: nothing is written into it or beside it.

    Raises:
        StoreError: A statement failed; the file may be damaged.
    """
    location, _, query = _location(path, _AS_IT_IS).partition("?")
    url = URL.create("sqlite+aiosqlite", database=location, query={**dict(parse_qsl(query)), "uri": "true"})
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        with wrapped_faults():
            async with engine.connect() as connection:
                yield connection
    finally:
        await engine.dispose()


async def dump_postgres(store_url: str, target: Path) -> None:
    """Write a database into a file, as of one moment, with the program `pg_dump`.

    Raises:
        ConflictError: The target exists.
        ConfigError: There is no such program.
        StoreError: It failed.
    """
    with _new_file(target) as draft:
        await _run_program(store_url, "pg_dump", "--format=custom", f"--file={draft}")


async def load_postgres(source: Path, store_url: str, *, replaces: bool) -> None:
    """Make a database hold what a file of `pg_dump` does, in one transaction, with the program `pg_restore`.

    Args:
        replaces: Tables and functions of the same names are replaced.

    Raises:
        ConfigError: There is no such program.
        StoreError: It failed; nothing has changed.
    """
    options = ["--clean", "--if-exists"] if replaces else []
    await _run_program(store_url, "pg_restore", "--single-transaction", "--no-owner", *options, str(source))


async def tables_in_dump(path: Path) -> frozenset[str]:
    """The tables that a file of `pg_dump` holds.

    Raises:
        ConfigError: There is no `pg_restore`.
        StoreError: It cannot read the file.
    """
    listed = (await _run("pg_restore", "--list", str(path), environment={})).splitlines()
    # As `215; 1259 16390 TABLE public collections postgres`.
    fields = (line.split() for line in listed if " TABLE " in line)
    return frozenset(parts[5] for parts in fields if len(parts) > 5 and parts[3] == "TABLE")  # noqa: PLR2004  # its place


async def tables_of(conn: AsyncConnection) -> Sequence[str]:
    """The tables and views in a PostgreSQL database that are not its own."""
    query = (
        "SELECT table_name FROM information_schema.tables"
        " WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
    )
    return [name for (name,) in await conn.exec_driver_sql(query)]


async def count_others(conn: AsyncConnection) -> int:
    """How many connections other than this one a PostgreSQL database has."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    )
    return int((await conn.exec_driver_sql(query)).scalar_one())


@contextmanager
def _new_file(target: Path) -> Iterator[Path]:
    """Have a file made under another name, which is complete on the disk when it gets its own."""
    if target.exists():
        raise _exists(target)
    try:
        # Nobody else may read it: it holds what people have, and their passwords' hashes.
        descriptor, name = tempfile.mkstemp(prefix=f"{target.name}.part", dir=target.parent)
    except OSError as error:
        raise StoreError(f"The file {target} cannot be written: {error.strerror}.") from error
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
        _flush(draft)
        _give_name(draft, target)
        _flush(target.parent)
    except FileExistsError as error:
        raise _exists(target) from error
    except OSError as error:
        raise StoreError(f"The file {target} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)


def _exists(target: Path) -> ConflictError:
    return ConflictError(f"{target} exists, and is left as it is. Name a new file.")


def _give_name(draft: Path, target: Path) -> None:
    """Rename a file, replacing nothing."""
    try:
        os.link(draft, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without links, as of a memory stick
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
        draft.replace(target)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


async def _in_thread(copy: Callable[..., None], source: Path, target: Path, on_copied: OnCopied) -> None:
    """Copy in a thread; cancelled, wait until it has stopped."""
    is_given_up = threading.Event()
    last, since = -1, time.monotonic()

    def note(_: int, remaining: int, total: int) -> None:
        nonlocal last, since
        if is_given_up.is_set():
            raise _InterruptedError
        if remaining != last:
            last, since = remaining, time.monotonic()
        elif time.monotonic() - since > _PATIENCE_SECONDS:  # sqlite3 would ask for ever
            raise _in_use(target)
        on_copied(total - remaining, total)

    copying = asyncio.ensure_future(asyncio.to_thread(copy, source, target, note))
    try:
        await asyncio.shield(copying)
    except asyncio.CancelledError:
        is_given_up.set()
        await asyncio.wait([copying])
        copying.exception()  # it was given up
        raise
    except sqlite3.Error as error:
        raise _store_error(error) from error


def _store_error(error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code
    return StoreError(f"The copy could not be made: {SQLITE_UNAVAILABLE.get(code) or error}.")


def _copy_snapshot(source: Path, target: Path, note: Callable[[int, int, int], None]) -> None:
    with closing(_connect(source, "mode=rw")) as origin, closing(_connect(target, "mode=rw")) as copy:
        # What is read in one transaction is of one moment, and need not begin anew with each commit of others.
        origin.execute("BEGIN")
        origin.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        origin.backup(copy, pages=_STEP_PAGES, progress=note, sleep=0)
        copy.execute("PRAGMA journal_mode=DELETE")
        (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise StoreError(f"The store is damaged, and with it the copy: {verdict}. Run `livesearch db check`.")


def _overwrite(source: Path, target: Path, note: Callable[[int, int, int], None]) -> None:
    is_new = not target.exists()
    try:
        _overwrite_pages(source, target, note)
    except BaseException:
        if is_new:
            target.unlink(missing_ok=True)
        raise


def _overwrite_pages(source: Path, target: Path, note: Callable[[int, int, int], None]) -> None:
    with closing(_connect(source, _AS_IT_IS)) as origin, closing(_connect(target, "mode=rwc")) as store:
        try:
            # Only who is alone with the file can leave the log; and only without it a page can have another size.
            store.execute("PRAGMA journal_mode=DELETE")
            store.execute("BEGIN EXCLUSIVE")
            store.execute("ROLLBACK")
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise _in_use(target) from error
            if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
                raise StoreError(
                    f"The store {target} is damaged. Move it away, with {target.name}-wal and {target.name}-shm where"
                    " they are, then restore again."
                ) from error
            raise
        origin.backup(store, pages=_STEP_PAGES, progress=note, sleep=0.01)


def _connect(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(_location(path, options), uri=True, timeout=_PATIENCE_SECONDS, isolation_level=None)


def _location(path: Path, options: str) -> str:
    return f"file:{quote(str(path.absolute()))}?{options}"


def _in_use(store: Path) -> StoreUnavailableError:
    return StoreUnavailableError(
        f"The store {store} is in use. Stop the server and whatever else has it open, then try again."
    )


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


async def _run_program(store_url: str, program: str, *arguments: str) -> None:
    address, secrets = _libpq(store_url)
    await _run(program, f"--dbname={address}", "--no-password", *arguments, environment=secrets)


async def _run(program: str, *arguments: str, environment: Mapping[str, str]) -> str:
    """Run one of PostgreSQL's programs, and give what it prints."""
    pipe = asyncio.subprocess.PIPE
    try:
        running = await asyncio.create_subprocess_exec(
            program, *arguments, env={**os.environ, **environment}, stdout=pipe, stderr=pipe
        )
    except FileNotFoundError as error:
        raise ConfigError(
            f"A PostgreSQL store needs the program {program}, which is not here. Install PostgreSQL's client programs"
            " (Debian: apt-get install postgresql-client), of the server's version or newer."
        ) from error
    try:
        printed, said = await running.communicate()
    except asyncio.CancelledError:
        running.terminate()
        await running.wait()
        raise
    if running.returncode:
        lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
        raise StoreError(f"{program} failed. {' '.join(lines[:3]) or f'It ended with {running.returncode}.'}")
    return printed.decode(errors="replace")


def _libpq(store_url: str) -> tuple[str, Mapping[str, str]]:
    """A store's address as PostgreSQL's own programs take it, and its password by the environment: nobody sees that."""
    url = make_url(store_url)
    # The driver says `ssl` for what libpq calls `sslmode`.
    query: dict[str, Any] = {("sslmode" if name == "ssl" else name): value for name, value in url.query.items()}
    address = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query)
    secrets = {"PGPASSWORD": str(url.password)} if url.password else {}
    return address.render_as_string(hide_password=False), secrets
