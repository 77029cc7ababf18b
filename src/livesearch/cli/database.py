"""`livesearch db`: migrations and integrity."""

import sys

import click
from rich.progress import TaskID

from livesearch.cli.running import (
    command_settings,
    console,
    harmless,
    open_services,
    progress_bar,
    runs_async,
    store_option,
)
from livesearch.db import Database
from livesearch.services import Services, build_services
from livesearch.services.reindexing import ReindexingProgress
from livesearch.store.schema import SchemaState


@click.group("db")
def database() -> None:
    """Upgrade or check the store."""


@database.command()
@store_option
@runs_async
async def upgrade(*, store: str | None) -> None:
    """Bring the store's schema and index to this version; rows stay. Interrupted, the next call goes on."""
    settings = command_settings(store)
    opened = Database(settings)
    try:
        services = build_services(settings, opened)
        before = await services.transactions.upgrade()
        await reindex_stale(services)
    finally:
        await opened.close()
    console.print(
        {
            SchemaState.EMPTY: "The store was empty and is set up.",
            SchemaState.CURRENT: "The store is up to date already.",
            SchemaState.OUTDATED: "The store is upgraded.",
            SchemaState.STALE: "The index is up to date.",
        }[before]
    )


async def reindex_stale(services: Services) -> None:
    """Make anew what another version has indexed, and show how far that is."""
    with progress_bar() as bar:
        task: dict[str, TaskID] = {}

        def on_progress(progress: ReindexingProgress) -> None:
            name = progress.collection
            if name not in task:
                task[name] = bar.add_task(harmless(f"Indexing {name}"))
            bar.update(task[name], total=progress.total, completed=progress.done)

        for name in await services.reindexing.reindex_stale(on_progress=on_progress):
            console.print(harmless(f"The index of {name} was made anew."))


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
