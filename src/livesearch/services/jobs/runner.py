"""Running jobs: one process of those that share a folder leads, and runs its jobs one after another.

Two imports at once would only share a processor and a writer, and take twice the memory.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import asdict, dataclass
from typing import Any

import orjson
import structlog

from livesearch.domain import LIVE_STATES, ImportJob, JobResult, JobState, JobTask
from livesearch.errors import LivesearchError
from livesearch.services.jobs.folder import JobFolder
from livesearch.services.jobs.order import Order
from livesearch.services.jobs.preview import in_words
from livesearch.services.transactions import Transactions
from livesearch.services.worker import Worker
from livesearch.store import collections as collection_store
from livesearch.store import import_jobs as store

log = structlog.stdlib.get_logger("livesearch.jobs")

# Seconds between two looks for work where nobody tells of it: jobs that another worker has taken in.
_LOOK_SECONDS = 1.0
# Seconds between two looks at whether a job is to be cancelled; and between notes for those who lack the folder.
_CANCEL_SECONDS, _NOTE_SECONDS = 0.5, 2.0
# Times that a job goes on after a fault that may pass, and seconds before the first of them; then twice as many.
_ATTEMPTS, _FIRST_PAUSE = 6, 1.0
# Milliseconds to wait for the store's writer with a note: it is most often the very import that is noted.
_NOTE_PATIENCE_MS = 50
# Seconds after which a draft that nobody started, and a job that has ended, are removed; and between two looks.
_DRAFT_SECONDS, _ENDED_SECONDS, _TIDY_SECONDS = 86_400.0, 30 * 86_400.0, 3_600.0


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a process has ended: with a result, an error for people, or because it was told to."""

    result: JobResult | None = None
    error: str | None = None
    is_passing: bool = False


