"""Backups: a whole store in one file, made while it is in use, and put back."""

from pathlib import Path

from livesearch.config import Settings
from livesearch.db import Database, sqlite_path
from livesearch.db.copying import (
    OnCopied,
    copy_sqlite,
    count_others,
    dump_postgres,
    is_dump,
    is_sqlite_file,
    load_postgres,
    log_of,
    overwrite_sqlite,
    reading_file,
    tables_in_dump,
    tables_of,
)
from livesearch.errors import ConflictError, InvalidInputError, NotFoundError, StoreUnavailableError
from livesearch.store.schema import SchemaState, file_faults, schema_state


class BackupService:
    """Copies stores to files and back. It opens no connection that stays: a restore wants the store for itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def back_up(self, file: Path, on_copied: OnCopied) -> None:
        """Copy the store into a new file, as of one moment; searches and writes go on meanwhile.

        A SQLite store becomes a SQLite file, a PostgreSQL database one of `pg_dump`, with tables that are searched in
        place. The secret key, rejected rows and uploads that wait lie beside the store, and are not in it.

        Raises:
            NotFoundError: There is no store.
            ConflictError: The file exists.
            ConfigError: A program of PostgreSQL is missing.
            StoreError: The copy could not be made; no file is left.
        """
        if self._settings.is_sqlite:
            await copy_sqlite(_require_file(Path(sqlite_path(self._settings.store_url))), file, on_copied)
        else:
            await dump_postgres(self._settings.store_url, file)

    async def restore(self, file: Path, on_copied: OnCopied, *, replaces: bool = False) -> SchemaState:
        """Make the store what a backup is, wholly or not at all.

        Args:
            replaces: A store that is there may be overwritten.

        Returns:
            How the restored store stands to this version: an older one must be upgraded.

        Raises:
            NotFoundError: There is no such file.
            InvalidInputError: The file is no sound backup of a store of this kind.
            ConflictError: There is a store, and it is not to be replaced.
            StoreUnavailableError: The store is in use.
            ConfigError: A program of PostgreSQL is missing.
            StoreError: It could not be written; it is what it was.
        """
        _require_file(file)
        if not self._settings.is_sqlite:
            return await self._restore_postgres(file, replaces=replaces)
        path = Path(sqlite_path(self._settings.store_url))
        _require_room(path, file, replaces=replaces)
        state = await _sound_state(file)
        await overwrite_sqlite(file, path, on_copied)
        return state

    async def _restore_postgres(self, file: Path, *, replaces: bool) -> SchemaState:
        if not is_dump(file):
            raise InvalidInputError(f"{file} is no backup of a PostgreSQL store. Name a file of `livesearch backup`.")
        if not {"alembic_version", "collections"} <= await tables_in_dump(file):
            raise InvalidInputError(f"{file} holds no store of livesearch, and was not restored.")
        database = Database(self._settings)
        try:
            async with database.read() as conn:
                tables, others = await tables_of(conn), await count_others(conn)
            if tables and not replaces:
                raise ConflictError(
                    f"The database has tables ({', '.join(tables[:3])}{'…' if tables[3:] else ''}), and is left as it"
                    " is. Restore into an empty one, or replace what the backup holds with --force."
                )
            if others:
                raise StoreUnavailableError(
                    f"The database is in use, by {others} other connections. Stop the servers, then try again."
                )
        finally:
            await database.close()
        await load_postgres(file, self._settings.store_url, replaces=replaces)
        try:
            async with database.read() as conn:
                return await schema_state(conn)
        finally:
            await database.close()


def _require_file(path: Path) -> Path:
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}.")
    return path


def _require_room(store: Path, file: Path, *, replaces: bool) -> None:
    """See that a store may be written.

    Raises:
        InvalidInputError: It is the file that is to be restored.
        ConflictError: It is there, and is not to be replaced.
    """
    if not store.exists():
        return
    if store.samefile(file):
        raise InvalidInputError(f"{file} is the store itself. Name a backup.")
    if store.stat().st_size and not replaces:
        raise ConflictError(f"There is a store at {store}, and it is left as it is. --force replaces it.")


async def _sound_state(file: Path) -> SchemaState:
    """What state a backup's schema is in.

    Raises:
        InvalidInputError: It is damaged, or of another program, or of a newer version.
    """
    if not is_sqlite_file(file):
        raise InvalidInputError(f"{file} is no backup of a SQLite store. Name a file of `livesearch backup`.")
    if log := log_of(file):
        raise InvalidInputError(
            f"{file} is not whole without {log.name}: it is a store, not a backup. Make one: livesearch backup NEW"
            f" --store {file}"
        )
    async with reading_file(file) as conn:
        if faults := await file_faults(conn):
            raise InvalidInputError(f"{file} cannot be restored. {faults[0]}.")
        state = await schema_state(conn)
    if state in {SchemaState.EMPTY, SchemaState.UNKNOWN}:
        raise InvalidInputError(
            f"{file} holds no store of livesearch, or one of a newer version, and was not restored."
        )
    return state
