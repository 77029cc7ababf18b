"""`livesearch doctor`."""

import sys
from dataclasses import asdict

import click
import orjson
from rich.table import Table
from rich.text import Text

from livesearch.cli.running import command_settings, harmless, json_option, output, runs_async, store_option
from livesearch.db import Database
from livesearch.services import build_services
from livesearch.services.doctor import Doctor, Level

_MARKS = {
    Level.OK: ("ok", "green"),
    Level.NOTE: ("note", "cyan"),
    Level.WARNING: ("warning", "yellow"),
    Level.FAULT: ("fault", "bold red"),
}


@click.command()
@store_option
@json_option
@runs_async
async def doctor(*, store: str | None, as_json: bool) -> None:
    """Say what is configured, reachable, slow or unsafe, and how to mend it."""
    settings = command_settings(store)
    database = Database(settings)
    services = build_services(settings, database)
    try:
        findings = await Doctor(settings, database, services).examine()
    finally:
        await services.search.close()
        await database.close()
    if as_json:
        click.echo(orjson.dumps([asdict(finding) for finding in findings]))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        table.add_column(overflow="fold")
        for finding in findings:
            mark, style = _MARKS[finding.level]
            text = f"{finding.text}\n→ {finding.remedy}" if finding.remedy else finding.text
            table.add_row(Text(mark, style), harmless(finding.subject), harmless(text))
        output.print(table)
    sys.exit(1 if any(finding.level is Level.FAULT for finding in findings) else 0)
