"""Imports as their pages show them."""

import time
from collections.abc import Sequence

from flask import url_for
from flask_wtf.csrf import generate_csrf

from livesearch.domain import Field, FieldType, ImportJob, JobResult, JobState, JobTask, Role
from livesearch.services.jobs import JobPreview
from livesearch.web.contexts.imports import (
    DraftFragment,
    EndedFragment,
    FieldRow,
    JobRow,
    ProgressFragment,
    RoleChoice,
)
from livesearch.web.presenters.formats import format_age, format_count, format_value, shorten

ROLE_LABELS = {
    Role.TITLE: "Title",
    Role.TEXT: "Text",
    Role.FACET: "Facet",
    Role.SORT: "Number",
    Role.DATE: "Date",
    Role.URL: "Link",
    Role.HIDDEN: "Hidden",
}
_STATES = {
    JobState.DRAFT: "Not started",
    JobState.WAITING: "Waiting",
    JobState.RUNNING: "Running",
    JobState.DONE: "Done",
    JobState.FAILED: "Failed",
    JobState.CANCELLED: "Cancelled",
}
_UNDER_WAY = {
    JobTask.IMPORT: ("Importing {}", "You can leave this page, and search meanwhile: it goes on."),
    JobTask.COMPARE: ("Comparing {}", "Nothing is stored."),
    JobTask.REINDEX: (
        "Making the index of {} anew",
        "Searches go on; some rows are found as before, meanwhile.",
    ),
}
# Fields of the sample that a page shows.
_COLUMN_COUNT = 12
_MINUTE, _HOUR = 60, 3600
_MEGABYTE = 1_000_000


def present_jobs(jobs: Sequence[ImportJob]) -> tuple[JobRow, ...]:
    """The list of imports, the newest first."""
    now = time.time()
    return tuple(
        JobRow(
            url=url_for("imports.show", job_id=job.id),
            filename=job_title(job),
            state=_STATES[job.state],
            kind="is-live" if job.is_live else "is-bad" if job.state is JobState.FAILED else "",
            facts=_facts_of(job, now),
        )
        for job in jobs
    )


def job_title(job: ImportJob) -> str:
    """What a job is called in lists."""
    return f"Index of {job.choices.name}" if job.task is JobTask.REINDEX else job.filename


def _facts_of(job: ImportJob, now: float) -> tuple[str, ...]:
    facts = [] if job.task is JobTask.REINDEX else [f"into {job.choices.name}"]
    if job.result and job.task is JobTask.IMPORT:
        facts.append(_rows(job.result.accepted + job.result.updated + job.result.unchanged))
    elif job.is_live and job.progress.rows:
        facts.append(_rows(job.progress.rows))
    facts.append(format_age(now - (job.finished_at or job.created_at)))
    if job.created_by:
        facts.append(job.created_by)
    return tuple(facts)


def present_draft(preview: JobPreview) -> DraftFragment:
    """A file that is looked at."""
    job, existing, inference = preview.job, preview.existing, preview.inference
    fault = preview.fault or job.error or ""
    is_fixed = existing is not None and not job.choices.replace
    kept = {field.name for field in existing.fields} if existing and is_fixed else set()
    fields = inference.fields if inference else ()
    names = [field.name for field in fields][:_COLUMN_COUNT]
    key = inference.key_field if inference else None
    return DraftFragment(
        csrf=generate_csrf(),
        url=url_for("imports.show", job_id=job.id),
        remove_url=url_for("imports.remove", job_id=job.id),
        filename=job.filename,
        facts=(_size(job.size), job.format.upper(), *preview.notes),
        fault=fault,
        is_readable=inference is not None,
        name=job.choices.name,
        exists=existing is not None,
        existing_text=f"There is a collection of this name, with {_rows(existing.document_count)}." if existing else "",
        is_replacing=job.choices.replace,
        keys=() if is_fixed else _keys(fields, key),
        key_text=key or "a hash of the whole row",
        fields=tuple(_field_row(place, field, is_fixed=field.name in kept) for place, field in enumerate(fields)),
        columns=tuple(names),
        sample=tuple(
            tuple(shorten(format_value(document.get(name))) for name in names) for document in preview.documents
        ),
        sample_text=f"{_rows(preview.row_count)} {'of the beginning' if preview.has_more else 'in all'}",
        difference=_difference(job),
        can_start=inference is not None and not preview.fault,
    )


def _keys(fields: Sequence[Field], key: str | None) -> tuple[RoleChoice, ...]:
    nothing = () if key else (RoleChoice("", "No field: a hash of the whole row", is_chosen=True),)
    return (*nothing, *(RoleChoice(field.name, field.name, field.name == key) for field in fields))


