"""Import jobs: a file is sent, looked at, started, and imported in the background."""

import asyncio
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import (
    ANYBODY,
    LIVE_STATES,
    Collection,
    ImportJob,
    JobChoices,
    JobProgress,
    JobState,
    JobTask,
    Role,
    Viewer,
)
from livesearch.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError, SourceError
from livesearch.ingest import default_name, parse_source
from livesearch.search.visibility import names_granted
from livesearch.services.imports import checked_name
from livesearch.services.jobs.folder import JobFolder
from livesearch.services.jobs.preview import JobPreview, plan_job
from livesearch.services.jobs.runner import JobRunner
from livesearch.services.sights import seen_by
from livesearch.services.transactions import Transactions
from livesearch.store import import_jobs as store
from livesearch.store.collections import find_collection, list_collections

# Largest uploads that a folder takes at once, drafts and rejected rows included.
_FOLDER_UPLOADS = 10
# A compressed upload may become so many times the size of the largest upload: tables shrink to a tenth.
_UNPACKED_UPLOADS = 20
_FILENAME_LENGTH = 200
# States in which a job's file may be started.
_STARTABLE = frozenset({JobState.DRAFT, JobState.FAILED, JobState.CANCELLED})


class ImportJobService:
    """Takes files in, and runs what was started in the background of whichever process has their folder.

    Attributes:
        folder: Where files of this machine lie.
    """

    def __init__(self, transactions: Transactions, folder: JobFolder, *, upload_limit: int) -> None:
        """Make it.

        Args:
            upload_limit: Bytes of the largest upload.
        """
        self._transactions = transactions
        self.folder = folder
        self._upload_limit = upload_limit
        self._unpacked_limit = upload_limit * _UNPACKED_UPLOADS
        self._runner = JobRunner(transactions, folder, unpacked_limit=self._unpacked_limit)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Run jobs during the block."""
        return self._runner.running()

    async def add(self, upload: Path, filename: str, *, format: str, created_by: str | None) -> ImportJob:  # noqa: A002
        """Take in a file that lies in the folder under a name of its own, as a draft.

        Args:
            upload: It is linked, not moved: its owner removes it.
            filename: What its sender calls it.
            format: As the command's ``--format`` has it.
            created_by: Name of the user.

        Raises:
            SourceError: There is no such format, or the file is empty.
            ConflictError: The folder is full.
            StoreUnavailableError: The folder cannot be written to.
        """
        filename = _shown_name(filename)
        name = default_name(replace(parse_source("-", format=format), location=filename))
        size = await asyncio.to_thread(os.path.getsize, upload)
        if not size:
            raise SourceError(f"“{filename}” is empty. Choose a file with rows.")
        if await asyncio.to_thread(self.folder.size) > self._upload_limit * _FOLDER_UPLOADS:
            raise ConflictError("Too many files wait to be imported. Start or discard some of them first.")
        file = await asyncio.to_thread(self.folder.take, upload, f".{format}")
        async with self._transactions.write() as conn:
            return await store.add_job(
                conn,
                folder=self.folder.mark or "",
                file=file,
                filename=filename,
                format=format,
                size=size,
                created_by=created_by,
                choices=JobChoices(name),
                now=time.time(),
            )

    async def add_reindexing(self, conn: AsyncConnection, name: str, *, created_by: str | None) -> ImportJob:
        """Write down, in a transaction that goes on, that the index of a collection must be made anew. Then ``wake``.

        Raises:
            StoreUnavailableError: The folder cannot be written to.
        """
        await asyncio.to_thread(self.folder.prepare)
        job = await store.add_job(
            conn,
            folder=self.folder.mark or "",
            file=secrets.token_hex(16),
            filename=name,
            format="",
            size=0,
            created_by=created_by,
            choices=JobChoices(name),
            now=time.time(),
        )
        await store.change_job(conn, job.id, among={JobState.DRAFT}, state=JobState.WAITING, task=JobTask.REINDEX)
        return replace(job, state=JobState.WAITING, task=JobTask.REINDEX)

    def wake(self) -> None:
        """Say that there is a job to run."""
        self._runner.wake()

    async def get(self, job_id: int, viewer: Viewer = ANYBODY) -> ImportJob:
        """One job, with its progress as far as it is known here.

        Raises:
            NotFoundError: There is no such job, or it shows rows that the viewer may not see.
        """
        async with self._transactions.read() as conn:
            found = await store.find_job(conn, job_id)
            existing = await find_collection(conn, found.choices.name) if found else None
        if found is None or not _may_see(found, existing, viewer):
            raise NotFoundError(f"There is no import {job_id}. It may have been removed.")
        return self._with_progress(found)

    async def list_all(self, viewer: Viewer = ANYBODY) -> tuple[ImportJob, ...]:
        """The latest jobs that the viewer may see, the newest first."""
        return await self._list(viewer)

    async def list_running(self, viewer: Viewer = ANYBODY) -> tuple[ImportJob, ...]:
        """Those of them that are under way or wait for their turn."""
        return await self._list(viewer, LIVE_STATES)

    async def _list(self, viewer: Viewer, states: frozenset[JobState] = frozenset()) -> tuple[ImportJob, ...]:
        async with self._transactions.read() as conn:
            found = await store.list_jobs(conn, states=states)
            collections = {one.name: one for one in await list_collections(conn)} if found else {}
        seen = (job for job in found if _may_see(job, collections.get(job.choices.name), viewer))
        return tuple(map(self._with_progress, seen))

    def _with_progress(self, job: ImportJob) -> ImportJob:
        found = self.folder.progress(job.file) if job.is_live and job.folder == self.folder.mark else None
        return replace(job, progress=found) if found else job

    async def preview(self, job: ImportJob, viewer: Viewer = ANYBODY) -> JobPreview:
        """What an import of a draft would make of its fields.

        Raises:
            ConflictError: The file lies on another machine.
        """
        return await self._planned(job, job.choices.roles, viewer)

    async def revise(
        self,
        job_id: int,
        viewer: Viewer = ANYBODY,
        *,
        name: str,
        replace_all: bool,
        key: str | None,
        wanted: Mapping[str, Role],
    ) -> JobPreview:
        """Change the choices of a draft, and look at it again.

        Args:
            replace_all: Rows that the file does not have are to be gone.
            wanted: Roles as they were shown, left or changed.

        Raises:
            NotFoundError: There is no such job.
            ConflictError: It has been started, or its file lies on another machine.
            InvalidInputError: The name cannot be one.
        """
        job = await self.get(job_id, viewer)
        choices = JobChoices(_checked(name), replace_all, key)
        planned = await self._planned(replace(job, choices=choices), wanted, viewer)
        # Of another key or name, what would change is something else.
        difference = job.difference if planned.job.choices == job.choices else None
        async with self._transactions.write() as conn:
            is_changed = await store.change_job(
                conn, job_id, among={JobState.DRAFT}, choices=planned.job.choices, difference=difference
            )
        if not is_changed:
            raise ConflictError(f"“{job.filename}” has been started already.")
        return replace(planned, job=replace(planned.job, difference=difference))

    async def _planned(self, job: ImportJob, wanted: Mapping[str, Role], viewer: Viewer) -> JobPreview:
        self._require_here(job)
        async with self._transactions.read() as conn:
            found = await find_collection(conn, job.choices.name)
            existing = await seen_by(conn, found, viewer) if found else None
        path = self.folder.file(job.file)
        return await asyncio.to_thread(
            plan_job, job, path, existing, wanted=wanted, unpacked_limit=self._unpacked_limit
        )

    async def start(self, job_id: int, task: JobTask, viewer: Viewer = ANYBODY) -> ImportJob:
        """Let a job run in the background; one that failed or was cancelled goes on where it stopped.

        Raises:
            ForbiddenError: The viewer may not see every row that the import could change.
            NotFoundError: There is no such job.
            ConflictError: It is under way, or done.
        """
        job = await self.get(job_id, viewer)
        if job.task is JobTask.REINDEX:
            task = job.task
        else:
            self._require_here(job)
        async with self._transactions.write() as conn:
            existing = await find_collection(conn, job.choices.name)
            if existing and names_granted(existing.settings.visibility, viewer) is not None:
                raise ForbiddenError(
                    f"An import could change rows of “{existing.name}” that you may not see. Ask whoever runs the site."
                )
            is_started = await store.change_job(
                conn,
                job_id,
                among=_STARTABLE,
                state=JobState.WAITING,
                task=task,
                error=None,
                is_cancelling=False,
                progress=JobProgress(),
                started_at=None,
                finished_at=None,
            )
        if not is_started:
            raise ConflictError(f"“{job.filename}” has been started already.")
        self.folder.progress_path(job.file).unlink(missing_ok=True)
        self._runner.wake()
        return await self.get(job_id, viewer)

    async def cancel(self, job_id: int, viewer: Viewer = ANYBODY) -> ImportJob:
        """Stop a job; nothing happens to one that has ended. What it has stored of a merge stays.

        Raises:
            NotFoundError: There is no such job.
            ConflictError: It makes an index anew, half of which is of no use.
        """
        job = await self.get(job_id, viewer)
        if job.task is JobTask.REINDEX:
            raise ConflictError("An index that is made anew is of use when all of it is done. Wait for the end.")
        ended = JobState.DRAFT if job.task is JobTask.COMPARE else JobState.CANCELLED
        async with self._transactions.write() as conn:
            if not await store.change_job(conn, job_id, among={JobState.WAITING}, state=ended, finished_at=time.time()):
                await store.change_job(conn, job_id, among={JobState.RUNNING}, is_cancelling=True)
        return await self.get(job_id, viewer)

    async def remove(self, job_id: int, viewer: Viewer = ANYBODY) -> None:
        """Forget a job that is not under way, with its file and what was rejected of it.

        Raises:
            NotFoundError: There is no such job.
            ConflictError: It is under way.
        """
        job = await self.get(job_id, viewer)
        async with self._transactions.write() as conn:
            found = await store.find_job(conn, job_id)
            if found and found.is_live:
                raise ConflictError(f"“{job.filename}” is being imported. Cancel it first.")
            await store.delete_job(conn, job_id)
        if job.folder == self.folder.mark:
            await asyncio.to_thread(self.folder.remove, job.file, with_rejects=True)

    def rejects(self, job: ImportJob) -> Path | None:
        """The file of rows that could not be taken; None without any, or where it lies on another machine."""
        return self.folder.rejects(job.file) if job.folder == self.folder.mark else None

    def _require_here(self, job: ImportJob) -> None:
        if job.folder != self.folder.mark:
            raise ConflictError(f"“{job.filename}” lies on another machine of this site. Send it again.")
        if not self.folder.file(job.file).exists():
            raise ConflictError(f"“{job.filename}” is gone. Send it again.")


def _may_see(job: ImportJob, existing: Collection | None, viewer: Viewer) -> bool:
    """Whether a job hides nothing from a viewer: its rows are their own, or of a collection they see all of."""
    is_own = job.created_by is not None and job.created_by == viewer.name
    return is_own or existing is None or names_granted(existing.settings.visibility, viewer) is None


def _checked(name: str) -> str:
    try:
        return checked_name(name.strip())
    except InvalidInputError as error:
        raise InvalidInputError(str(error).replace(" Choose one with --name.", "")) from error


def _shown_name(filename: str) -> str:
    """A sender's name for a file, as it may be shown: without folders and control characters, and not too long."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign for sign in last if sign.isprintable()).strip()
    return plain[-_FILENAME_LENGTH:] or "rows"
