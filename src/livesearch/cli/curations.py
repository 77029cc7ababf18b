"""`livesearch pin`, `hide`, `unpin`, `curations`: what an owner puts first for a query, or leaves out."""

import click
import orjson
from rich.table import Table

from livesearch.cli.running import (
    command_settings,
    console,
    harmless,
    json_option,
    open_services,
    output,
    runs_async,
    store_option,
)
from livesearch.domain import OPERATOR
from livesearch.search.analysis import written
from livesearch.services.curations import LAST_PLACE
from livesearch.web.presenters.tuning import present_curation


@click.command()
@click.argument("name")
@click.argument("query")
@click.argument("key")
@click.option(
    "--position",
    type=click.IntRange(1, LAST_PLACE),
    help="The place, from 1; by default the first that no other document is pinned to.",
)
@store_option
@runs_async
async def pin(name: str, query: str, key: str, *, position: int | None, store: str | None) -> None:
    """Pin the document KEY of the collection NAME to a place in the results of QUERY."""
    async with open_services(command_settings(store), is_reader=True) as services:
        made = await services.curations.pin(name, query, key, position=position)
    console.print(f"{harmless(key)} is pinned to place {made.position} of “{written(made.query)}” in {name}.")


@click.command()
@click.argument("name")
@click.argument("query")
@click.argument("key")
@store_option
@runs_async
async def hide(name: str, query: str, key: str, *, store: str | None) -> None:
    """Leave the document KEY of the collection NAME out of the results of QUERY."""
    async with open_services(command_settings(store), is_reader=True) as services:
        made = await services.curations.hide(name, query, key)
    console.print(f"{harmless(key)} is hidden from “{written(made.query)}” in {name}.")


@click.command()
@click.argument("name")
@click.argument("query")
@click.argument("key")
@store_option
@runs_async
async def unpin(name: str, query: str, key: str, *, store: str | None) -> None:
    """Let QUERY rank the document KEY of the collection NAME as any other again, pinned or hidden before."""
    async with open_services(command_settings(store), is_reader=True) as services:
        gone = await services.curations.unpin(name, query, key)
    console.print(f"{harmless(key)} is ranked as any other for “{written(gone.query)}” in {name}.")


@click.command()
@click.argument("name")
@store_option
@json_option
@runs_async
async def curations(name: str, *, store: str | None, as_json: bool) -> None:
    """List what is pinned and hidden in the collection NAME."""
    async with open_services(command_settings(store), is_reader=True) as services:
        found = await services.curations.list_all(name, OPERATOR)
    if as_json:
        click.echo(orjson.dumps([present_curation(curation) for curation in found]))
        return
    if not found:
        console.print(f"Nothing is pinned or hidden in {name}. Pin a document:  livesearch pin {name} QUERY KEY")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("Id", justify="right")
    table.add_column("Query", overflow="fold")
    table.add_column("Place", justify="right")
    table.add_column("Document", overflow="fold")
    for curation in found:
        place = "hidden" if curation.position is None else str(curation.position)
        table.add_row(str(curation.id), written(curation.query), place, harmless(curation.document_key))
    output.print(table)
