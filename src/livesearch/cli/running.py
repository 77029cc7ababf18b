"""What every command shares: its services for as long as it runs, and its errors as sentences."""

import asyncio
import functools
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NoReturn, ParamSpec, TypeVar

import click
from rich.console import Console

from livesearch.config import Settings, load_settings, store_url_of
from livesearch.db import Database
from livesearch.errors import ConfigError, LivesearchError
from livesearch.services import Services, build_services

# What is said about the work goes to standard error; what was asked for goes to standard output.
console = Console(stderr=True, highlight=False)
output = Console(highlight=False)

P = ParamSpec("P")
R = TypeVar("R")

store_option = click.option(
    "--store",
    metavar="URL",
    help="The store: a SQLite file or a database URL. By default LIVESEARCH_STORE_URL, or livesearch.db here.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")


def command_settings(store: str | None) -> Settings:
    """The settings, with the store given on the command line."""
    return load_settings(store_url=store_url_of(store)) if store else load_settings()


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Services over the store of the settings. An empty store is set up; an older one is left as it is."""
    database = Database(settings)
    try:
        services = build_services(settings, database)
        await services.transactions.upgrade(only_if_empty=True)
        yield services
    finally:
        await database.close()


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
    console.print(str(error), markup=False)
    sys.exit(2 if isinstance(error, ConfigError) else 1)
