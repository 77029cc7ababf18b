"""The folder of files that were sent: beside the store, and known by a mark that stands in it.

Whoever holds the lock of the folder runs its jobs. The kernel gives the lock back however a process ends, so it needs
no clock and no heartbeat.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson

from livesearch.domain import JobProgress
from livesearch.errors import StoreUnavailableError

_MARK, _LOCK = "folder-id", "lock"
REJECTS_SUFFIX = ".rejects.jsonl"
_PROGRESS_SUFFIX = ".progress.json"
_OWN_SUFFIXES = ("", REJECTS_SUFFIX, _PROGRESS_SUFFIX)


class JobFolder:
    """Where files lie until they are imported, and what is rejected of them until their job is removed.

    Attributes:
        path: It need not be there until ``prepare`` is called.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark: str | None = None

    def prepare(self) -> Path:
        """The folder, made if it is not there yet; nobody else can read it.

        Raises:
            StoreUnavailableError: It cannot be written to.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not (self.path / _MARK).exists():
                _write_once(self.path / _MARK, secrets.token_hex(16))
        except OSError as error:
            raise StoreUnavailableError(f"Files cannot be kept in {self.path}: {error.strerror}.") from error
        return self.path

    @property
    def mark(self) -> str | None:
        """What tells this folder from those of other machines; None where there is no folder yet."""
        if self._mark is None:
            with suppress(OSError):
                self._mark = (self.path / _MARK).read_text().strip() or None
        return self._mark

    def take(self, upload: Path, suffix: str) -> str:
        """Give an upload in this folder a name of its own, and make sure that it outlasts a power cut.

        Args:
            upload: A file in this folder; it stays where it is.
            suffix: Of the new name, such as ``.csv.gz``.

        Raises:
            StoreUnavailableError: It cannot be written.
        """
        name = secrets.token_hex(16) + suffix
        try:
            os.link(upload, self.path / name)
            for path in (self.path / name, self.path):
                _sync(path)
        except OSError as error:
            raise StoreUnavailableError(f"The file cannot be kept in {self.path}: {error.strerror}.") from error
        return name

    def file(self, name: str) -> Path:
        """Where the file of that name lies."""
        return self.path / name

    def rejects(self, name: str) -> Path | None:
        """The rows of a file that could not be taken; None without any."""
        path = self.path / f"{name}{REJECTS_SUFFIX}"
        return path if path.exists() else None

    def remove(self, name: str, *, with_rejects: bool) -> None:
        """Remove what belongs to a file."""
        for suffix in _OWN_SUFFIXES:
            if with_rejects or suffix != REJECTS_SUFFIX:
                with suppress(OSError):
                    (self.path / f"{name}{suffix}").unlink(missing_ok=True)

    def remove_strangers(self, names: set[str], *, older_than: float) -> None:
        """Remove what belongs to none of some files and has not been written to for so many seconds."""
        known = {f"{name}{suffix}" for name in names for suffix in _OWN_SUFFIXES} | {_MARK, _LOCK}
        latest = time.time() - older_than
        for path in self.path.iterdir():
            with suppress(OSError):
                if path.name not in known and path.stat().st_mtime < latest:
                    path.unlink()

    def size(self) -> int:
        """Bytes of all files in it."""
        if not self.path.exists():
            return 0
        found = 0
        for path in self.path.iterdir():
            with suppress(OSError):
                found += path.stat().st_size
        return found

    def progress_path(self, name: str) -> Path:
        """Where the process that imports a file tells how far it has come."""
        return self.path / f"{name}{_PROGRESS_SUFFIX}"

    def progress(self, name: str) -> JobProgress | None:
        """How far the import of a file has come; None where nobody has told it here."""
        try:
            return JobProgress(**orjson.loads(self.progress_path(name).read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    @contextmanager
    def locked(self) -> Iterator[int | None]:
        """Hold the folder's lock; gives its descriptor, or None where another process has it or there is no folder."""
        try:
            descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            yield None
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            yield None
            return
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _write_once(path: Path, text: str) -> None:
    # Linked from another name: a second process sees the whole mark or none, and never replaces it.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    draft.write_text(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
