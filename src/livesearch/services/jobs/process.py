"""The process that carries out one job: `python -m livesearch.services.jobs.process`.

It gets its order as a line of JSON, and ends when its standard input does: with the server, whatever ends the server.
How far it has come stands in a file, so that every worker can show it. Its last words are a line of JSON.
"""

import asyncio
import os
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.domain import ImportReport, JobProgress, JobResult, JobTask, Role
from livesearch.errors import ConflictError, LivesearchError, StoreUnavailableError
from livesearch.services.imports import ImportOptions, ImportProgress, ImportService
from livesearch.services.jobs.order import Order
from livesearch.services.priority import give_way
from livesearch.services.reindexing import ReindexingProgress, ReindexingService
from livesearch.services.transactions import Transactions

# Seconds between two notes of how far it has come, and those over which the rate is told.
_PAUSE_SECONDS, _RATE_SECONDS = 0.2, 10.0


class ProgressNotes:
    """Tells in a file how far an import has come, a few times a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: deque[tuple[float, int, float]] = deque()
        self._next = 0.0

    def note(self, progress: ImportProgress) -> None:
        """Take a step."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + _PAUSE_SECONDS
        share = min(progress.bytes_read / progress.bytes_total, 1.0) if progress.bytes_total else None
        self._seen.append((now, progress.rows, share or 0.0))
        while now - self._seen[0][0] > _RATE_SECONDS and len(self._seen) > 2:  # noqa: PLR2004  # a first and a last
            self._seen.popleft()
        began, rows, share_then = self._seen[0]
        rate = (progress.rows - rows) / (now - began) if now > began else 0.0
        gained = (share or 0.0) - share_then
        left = (now - began) * (1 - share) / gained if share is not None and gained > 0 else None
        self._write(JobProgress(progress.rows, progress.rejected, share, rate, left))

    def _write(self, progress: JobProgress) -> None:
        draft = self._path.with_suffix(".draft")
        with suppress(OSError):  # a full disk ends the import by itself
            draft.write_bytes(orjson.dumps(asdict(progress)))
            draft.replace(self._path)


def main() -> None:
    """Carry out the order."""
    # Read without a buffer: what comes after the order is waited for below.
    order = Order(**orjson.loads(_read_line()))
    give_way()
    threading.Thread(target=_end_with_server, daemon=True).start()
    try:
        answer: dict[str, Any] = {"result": asdict(asyncio.run(_import(order)))}
    except LivesearchError as error:
        is_passing = isinstance(error, StoreUnavailableError | ConflictError)
        answer = {"error": str(error), "is_passing": is_passing}
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.flush()
    # What is left has nothing to put in order; and the thread that waits for the server cannot be woken.
    os._exit(0)


def _read_line() -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = os.read(0, 65_536)
        if not piece:
            os._exit(1)
        line += piece
    return bytes(line)


def _end_with_server() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


async def _import(order: Order) -> JobResult:
    database = Database(Settings(**order.settings))
    notes = ProgressNotes(Path(order.progress_path))
    try:
        if order.task == JobTask.REINDEX:
            return await _reindex(database, order.name, notes)
        service = ImportService(Transactions(database))
        options = ImportOptions(
            format=order.format,
            name=order.name,
            key=order.key,
            roles={name: Role(role) for name, role in order.roles.items()},
            replace=order.replace,
            dry_run=order.task == JobTask.COMPARE,
            shown=order.filename,
            unpacked_limit=order.unpacked_limit,
        )
        return _result(await service.run(order.path, options, on_progress=notes.note))
    finally:
        await database.close()


async def _reindex(database: Database, name: str, notes: ProgressNotes) -> JobResult:
    started = time.monotonic()

    def note(progress: ReindexingProgress) -> None:
        notes.note(ImportProgress(progress.done, progress.done, progress.total, 0))

    await ReindexingService(Transactions(database)).reindex(name, on_progress=note)
    return JobResult(seconds=time.monotonic() - started)


def _result(report: ImportReport) -> JobResult:
    return JobResult(
        accepted=report.accepted,
        updated=report.updated,
        unchanged=report.unchanged,
        removed=report.removed,
        rejected=report.rejected,
        resumed_at=report.resumed_at,
        seconds=report.seconds,
        late_fields=report.late_fields,
    )


if __name__ == "__main__":
    main()
