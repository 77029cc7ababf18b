"""`livesearch backup` and `livesearch restore`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from livesearch.cli.running import command_settings, console, harmless, progress_bar, runs_async, store_option
from livesearch.db.copying import OnCopied
from livesearch.services.backups import BackupService
from livesearch.store.schema import SchemaState

_file_argument = click.argument("file", type=click.Path(path_type=Path))


@click.command()
@_file_argument
@store_option
@runs_async
async def backup(file: Path, *, store: str | None) -> None:
    """Copy the whole store into the new FILE, while it is in use."""
    begun = time.monotonic()
    with _shown("Copying") as on_copied:
        await BackupService(command_settings(store)).back_up(file, on_copied)
    console.print(harmless(_summary(file, seconds=time.monotonic() - begun)), soft_wrap=True)


@click.command()
@_file_argument
@click.option("--force", is_flag=True, help="Replace the store that is there.")
@store_option
@runs_async
async def restore(file: Path, *, force: bool, store: str | None) -> None:
    """Make the store what the backup FILE is. Stop the server first."""
    with _shown("Restoring") as on_copied:
        state = await BackupService(command_settings(store)).restore(file, on_copied, replaces=force)
    console.print(harmless(f"The store is what {file} is."), soft_wrap=True)
    if state in {SchemaState.OUTDATED, SchemaState.STALE}:
        console.print("It was made by an older livesearch. Run `livesearch db upgrade`; your rows stay.")
    elif state is not SchemaState.CURRENT:
        console.print("It was made by a newer livesearch: start that version.")


def _summary(file: Path, *, seconds: float) -> str:
    return f"{file} is a backup of the store: {file.stat().st_size / 1e6:,.1f} MB in {seconds:.1f} s."


@contextmanager
def _shown(text: str) -> Iterator[OnCopied]:
    with progress_bar() as bar:
        task = bar.add_task(text, total=None)

        def on_copied(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield on_copied
