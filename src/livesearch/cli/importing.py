"""`livesearch import`, and what `livesearch serve` shares of it."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import click
import orjson
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from livesearch.cli.running import (
    command_settings,
    console,
    harmless,
    json_option,
    open_services,
    runs_async,
    store_option,
)
from livesearch.domain import Field, FieldType, ImportReport, Role
from livesearch.errors import KeyUndecidedError
from livesearch.ingest import shown_url
from livesearch.services import Services
from livesearch.services.imports import ImportOptions, ImportPlan, ImportProgress
from livesearch.services.priority import give_way

_ROLES = ("title", "text", "facet", "sort", "date", "hidden")


class RoleOption(click.ParamType[tuple[str, Role]]):
    """`FIELD=ROLE`."""

    name = "FIELD=ROLE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Role]:
        """Split and check one option."""
        field, separator, role = value.rpartition("=")
        if not separator or not field or role not in _ROLES:
            self.fail(f"{value!r} is not FIELD=ROLE, where ROLE is one of {', '.join(_ROLES)}.", param, ctx)
        return field, Role(role)


@click.command("import")
@click.argument("source")
@click.option("--name", help="Name of the collection; by default made from the source's.")
@click.option("--key", metavar="FIELD", help="The field that tells rows apart; by default inferred.")
@click.option("--role", "roles", type=RoleOption(), multiple=True, help="Set a field's role; may be repeated.")
@click.option("--format", "source_format", help="Format of standard input: csv, tsv, json or jsonl.")
@click.option("--replace", is_flag=True, help="Rows that SOURCE does not have are gone afterwards.")
@click.option("--dry-run", is_flag=True, help="Show roles and count changes; store nothing.")
@store_option
@json_option
@runs_async
async def import_source(
    source: str,
    *,
    name: str | None,
    key: str | None,
    roles: Sequence[tuple[str, Role]],
    source_format: str | None,
    replace: bool,
    dry_run: bool,
    store: str | None,
    as_json: bool,
) -> None:
    """Import SOURCE into a collection: new rows are added, known ones updated by their key.

    SOURCE is a .csv, .tsv, .json or .jsonl file (each also .gz), a SQLite table as file.db::table, a PostgreSQL table
    as postgresql://user@host/database::table, or - for standard input with --format. A table of the store's own
    database is followed in place. An interrupted import goes on where it stopped when it is run again.

    It has a low priority: searches come first where processors are short.
    """
    options = ImportOptions(
        format=source_format, name=name, key=key, roles=dict(roles), replace=replace, dry_run=dry_run
    )
    give_way()
    async with open_services(command_settings(store)) as services:
        report = await run_import(services, source, options)
    if as_json:
        click.echo(orjson.dumps(_report_json(report)))
    else:
        print_report(report)


async def run_import(services: Services, source: str, options: ImportOptions) -> ImportReport:
    """Import with a progress bar; where the key is undecided and someone is there to ask, ask."""
    try:
        return await _run(services, source, options)
    except KeyUndecidedError as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()) or source == "-":
            raise
        console.print("More than one field could be the key that tells rows apart.")
        key = click.prompt("Which one", type=click.Choice(error.candidates), default=error.candidates[0], err=True)
        return await _run(services, source, replace(options, key=key))


async def _run(services: Services, source: str, options: ImportOptions) -> ImportReport:
    with _progress_bar() as bar:
        return await services.imports.run(source, options, on_plan=_print_plan, on_progress=_follow(bar, source))


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _follow(bar: Progress, source: str) -> Callable[[ImportProgress], None]:
    task = bar.add_task(harmless(shown_url(source)), total=None, rows=0, rate=0.0)

    def on_progress(progress: ImportProgress) -> None:
        elapsed = bar.tasks[task].elapsed or 0.0
        rate = progress.rows / elapsed if elapsed else 0.0
        bar.update(task, total=progress.bytes_total, completed=progress.bytes_read, rows=progress.rows, rate=rate)

    return on_progress


def _print_plan(plan: ImportPlan) -> None:
    for note in plan.notes:
        console.print(f"Detected {harmless(note)}.")
    if plan.is_new:
        console.print(fields_table(plan.inference.fields, title=f"Fields of {plan.collection}"))
        if plan.inference.key_field is None:
            console.print("No field tells rows apart: a hash of the whole row does.")
        console.print("Change a role with --role FIELD=ROLE and --replace.\n")


def fields_table(fields: Sequence[Field], *, title: str) -> Table:
    """What each field is, and why."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False)
    for heading in ("Field", "Type", "Role", "Because"):
        table.add_column(heading, overflow="fold")
    for field in fields:
        kind = f"{field.type.value} list" if field.is_list else field.type.value
        table.add_row(harmless(field.name), kind, role_name(field), harmless(field.reason))
    return table


def role_name(field: Field) -> str:
    """A role as people call it: one sorts by a number."""
    return "number" if field.role is Role.SORT and field.type is FieldType.NUMBER else field.role.value


def print_report(report: ImportReport) -> None:
    """Say what an import did."""
    _print_counts(report)
    if report.source_table:
        console.print(f"It follows table {harmless(report.source_table)} in place: the next search finds what changes.")


def _print_counts(report: ImportReport) -> None:
    is_changed = report.accepted or report.updated or report.removed or report.rejected or report.late_fields
    if not is_changed and not report.is_dry_run:
        console.print(Text(report.collection, style="bold"), f": {report.unchanged:,} rows. Nothing changed.", sep="")
        return
    console.print(
        Text(report.collection, style="bold"),
        f": {'would be ' if report.is_dry_run else ''}"
        f"{report.accepted:,} accepted, {report.updated:,} updated, {report.unchanged:,} unchanged,"
        + (f" {report.removed:,} removed," if report.removed else "")
        + f" {report.rejected:,} rejected in {report.seconds:.1f} s"
        + (f" ({report.row_count / report.seconds:,.0f} rows/s)" if report.accepted and report.seconds else "")
        + ".",
        sep="",
    )
    if report.resumed_at:
        console.print(f"An interrupted import was resumed after {report.resumed_at:,} rows.")
    if report.late_fields:
        listed = harmless(", ".join(report.late_fields))
        console.print(
            f"Fields first seen after the sampled rows are kept, but not searched: {listed}."
            f" Give each a role with --role {harmless(report.late_fields[0])}=text --replace."
        )
    if report.rejects_path:
        console.print(f"Rejected rows, with line and reason: {harmless(report.rejects_path)}")


def _report_json(report: ImportReport) -> Mapping[str, object]:
    return {
        "collection": report.collection,
        "source": report.source,
        "accepted": report.accepted,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "rejected": report.rejected,
        "resumed_at": report.resumed_at,
        "late_fields": report.late_fields,
        "rejects": report.rejects_path,
        "seconds": round(report.seconds, 3),
        "dry_run": report.is_dry_run,
        "removed": report.removed,
        "source_table": report.source_table,
        "key": report.key_field,
        "fields": [
            {"name": f.name, "type": f.type, "role": f.role, "is_list": f.is_list, "reason": f.reason}
            for f in report.fields
        ],
    }
