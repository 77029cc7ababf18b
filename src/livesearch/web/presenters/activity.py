"""What goes on, as pages show it."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from flask import current_app, url_for

from livesearch.domain import ImportJob, JobState, JobTask, RecentChange, SearchQuery
from livesearch.web.contexts import Poll
from livesearch.web.contexts.activity import Activity, RecentChangeRow, RunningImport
from livesearch.web.presenters.addresses import address_of, search_address
from livesearch.web.presenters.formats import format_age
from livesearch.web.presenters.imports import job_title, progress_facts
from livesearch.web.presenters.live import describe_counts


def present_activity(recent: Sequence[RecentChange], running: Sequence[ImportJob], *, sees_imports: bool) -> Activity:
    """What was changed lately, and the imports under way."""
    now = time.time()
    return Activity(
        poll=Poll(address_of("activity.show"), current_app.config["POLL_MS"]),
        imports_url=address_of("imports.index") if sees_imports else "",
        running=tuple(map(_running, running)),
        recent=tuple(_recent(change, now) for change in recent),
    )


def _running(job: ImportJob) -> RunningImport:
    share = job.progress.share
    return RunningImport(
        url=url_for("imports.show", job_id=job.id),
        filename=job_title(job),
        percent="" if share is None else f"{share * 100:.0f}",
        facts=_facts(job),
    )


def _facts(job: ImportJob) -> tuple[str, ...]:
    place = () if job.task is JobTask.REINDEX else (f"into {job.choices.name}",)
    return (*place, *(progress_facts(job) if job.state is JobState.RUNNING else ("waits for its turn",)))


def _recent(change: RecentChange, now: float) -> RecentChangeRow:
    return RecentChangeRow(
        url=search_address(change.collection, SearchQuery()),
        label=change.collection.label,
        summary=describe_counts(change),
        age=format_age(now - change.at),
        moment=datetime.fromtimestamp(change.at, UTC).isoformat(timespec="seconds"),
    )
