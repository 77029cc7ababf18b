"""Jobs: files that were sent to be imported, and what became of them."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from livesearch.domain import ImportJob, JobChoices, JobProgress, JobResult, JobState, JobTask, Role
from livesearch.models import LARGEST_ID, import_jobs


def _job(row: Row[Any]) -> ImportJob:  # Any: columns of several types
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001  # the documented name
    choices = values.pop("choices")
    return ImportJob(
        **values
        | {
            "state": JobState(values["state"]),
            "task": JobTask(values["task"]),
            "choices": JobChoices(**choices | {"roles": {name: Role(role) for name, role in choices["roles"].items()}}),
            "difference": _result(values["difference"]),
            "result": _result(values["result"]),
            "progress": JobProgress(**values["progress"] or {}),
        }
    )


def _result(saved: Mapping[str, Any] | None) -> JobResult | None:  # Any: JSON values
    return None if saved is None else JobResult(**{**saved, "late_fields": tuple(saved["late_fields"])})


async def add_job(
    conn: AsyncConnection,
    *,
    folder: str,
    file: str,
    filename: str,
    format: str,  # noqa: A002  # as the command's option is named
    size: int,
    created_by: str | None,
    choices: JobChoices,
    now: float,
) -> ImportJob:
    """Store a draft.

    Args:
        now: Unix seconds, UTC.
    """
    values = {
        "folder": folder,
        "file": file,
        "filename": filename,
        "format": format,
        "size": size,
        "created_by": created_by,
        "state": JobState.DRAFT.value,
        "task": JobTask.IMPORT.value,
        "choices": asdict(choices),
        "is_cancelling": False,
        "created_at": now,
    }
    made = await conn.execute(insert(import_jobs).values(**values).returning(import_jobs.c.id))
    found = await find_job(conn, int(made.scalar_one()))
    assert found is not None  # noqa: S101  # written in this transaction
    return found


async def find_job(conn: AsyncConnection, job_id: int) -> ImportJob | None:
    """The job of that number, or None."""
    if not 0 < job_id <= LARGEST_ID:
        return None
    row = (await conn.execute(select(import_jobs).where(import_jobs.c.id == job_id))).one_or_none()
    return _job(row) if row else None


async def list_jobs(
    conn: AsyncConnection, *, states: Collection[JobState] = (), folder: str | None = None, limit: int = 50
) -> tuple[ImportJob, ...]:
    """Jobs, the newest first.

    Args:
        states: Only those in one of these; any where it is empty.
        folder: Only those whose file is there.
    """
    query = select(import_jobs).order_by(import_jobs.c.id.desc()).limit(limit)
    if states:
        query = query.where(import_jobs.c.state.in_([state.value for state in states]))
    if folder is not None:
        query = query.where(import_jobs.c.folder == folder)
    return tuple(_job(row) for row in await conn.execute(query))


async def change_job(
    conn: AsyncConnection,
    job_id: int,
    *,
    among: Collection[JobState],
    **values: Any,  # Any: columns of several types
) -> bool:
    """Change a job that is in one of some states; says whether it was.

    Args:
        values: By attribute of `domain.ImportJob`; value objects as they are.
    """
    plain = {name: _plain(value) for name, value in values.items()}
    changed = await conn.execute(
        update(import_jobs)
        .where(import_jobs.c.id == job_id, import_jobs.c.state.in_([state.value for state in among]))
        .values(**plain)
    )
    return bool(changed.rowcount)


def _plain(value: object) -> object:
    if isinstance(value, JobChoices | JobResult | JobProgress):
        return asdict(value)
    return value.value if isinstance(value, JobState | JobTask) else value


async def delete_job(conn: AsyncConnection, job_id: int) -> None:
    """Forget a job."""
    await conn.execute(delete(import_jobs).where(import_jobs.c.id == job_id))
