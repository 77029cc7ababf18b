"""What every command shares: its services for as long as it runs, and its errors as sentences."""

import asyncio
import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from livesearch.config import Settings, load_settings, store_url_of
from livesearch.db import Database, sqlite_path
from livesearch.errors import ConfigError, LivesearchError, NotFoundError
from livesearch.services import Services, build_services

# What is said about the work goes to standard error; what was asked for goes to standard output. Neither reads markup:
# much of what is printed comes from files, and a field may be named "[bold]".
console = Console(stderr=True, highlight=False, markup=False, emoji=False)
output = Console(highlight=False, markup=False, emoji=False)

P = ParamSpec("P")
R = TypeVar("R")

store_option = click.option(
    "--store",
    metavar="URL",
    help="The store: a SQLite file or a database URL. By default LIVESEARCH_STORE_URL, or livesearch.db here.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")

# C0 and C1 controls but TAB and LF: a terminal takes them as orders.
_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {0x09, 0x0A})


def harmless(text: str) -> str:
    """What comes from a file or a store, without the characters that a terminal takes as orders."""
    return text.translate(_CONTROLS)


def progress_bar() -> Progress:
    """A bar for work whose end is known; gone when it is done, and nothing where nobody looks."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def command_settings(store: str | None) -> Settings:
    """The settings, with the store given on the command line."""
    return load_settings(store_url=store_url_of(store)) if store else load_settings()


@asynccontextmanager
async def open_services(settings: Settings, *, is_reader: bool = False) -> AsyncIterator[Services]:
    """Services over the store of the settings; they are closed in the end.

    Args:
        is_reader: The store must be there. Otherwise one that is missing or empty is set up; an older one is left as
            it is.

    Raises:
        NotFoundError: It must be there, and is not.
    """
    if is_reader and settings.is_sqlite:
        _require_file(sqlite_path(settings.store_url))
    database = Database(settings)
    services = build_services(settings, database)
    try:
        if not is_reader:
            await services.transactions.upgrade(only_if_empty=True)
        yield services
    finally:
        await services.search.close()
        await database.close()


def _require_file(path: str) -> None:
    if not Path(path).exists():
        raise NotFoundError(
            f"There is no store at {path}. Name another with --store, or make this one:"
            f" livesearch import games.csv --store {path}"
        )


def runs_async(function: Callable[P, Awaitable[R]]) -> Callable[P, R]:
    """Let a command be `async def`; what it raises on purpose becomes a sentence and an exit code."""

    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> R:
        async def run() -> R:
            return await function(*args, **kwargs)

        try:
            return asyncio.run(run())
        except LivesearchError as error:
            fail(error)
        except KeyboardInterrupt:
            console.print("Interrupted. What was committed stays.")
            sys.exit(1)

    return command


def fail(error: LivesearchError) -> NoReturn:
    """Say what failed, and end."""
    console.print("Error:", style="bold red", end=" ")
    console.print(harmless(str(error)), soft_wrap=True)  # a path in it can be copied
    sys.exit(2 if isinstance(error, ConfigError) else 1)
