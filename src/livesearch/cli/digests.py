"""`livesearch digest`: mails about saved searches, to be run by cron."""

import sys

import click

from livesearch.cli.running import command_settings, console, open_services, runs_async, store_option


@click.command("digest")
@store_option
@runs_async
async def digest(*, store: str | None) -> None:
    """Write to every user who wants it about what is new in their saved searches.

    Run it once an hour or once a day; nobody is written to more often than they chose, or twice about one document.
    """
    async with open_services(command_settings(store), is_reader=True) as services:
        report = await services.digests.send_due()
    console.print(f"{report.sent} {'mail' if report.sent == 1 else 'mails'} sent.")
    if report.failed:
        console.print(f"{report.failed} could not be sent: the log says why. The next run tries again.")
        sys.exit(1)
