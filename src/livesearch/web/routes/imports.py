"""Imports: rows are sent, looked at and started here; the work goes on without a page."""

from collections.abc import Mapping
from dataclasses import fields, replace
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, flash, get_flashed_messages, make_response, request, send_file, url_for

from livesearch.domain import ImportJob, JobState, JobTask, Role
from livesearch.errors import ConflictError, InvalidInputError, NotFoundError, SourceError
from livesearch.services.jobs import JobPreview
from livesearch.web.actors import current_actor, current_viewer
from livesearch.web.addresses import go
from livesearch.web.audience import Audience, declare
from livesearch.web.contexts.imports import (
    DraftFragment,
    DraftPage,
    EndedFragment,
    EndedPage,
    ImportsPage,
    ProgressFragment,
    ProgressPage,
    UploadFragment,
)
from livesearch.web.detection import htmx
from livesearch.web.forms.imports import UploadForm
from livesearch.web.presenters.imports import present_draft, present_ended, present_jobs, present_progress
from livesearch.web.registry import current_services, current_settings
from livesearch.web.rendering import Context, render
from livesearch.web.uploads import sent_rows

blueprint = Blueprint("imports", __name__)
declare(blueprint, reading=Audience.EDITORS, changing=Audience.EDITORS)

_ID = "int(min=1, max=2147483647)"
_ROLE_PREFIX = "role:"
_CHOOSABLE = {role.value: role for role in Role if role is not Role.KEY}

Fragment = DraftFragment | ProgressFragment | EndedFragment
_PAGES: Mapping[type, type[Context]] = {
    DraftFragment: DraftPage,
    ProgressFragment: ProgressPage,
    EndedFragment: EndedPage,
}


@blueprint.get("/imports")
async def index() -> Response:
    """Sending rows, and the imports there were."""
    return await _show_index(UploadForm(formdata=None))


@blueprint.post("/imports")
async def send() -> Response:
    """Take rows in; they are looked at before anything is stored."""
    form = UploadForm()
    if form.validate_on_submit():
        try:
            with sent_rows(form) as rows:
                user = current_actor().user
                job = await current_services().import_jobs.add(
                    rows.path, rows.filename, format=rows.format, created_by=user.name if user else None
                )
        except SourceError as error:
            form.file.errors = [str(error)]
        else:
            return go(url_for("imports.show", job_id=job.id))
    if htmx.fragment:
        return _show(_upload(form), HTTPStatus.UNPROCESSABLE_ENTITY)
    return await _show_index(form, HTTPStatus.UNPROCESSABLE_ENTITY)


@blueprint.get(f"/imports/<{_ID}:job_id>")
async def show(job_id: int) -> Response:
    """One import: what it would do, how far it has come, or what became of it."""
    return _answer(await _present(await current_services().import_jobs.get(job_id, current_viewer())))


@blueprint.get(f"/htmx/imports/<{_ID}:job_id>")
async def poll(job_id: int) -> Response:
    """The part of an import's page that changes."""
    return _show(await _present(await current_services().import_jobs.get(job_id, current_viewer())))


@blueprint.post(f"/imports/<{_ID}:job_id>")
async def choose(job_id: int) -> Response:
    """Look at a draft with other choices, or start it with them."""
    jobs = current_services().import_jobs
    try:
        planned = await jobs.revise(
            job_id,
            current_viewer(),
            name=request.form.get("name", ""),
            replace_all=request.form.get("mode") == "replace",
            key=request.form.get("key") or None,
            wanted=_wanted_roles(),
        )
    except InvalidInputError as error:
        return await _refuse(job_id, str(error))
    task = request.form.get("do")
    if task not in set(JobTask) or planned.fault:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if planned.fault and task in set(JobTask) else HTTPStatus.OK
        return _answer(present_draft(planned), status)
    await jobs.start(job_id, JobTask(task), current_viewer())
    return go(url_for("imports.show", job_id=job_id))


@blueprint.post(f"/imports/<{_ID}:job_id>/start")
async def start_again(job_id: int) -> Response:
    """Let one that failed or was cancelled go on."""
    await current_services().import_jobs.start(job_id, JobTask.IMPORT, current_viewer())
    return go(url_for("imports.show", job_id=job_id))


@blueprint.post(f"/imports/<{_ID}:job_id>/cancel")
async def cancel(job_id: int) -> Response:
    """Stop one."""
    job = await current_services().import_jobs.cancel(job_id, current_viewer())
    if htmx.fragment:
        return _show(await _present(job))
    return go(url_for("imports.show", job_id=job_id))


@blueprint.post(f"/imports/<{_ID}:job_id>/remove")
async def remove(job_id: int) -> Response:
    """Forget one that is not under way."""
    await current_services().import_jobs.remove(job_id, current_viewer())
    flash("The import is removed from the list. What it stored stays.")
    return go(url_for("imports.index"))


@blueprint.get(f"/imports/<{_ID}:job_id>/rejects")
async def rejects(job_id: int) -> Response:
    """The rows that could not be taken, with their reasons, as a file."""
    jobs = current_services().import_jobs
    path = jobs.rejects(await jobs.get(job_id, current_viewer()))
    if path is None:
        raise NotFoundError("No row of this import was rejected, or its file lies on another machine.")
    answer = send_file(path, "application/x-ndjson", as_attachment=True, download_name=f"import-{job_id}-rejects.jsonl")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _wanted_roles() -> dict[str, Role]:
    return {
        name.removeprefix(_ROLE_PREFIX): _CHOOSABLE[value]
        for name, value in request.form.items()
        if name.startswith(_ROLE_PREFIX) and value in _CHOOSABLE
    }


async def _present(job: ImportJob) -> Fragment:
    jobs = current_services().import_jobs
    if job.is_live:
        return present_progress(job)
    if job.state is not JobState.DRAFT:
        return present_ended(job, has_rejects=jobs.rejects(job) is not None)
    try:
        return present_draft(await jobs.preview(job, current_viewer()))
    except ConflictError as error:
        return present_draft(JobPreview(job, None, fault=str(error)))


async def _refuse(job_id: int, fault: str) -> Response:
    jobs, viewer = current_services().import_jobs, current_viewer()
    draft = present_draft(await jobs.preview(await jobs.get(job_id, viewer), viewer))
    shown = replace(draft, name=request.form.get("name", ""), fault=fault, can_start=True)
    return _answer(shown, HTTPStatus.UNPROCESSABLE_ENTITY)


def _values(context: Any) -> dict[str, Any]:  # Any: a context's class is not known to be a dataclass
    return {field.name: getattr(context, field.name) for field in fields(context)}


def _answer(fragment: Fragment, status: int = HTTPStatus.OK) -> Response:
    if htmx.fragment:
        return _show(fragment, status)
    return _show(_PAGES[type(fragment)](**_values(fragment)), status)


def _upload(form: UploadForm) -> UploadFragment:
    megabytes = current_settings().max_upload_mb
    return UploadFragment(form, megabytes * 1_000_000, f"{megabytes:,} MB")


async def _show_index(form: UploadForm, status: int = HTTPStatus.OK) -> Response:
    page = ImportsPage(
        **_values(_upload(form)),
        jobs=present_jobs(await current_services().import_jobs.list_all(current_viewer())),
        notice=" ".join(map(str, get_flashed_messages())),
    )
    return _show(page, status)


def _show(context: Context, status: int = HTTPStatus.OK) -> Response:
    answer = make_response(render(context), status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