def _field_row(place: int, field: Field, *, is_fixed: bool) -> FieldRow:
    kind = f"{field.type.value} list" if field.is_list else field.type.value
    is_settled = is_fixed or field.role is Role.KEY
    choices = (RoleChoice(role.value, label, role is field.role) for role, label in ROLE_LABELS.items())
    return FieldRow(
        id=f"role-{place}",
        name=field.name,
        kind=kind,
        role=("Key" if field.role is Role.KEY else role_label(field)) if is_settled else "",
        choices=() if is_settled else tuple(choices),
        reason=field.reason,
    )


def role_label(field: Field) -> str:
    """A role as people call it: one sorts by a number."""
    if field.role is Role.SORT and field.type is not FieldType.NUMBER:
        return "Sort"
    return ROLE_LABELS.get(field.role, "Key")


def _difference(job: ImportJob) -> tuple[str, ...]:
    found = job.difference
    if found is None:
        return ()
    parts = [f"{label.lower()}: {count}" for label, count in _counts(found, with_removed=job.choices.replace)]
    return tuple(parts)


def _counts(result: JobResult, *, with_removed: bool) -> tuple[tuple[str, str], ...]:
    counts = [("New", result.accepted), ("Changed", result.updated), ("Unchanged", result.unchanged)]
    if with_removed:
        counts.append(("Removed", result.removed))
    counts.append(("Rejected", result.rejected))
    return tuple((label, format_count(count)) for label, count in counts)


def present_progress(job: ImportJob) -> ProgressFragment:
    """An import under way."""
    title, note = _UNDER_WAY[job.task]
    title = title.format(job.filename)
    if job.state is JobState.WAITING:
        title = f"{job_title(job)} waits for its turn"
    if job.is_cancelling:
        title = f"Cancelling {job.filename}"
    progress = job.progress
    return ProgressFragment(
        csrf=generate_csrf(),
        title=title,
        percent="" if progress.share is None else f"{progress.share * 100:.0f}",
        facts=progress_facts(job) if job.state is JobState.RUNNING else (),
        note=note,
        url=url_for("imports.show", job_id=job.id),
        poll_url=url_for("imports.poll", job_id=job.id),
        cancel_url="" if job.task is JobTask.REINDEX else url_for("imports.cancel", job_id=job.id),
        is_cancelling=job.is_cancelling,
    )


def progress_facts(job: ImportJob) -> tuple[str, ...]:
    """How far an import has come, in words."""
    progress = job.progress
    facts = [_rows(progress.rows)]
    if progress.rate:
        facts.append(f"{format_count(round(progress.rate))} a second")
    if progress.seconds_left is not None:
        facts.append(f"{_span(progress.seconds_left)} left")
    if job.task is not JobTask.REINDEX:
        facts.append(f"{format_count(progress.rejected)} rejected so far")
    return tuple(facts)


def present_ended(job: ImportJob, *, has_rejects: bool) -> EndedFragment:
    """An import that has ended."""
    is_done = job.state is JobState.DONE
    # A replacement that did not come to its end has changed nothing.
    is_import = job.task is JobTask.IMPORT
    has_rows = is_done or (job.progress.rows > 0 and not job.choices.replace)
    return EndedFragment(
        csrf=generate_csrf(),
        title=f"{job_title(job)}: {_STATES[job.state].lower()}",
        is_bad=job.state is JobState.FAILED,
        lines=_ended_lines(job),
        counts=_counts(job.result, with_removed=False) if job.result and is_import else (),
        collection_url=url_for("pages.search", name=job.choices.name) if has_rows else "",
        rejects_url=url_for("imports.rejects", job_id=job.id) if has_rejects else "",
        start_url="" if is_done else url_for("imports.start_again", job_id=job.id),
        remove_url=url_for("imports.remove", job_id=job.id),
    )


def _ended_lines(job: ImportJob) -> tuple[str, ...]:
    if job.state is JobState.FAILED:
        return (job.error or "It has ended unexpectedly.",)
    if job.state is JobState.CANCELLED:
        if job.choices.replace:
            return (f"“{job.choices.name}” is as it was before.",)
        return ("What was stored until then stays. Started again, it goes on from there.",)
    result = job.result or JobResult()
    if job.task is JobTask.REINDEX:
        return (f"Every search of “{job.choices.name}” follows its settings now. It took {_span(result.seconds)}.",)
    lines = [f"Imported into “{job.choices.name}” in {_span(result.seconds)}."]
    if result.resumed_at:
        lines.append(f"It was interrupted, and went on after {_rows(result.resumed_at)}.")
    if result.late_fields:
        lines.append(f"First seen late, so kept but not searched: {', '.join(result.late_fields)}.")
    return tuple(lines)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{format_count(count)} rows"


def _size(count: int) -> str:
    if count < _MEGABYTE:
        return f"{max(1, round(count / 1000))} kB"
    return f"{count / _MEGABYTE:,.1f} MB"


def _span(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    return f"{seconds / _HOUR:.1f} h"
