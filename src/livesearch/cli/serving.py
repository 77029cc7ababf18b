"""`livesearch serve`: import what is new, then serve."""

import asyncio
import atexit
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.resources import files

import click

from livesearch.app import load_secret_key
from livesearch.cli.database import reindex_stale
from livesearch.cli.importing import print_report, run_import
from livesearch.cli.running import command_settings, console, fail, harmless, open_services, store_option
from livesearch.config import Settings
from livesearch.errors import InvalidInputError, LivesearchError, SchemaOutdatedError
from livesearch.guard.server import bind, listen, run
from livesearch.ingest import default_name, is_table, parse_source, shown_url
from livesearch.services.imports import ImportOptions

DEMO_NAME = "games"
# Open files and connections; a silent one takes some 10 kB until the guard closes it.
_MAX_FILES = 16_384


@click.command()
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port to listen on.")
@click.option("--workers", type=click.IntRange(1, 64), help="Server processes; by default LIVESEARCH_WORKERS, or 1.")
@store_option
def serve(sources: Sequence[str], *, host: str, port: int, workers: int | None, store: str | None) -> None:
    """Import each SOURCE that is new or has changed, then serve the site.

    With no SOURCE and an empty store, the built-in demo: 17,022 console games.
    """
    with ExitStack() as stack:
        try:
            settings = _served_settings(store, sources)
            # Before the import: it may take minutes, and would be for nothing.
            with _told_of_address(host, port):
                bound = [stack.enter_context(one) for one in bind(host, port)]
            _require_distinct_names(sources)
            setup_key = asyncio.run(_prepare(settings, sources))
            with _told_of_address(host, port):
                listen(bound)
        except LivesearchError as error:
            fail(error)
        except KeyboardInterrupt:
            console.print("Interrupted. Run the same command again to go on.")
            sys.exit(1)
        # Workers are processes of their own: they read the settings from the environment.
        os.environ["LIVESEARCH_STORE_URL"] = settings.store_url
        _allow_connections()
        worker_count = workers or settings.workers
        if worker_count > 1:
            _share_metrics()
        address = _address(host, bound[0].getsockname()[1])
        console.print(f"Serving http://{address}  (Ctrl+C stops)")
        if setup_key:
            link = f"http://{address}/setup?key={setup_key}"
            console.print(f"There are no users yet. Make the administrator, within an hour: {link}", soft_wrap=True)
        try:
            run(bound, workers=worker_count)
        except SystemExit as end:  # uvicorn has codes of its own
            sys.exit(1 if end.code else 0)


def _share_metrics() -> None:
    """Give workers a folder, for as long as this process lives, so that each can answer for all."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder = tempfile.mkdtemp(prefix="livesearch-metrics-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def _allow_connections() -> None:
    """Take as many connections as the machine allows: a shell's 1,024 are soon used up by clients that only stay."""
    present, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(allowed, _MAX_FILES) if allowed >= 0 else _MAX_FILES  # below 0 there is no limit
    if 0 <= present < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, allowed))


def _served_settings(store: str | None, sources: Sequence[str]) -> Settings:
    """The settings; where nobody chose a store, that of a PostgreSQL table is the table's own database.

    Raises:
        ConfigError: The store needs a secret key, and there is none.
    """
    settings = command_settings(store)
    if "store_url" not in settings.model_fields_set:
        tables = [spec for spec in map(parse_source, sources) if spec.format == "postgresql"]
        location = next((spec.location for spec in tables if is_table(spec)), None)
        if location is not None:
            settings = command_settings(location)
            console.print(
                f"The store is the table's own database, {harmless(shown_url(location))}: the table is searched in"
                " place. Give --store for another."
            )
    if not settings.is_sqlite:
        load_secret_key(settings)  # before an import that would be for nothing
    return settings


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def _told_of_address(host: str, port: int) -> Iterator[None]:
    """Say what to do about an address that cannot be had."""
    try:
        yield
    except OSError as error:
        raise InvalidInputError(
            f"The site cannot be served at {_address(host, port)}: {error.strerror}."
            " Choose another port with --port, or another address with --host."
        ) from error


def _require_distinct_names(sources: Sequence[str]) -> None:
    """Two sources of one name would take turns in one collection."""
    taken: dict[str, str] = {}
    for source in sources:
        name = default_name(parse_source(source))
        if taken.setdefault(name, source) != source:
            raise InvalidInputError(
                f"“{shown_url(taken[name])}” and “{shown_url(source)}” would both be the collection “{name}”. Import"
                " one of them first, with livesearch import and --name, and leave it out here: the site shows every"
                " collection."
            )


async def _prepare(settings: Settings, sources: Sequence[str]) -> str | None:
    """Import what is new; while there is no user, give the key of the link by which the first one is made."""
    try:
        async with open_services(settings) as services:
            await reindex_stale(services)
            for source in sources:
                print_report(await run_import(services, source, ImportOptions(skip_known=True)))
            if not sources and not await services.collections.list_all():
                demo = files("livesearch").joinpath("demo", "demo_console_games.jsonl.gz")
                print_report(await run_import(services, str(demo), ImportOptions(name=DEMO_NAME)))
            return await services.accounts.open_setup()
    except SchemaOutdatedError as error:
        # The site comes up and says the same on every page: it answers as soon as the store is upgraded.
        console.print(f"{error}", style="yellow")
        return None
