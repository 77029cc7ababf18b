"""`livesearch serve`: import what is new, then serve."""

import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from importlib.resources import files

import click
import uvicorn

from livesearch.cli.importing import print_report, run_import
from livesearch.cli.running import command_settings, console, fail, open_services, store_option
from livesearch.config import Settings
from livesearch.errors import InvalidInputError, LivesearchError, SchemaOutdatedError
from livesearch.ingest import default_name, parse_source
from livesearch.services.imports import ImportOptions

DEMO_NAME = "games"
# Seconds a request may still take after SIGTERM: longer than the longest search, shorter than an orchestrator's 30.
_DRAIN_SECONDS = 20
# Seconds an idle connection is kept: longer than a reader thinks, and than a proxy keeps its own (60 by habit).
_KEEP_ALIVE_SECONDS = 75


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
    try:
        settings = command_settings(store)
        # Before the import: it may take minutes, and would be for nothing.
        _require_address(host, port)
        _require_distinct_names(sources)
        asyncio.run(_prepare(settings, sources))
    except LivesearchError as error:
        fail(error)
    except KeyboardInterrupt:
        console.print("Interrupted. Run the same command again to go on.")
        sys.exit(1)
    # Workers are processes of their own: they read the settings from the environment.
    os.environ["LIVESEARCH_STORE_URL"] = settings.store_url
    console.print(f"Serving http://{_address(host, port)}  (Ctrl+C stops)")
    try:
        uvicorn.run(
            "livesearch.bridge:create_asgi",
            factory=True,
            host=host,
            port=port,
            workers=workers or settings.workers,
            http="httptools",
            lifespan="on",
            reset_contextvars=True,
            server_header=False,
            # The application reads the proxy's headers itself: LIVESEARCH_PROXY_COUNT says how many to believe.
            proxy_headers=False,
            access_log=False,
            log_level="warning",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
        )
    except SystemExit as end:  # uvicorn has codes of its own
        sys.exit(1 if end.code else 0)


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _require_address(host: str, port: int) -> None:
    """Listen for a moment, as the server will."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
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
                f"“{taken[name]}” and “{source}” would both be the collection “{name}”. Import one of them first,"
                " with livesearch import and --name, and leave it out here: the site shows every collection."
            )


async def _prepare(settings: Settings, sources: Sequence[str]) -> None:
    try:
        async with open_services(settings) as services:
            for source in sources:
                print_report(await run_import(services, source, ImportOptions(skip_known=True)))
            if not sources and not await services.collections.list_all():
                demo = files("livesearch").joinpath("demo", "demo_console_games.jsonl.gz")
                print_report(await run_import(services, str(demo), ImportOptions(name=DEMO_NAME)))
    except SchemaOutdatedError as error:
        # The site comes up and says the same on every page: it answers as soon as the store is upgraded.
        console.print(f"{error}", style="yellow")