class JobRunner:
    """Runs the jobs of one folder for as long as the server runs."""

    def __init__(self, transactions: Transactions, folder: JobFolder, *, unpacked_limit: int) -> None:
        self._transactions = transactions
        self._folder = folder
        self._unpacked_limit = unpacked_limit
        self._news = asyncio.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._is_stopping = False

    def wake(self) -> None:
        """Say that there may be something to do."""
        self._news.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run jobs during the block; the one under way goes on at the next start."""
        self._news, self._is_stopping = asyncio.Event(), False  # of this loop
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            # Not cancelled: it may be opening a connection, which nobody would close then.
            self._is_stopping = True
            self._news.set()
            if self._process:
                self._process.kill()
            await task

    async def _run(self) -> None:
        while not self._is_stopping:
            with self._folder.locked() as lock:
                while lock is not None and not self._is_stopping:
                    await self._lead(lock)
                    await self._wait()
            await self._wait()

    async def _wait(self, seconds: float = _LOOK_SECONDS) -> None:
        """Wait for news, but no longer than that."""
        if await _is_set(self._news, seconds) and not self._is_stopping:
            self._news.clear()

    async def _lead(self, lock: int) -> None:
        """Do all there is to do; what goes wrong is logged, and tried again later."""
        try:
            await self._tidy()
            while not self._is_stopping and (job := await self._next()):
                await self._carry_out(job, lock)
        except LivesearchError as error:
            log.warning("import jobs wait", reason=str(error))
        except Exception:
            log.exception("import jobs failed")

    async def _next(self) -> ImportJob | None:
        """The oldest job to run: one that an earlier process has left, or one that waits."""
        async with self._transactions.read(is_limited=False) as conn:
            found = await store.list_jobs(conn, states=LIVE_STATES, folder=self._folder.mark or "", limit=1000)
        return min(found, key=lambda job: (job.state is not JobState.RUNNING, job.id), default=None)

    async def _carry_out(self, job: ImportJob, lock: int) -> None:
        now = time.time()
        if not await self._change(job, state=JobState.RUNNING, started_at=job.started_at or now):
            return  # cancelled just now
        pause, ended = _FIRST_PAUSE, _Ended()
        for _ in range(_ATTEMPTS):
            ended = await self._import(job, lock)
            if self._is_stopping:
                return  # it goes on when the server is back
            if not ended.is_passing:
                break
            log.warning("import job goes on soon", job=job.id, reason=ended.error)
            await self._wait(pause)
            pause *= 2
        await self._finish(job, ended)

    async def _import(self, job: ImportJob, lock: int) -> _Ended:
        """Run the process of a job to its end, or until somebody cancels the job."""
        if job.task is not JobTask.REINDEX and not self._folder.file(job.file).exists():
            return _Ended(error=f"The file “{job.filename}” is gone. Send it again.")
        with closing(Worker()) as worker:
            self._process = process = await worker.run(_start, lock)
            has_ended = asyncio.Event()
            watching = asyncio.create_task(self._watch(job, process, has_ended))
            try:
                if self._is_stopping:
                    process.kill()
                words = await worker.run(_converse, process, orjson.dumps(asdict(self._order(job))) + b"\n")
            finally:
                self._process = None
                process.kill()
                has_ended.set()
                await watching
        return self._heard(job, words, process.returncode)

    def _heard(self, job: ImportJob, words: bytes, status: int) -> _Ended:
        if not words:
            return _Ended(error=_sudden_end(status))
        answer = orjson.loads(words)
        if "error" in answer:
            error = in_words(RuntimeError(answer["error"]), job, self._folder.file(job.file))
            return _Ended(error=error, is_passing=answer["is_passing"])
        return _Ended(JobResult(**answer["result"] | {"late_fields": tuple(answer["result"]["late_fields"])}))

    def _order(self, job: ImportJob) -> Order:
        path = self._folder.file(job.file)
        return Order(
            settings=self._transactions.database.settings.model_dump(mode="json"),
            path=str(path),
            progress_path=str(self._folder.progress_path(job.file)),
            filename=job.filename,
            format=job.format,
            name=job.choices.name,
            key=job.choices.key,
            roles={name: role.value for name, role in job.choices.roles.items()},
            replace=job.choices.replace,
            task=job.task.value,
            unpacked_limit=self._unpacked_limit,
        )

    async def _watch(self, job: ImportJob, process: "subprocess.Popen[bytes]", has_ended: asyncio.Event) -> None:
        """End the process when somebody cancels the job; note how far it has come for those who lack the folder."""
        next_note = time.monotonic() + _NOTE_SECONDS
        while not await _is_set(has_ended, _CANCEL_SECONDS):
            with suppress(LivesearchError):
                if (found := await self._find(job)) is None or found.is_cancelling:
                    process.kill()
                    return
                if time.monotonic() >= next_note and (progress := self._folder.progress(job.file)):
                    next_note = time.monotonic() + _NOTE_SECONDS
                    await self._change(job, patience_ms=_NOTE_PATIENCE_MS, progress=progress)

    async def _finish(self, job: ImportJob, ended: _Ended) -> None:
        found = await self._find(job)
        if found is None:
            return
        progress = self._folder.progress(job.file) or found.progress
        shared: dict[str, Any] = {  # Any: likewise
            "progress": progress,
            "is_cancelling": False,
            "finished_at": time.time(),
        }
        if ended.result is None and found.is_cancelling:
            await self._drop_half_built(job)
            state = JobState.DRAFT if job.task is JobTask.COMPARE else JobState.CANCELLED
            await self._change(job, state=state, **shared)
        elif ended.result is None:
            state = JobState.DRAFT if job.task is JobTask.COMPARE else JobState.FAILED
            await self._change(job, state=state, error=ended.error, **shared)
        elif job.task is JobTask.COMPARE:
            await self._change(job, state=JobState.DRAFT, difference=ended.result, **shared)
        else:
            await self._change(job, state=JobState.DONE, result=ended.result, error=None, **shared)
            await asyncio.to_thread(self._folder.remove, job.file, with_rejects=False)
        if job.task is JobTask.COMPARE:
            self._folder.progress_path(job.file).unlink(missing_ok=True)

    async def _drop_half_built(self, job: ImportJob) -> None:
        """What was to replace a collection and will not is removed; the collection stays as it was."""
        if not job.choices.replace or job.task is JobTask.COMPARE:
            return
        async with self._transactions.write() as conn:
            built = await collection_store.find_collection(conn, job.choices.name + collection_store.REPLACEMENT_SUFFIX)
            if built:
                await collection_store.drop_collection(conn, built.id)

    async def _find(self, job: ImportJob) -> ImportJob | None:
        async with self._transactions.read(is_limited=False) as conn:
            return await store.find_job(conn, job.id)

    async def _change(
        self, job: ImportJob, *, patience_ms: int | None = None, **values: Any
    ) -> bool:  # Any: as for `store.change_job`
        async with self._transactions.write(patience_ms=patience_ms) as conn:
            return await store.change_job(conn, job.id, among=LIVE_STATES, **values)

    _tidied_at = -_TIDY_SECONDS

    async def _tidy(self) -> None:
        """Remove what nobody will look at any more."""
        if time.monotonic() < self._tidied_at + _TIDY_SECONDS:
            return
        self._tidied_at, now = time.monotonic(), time.time()
        async with self._transactions.read(is_limited=False) as conn:
            jobs = await store.list_jobs(conn, folder=self._folder.mark or "", limit=100_000)
        old = [job for job in jobs if _is_old(job, now)]
        for job in old:
            async with self._transactions.write() as conn:
                await store.delete_job(conn, job.id)
            await asyncio.to_thread(self._folder.remove, job.file, with_rejects=True)
        names = {job.file for job in jobs if job not in old}
        await asyncio.to_thread(self._folder.remove_strangers, names, older_than=_DRAFT_SECONDS)


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, but no longer than that; says whether it came."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


def _start(lock: int) -> "subprocess.Popen[bytes]":
    # -P: the current folder may hold files that are named like modules. The lock is held as long as the process lives,
    # so that no other begins while it ends.
    command = (sys.executable, "-P", "-m", "livesearch.services.jobs.process")
    return subprocess.Popen(  # noqa: S603  # our own
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(lock,)
    )


def _converse(process: "subprocess.Popen[bytes]", order: bytes) -> bytes:
    """Give a process its order, and hear its last words; its standard input stays open till then, or it would end."""
    with process:
        assert process.stdin  # noqa: S101  # asked for
        assert process.stdout  # noqa: S101  # likewise
        with suppress(BrokenPipeError):
            process.stdin.write(order)
            process.stdin.flush()
        words = process.stdout.read()
        process.wait()
        return words


def _is_old(job: ImportJob, now: float) -> bool:
    if job.is_live:
        return False
    if job.state is JobState.DRAFT:
        return now - max(job.created_at, job.finished_at or 0.0) > _DRAFT_SECONDS
    return now - (job.finished_at or job.created_at) > _ENDED_SECONDS


def _sudden_end(status: int) -> str:
    reason = "it was killed, most likely for want of memory" if status == -9 else f"with status {status}"  # noqa: PLR2004
    return f"The process that imports has ended unexpectedly: {reason}. What it has stored stays; start it again."
