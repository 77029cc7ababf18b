"""Rows of a table or view in a SQLite file, opened for reading only."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest.source import MAX_FIELDS, Source, cut_raw, make_unique
from livesearch.ingest.spec import SourceSpec, list_tables, sqlite_uri
from livesearch.ingest.stream import sha256_of

_BATCH_ROWS = 500
_BUSY_SECONDS = 5.0


class SqliteSource(Source):
    """A table, in rowid order where it has rowids. Lines are row numbers, from 1. Blobs are left out, and noted."""

    def __init__(self, spec: SourceSpec) -> None:
        super().__init__(spec)
        if not Path(spec.location).is_file():
            raise SourceError(f"There is no file “{spec.location}”. Check the path.")
        self._connection = self._connect()
        try:
            self._cursor = self._select()
            self._names = self._read_names()
        except sqlite3.Error as error:
            self._connection.close()
            raise self._wrapped(error) from error
        except SourceError:
            self._connection.close()
            raise

    def rows(self) -> Iterator[Row | Reject]:
        """Give each row of the table."""
        line = 0
        try:
            while batch := self._cursor.fetchmany(_BATCH_ROWS):
                for values in batch:
                    line += 1
                    yield self._row(line, values)
        except sqlite3.Error as error:
            raise self._wrapped(error) from error

    def fingerprint(self) -> str:
        """The SHA-256 over the database's bytes, those of its write-ahead log, and the table's name."""
        parts = [sha256_of(self.spec.location), self.spec.table or ""]
        log = Path(f"{self.spec.location}-wal")
        if log.is_file() and log.stat().st_size:
            parts.append(sha256_of(str(log)))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _connect(self) -> sqlite3.Connection:
        uri = sqlite_uri(self.spec.location)
        try:
            # Services read rows in a thread other than the one that opens.
            connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)
            connection.text_factory = _decode
        except sqlite3.Error as error:
            raise self._wrapped(error) from error
        return connection

    def _select(self) -> sqlite3.Cursor:
        quoted = '"' + (self.spec.table or "").replace('"', '""') + '"'
        query = f"SELECT * FROM {quoted}"  # noqa: S608  # the name is quoted
        try:
            return self._connection.execute(f"{query} ORDER BY _rowid_")
        except sqlite3.OperationalError as error:
            if "_rowid_" not in str(error):  # views and WITHOUT ROWID tables have none
                raise
        return self._connection.execute(query)

    def _read_names(self) -> list[str]:
        names = make_unique([column[0] for column in self._cursor.description])
        if len(names) > MAX_FIELDS:
            raise SourceError(f"“{self.spec.table}” has {len(names):,} columns; the limit is {MAX_FIELDS:,}.")
        return names

    def _row(self, line: int, values: tuple[object, ...]) -> Row | Reject:
        document: dict[str, object] = {}
        for name, value in zip(self._names, values, strict=True):
            if isinstance(value, bytes):
                note = f"{name} holds binary values, which are left out"
                if note not in self._notes:
                    self._notes.append(note)
            elif isinstance(value, str) and ("\0" in value or not _is_text(value)):
                reason = (
                    f"{name} holds text that is not UTF-8" if "\0" not in value else f"{name} holds a NUL character"
                )
                return Reject(line, reason, cut_raw(ascii(values)))
            elif isinstance(value, float) and value in {float("inf"), float("-inf")}:
                return Reject(line, f"{name} holds a number too large to hold", cut_raw(ascii(values)))
            else:
                document[name] = value
        return Row(line, document)

    def _wrapped(self, error: sqlite3.Error) -> SourceError:
        place = f"“{self.spec.location}”"
        if "no such table" in str(error):
            tables = ", ".join(list_tables(self.spec.location)[:20])
            return SourceError(f"{place} has no table “{self.spec.table}”. It has: {tables or 'none'}.")
        return SourceError(f"{place} cannot be read as a SQLite database: {error}.")


def _decode(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
