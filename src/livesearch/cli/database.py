"""`livesearch db`: migrations and integrity."""

import sys

import click

from livesearch.cli.running import command_settings, console, harmless, open_services, runs_async, store_option
from livesearch.db import Database
from livesearch.services import build_services
from livesearch.store.schema import SchemaState


@click.group("db")
def database() -> None:
    """Upgrade or check the store."""


@database.command()
@store_option
@runs_async
async def upgrade(*, store: str | None) -> None:
    """Bring the store's schema to this version; rows stay."""
    settings = command_settings(store)
    opened = Database(settings)
    try:
        before = await build_services(settings, opened).transactions.upgrade()
    finally:
        await opened.close()
    console.print(
        {
            SchemaState.EMPTY: "The store was empty and is set up.",
            SchemaState.CURRENT: "The store is up to date already.",
            SchemaState.OUTDATED: "The store is upgraded.",
        }[before]
    )


@database.command()
@store_option
@runs_async
async def check(*, store: str | None) -> None:
    """Check the store: its file, its schema, and that index and documents agree."""
    async with open_services(command_settings(store), is_reader=True) as services:
        faults = await services.integrity.check()
    for fault in faults:
        console.print(harmless(fault), style="red")
    console.print("The store is sound." if not faults else f"{len(faults)} faults.")
    sys.exit(1 if faults else 0)
