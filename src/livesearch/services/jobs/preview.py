"""What an import would make of a file: its fields, told from its first rows."""

import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from livesearch.domain import Collection, Document, ImportJob, Role
from livesearch.errors import InvalidInputError, KeyUndecidedError, SourceError
from livesearch.ingest import Inference, open_source, parse_source, take_sample
from livesearch.services.fields import plan_fields
from livesearch.services.imports import sampled_documents

# Rows that a page shows.
SHOWN_COUNT = 5

# Advice for the command line, which a browser has no use for.
_OPTION_ADVICE = re.compile(r"\s[^.]*--[^.]*\.")


@dataclass(frozen=True, slots=True)
class JobPreview:
    """A draft as it can be looked at.

    Attributes:
        job: With the choices that were taken over.
        existing: The collection of the chosen name; None for a new one.
        inference: What the fields would be; None where the file cannot be read.
        notes: What was detected: encoding, delimiter.
        documents: The first rows.
        row_count: Rows that were looked at; there are more where ``has_more``.
        fault: Why it cannot be imported so, in words; None where it can.
    """

    job: ImportJob
    existing: Collection | None
    inference: Inference | None = None
    notes: tuple[str, ...] = ()
    documents: tuple[Document, ...] = ()
    row_count: int = 0
    has_more: bool = False
    fault: str | None = None


def plan_job(
    job: ImportJob, path: Path, existing: Collection | None, *, wanted: Mapping[str, Role], unpacked_limit: int
) -> JobPreview:
    """Look at the first rows of a file; blocks while it reads.

    Args:
        wanted: Roles that were seen and left or changed; those that differ from the inferred ones are choices.
    """
    try:
        documents, notes, has_more = _read(job, path, unpacked_limit)
    except SourceError as error:
        return JobPreview(job, existing, fault=in_words(error, job, path))
    kept = None if job.choices.replace else existing
    base, fault = _plan(job, path, documents, kept, roles={})
    roles = {name: role for name, role in wanted.items() if _inferred(base).get(name, role) is not role}
    inference = base
    if roles:
        inference, fault = _plan(job, path, documents, kept, roles=roles)
    job = replace(job, choices=replace(job.choices, roles=roles))
    shown = tuple(documents[:SHOWN_COUNT])
    return JobPreview(job, existing, inference or base, notes, shown, len(documents), has_more, fault)


def _read(job: ImportJob, path: Path, unpacked_limit: int) -> tuple[list[Document], tuple[str, ...], bool]:
    spec = replace(parse_source(str(path), format=job.format), unpacked_limit=unpacked_limit)
    with closing(open_source(spec)) as source:
        rows = source.rows()
        sample, has_more = take_sample(rows)
        return sampled_documents(sample, job.filename), source.notes, has_more


def _plan(
    job: ImportJob,
    path: Path,
    documents: list[Document],
    kept: Collection | None,
    *,
    roles: Mapping[str, Role],
) -> tuple[Inference | None, str | None]:
    """The fields, and what is the matter with the choices."""
    try:
        return plan_fields(documents, kept, roles=roles, key=job.choices.key), None
    except KeyUndecidedError as error:
        listed = ", ".join(f"“{name}”" for name in error.candidates)
        fault = f"More than one field could tell rows apart: {listed}. Choose the key."
        return plan_fields(documents, kept, roles=roles, key=error.candidates[0]), fault
    except (SourceError, InvalidInputError) as error:
        return None, in_words(error, job, path)


def _inferred(inference: Inference | None) -> dict[str, Role]:
    return {} if inference is None else {found.name: found.role for found in inference.fields}


def in_words(error: Exception, job: ImportJob, path: Path) -> str:
    """A fault as people in a browser read it: with the file's own name, and without advice for a terminal."""
    return _OPTION_ADVICE.sub("", str(error).replace(str(path), job.filename)).strip()
