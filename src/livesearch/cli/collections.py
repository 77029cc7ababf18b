"""`livesearch collections`, `show`, `drop`."""

import click
import orjson
from rich.table import Table

from livesearch.cli.importing import fields_table, role_name
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


@click.command("collections")
@store_option
@json_option
@runs_async
async def list_collections(*, store: str | None, as_json: bool) -> None:
    """List the collections."""
    async with open_services(command_settings(store), is_reader=True) as services:
        found = await services.collections.list_all(OPERATOR)
    if as_json:
        click.echo(orjson.dumps([{"name": c.name, "documents": c.document_count, "source": c.source} for c in found]))
        return
    if not found:
        console.print("There is no collection yet. Make one:  livesearch import games.csv")
        return
    table = Table("Collection", header_style="bold", box=None, pad_edge=False)
    table.add_column("Documents", justify="right")
    table.add_column("Source", overflow="fold")
    for collection in found:
        table.add_row(collection.name, f"{collection.document_count:,}", harmless(collection.source or ""))
    output.print(table)


@click.command()
@click.argument("name")
@store_option
@json_option
@runs_async
async def show(name: str, *, store: str | None, as_json: bool) -> None:
    """Show a collection's fields, roles, counts and sizes."""
    async with open_services(command_settings(store), is_reader=True) as services:
        collection = await services.collections.get(name, OPERATOR)
        size = await services.collections.size(name)
        table = await services.collections.followed_table(name)
    if as_json:
        click.echo(
            orjson.dumps(
                {
                    "name": collection.name,
                    "documents": collection.document_count,
                    "version": collection.version,
                    "source": collection.source,
                    "source_table": table.name if table else None,
                    "source_table_fault": table.fault if table else None,
                    "key": collection.key_field,
                    "popularity": collection.popularity_field,
                    "document_bytes": size.documents,
                    "index_bytes": size.index,
                    "fields": [
                        {"name": f.name, "type": f.type, "role": f.role, "shown_as": role_name(f), "weight": f.weight}
                        for f in collection.fields
                    ],
                }
            )
        )
        return
    output.print(fields_table(collection.fields, title=collection.name))
    output.print(
        f"\n{collection.document_count:,} documents, {size.documents / 1e6:,.1f} MB; index {size.index / 1e6:,.1f} MB;"
        f" version {collection.version}."
    )
    if table and table.fault:
        output.print(f"It does not follow the table {harmless(table.name)}: {harmless(table.fault)}")
    elif table:
        output.print(f"follows table {harmless(table.name)} in place")


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option
@runs_async
async def drop(name: str, *, yes: bool, store: str | None) -> None:
    """Remove a collection with its documents and index."""
    async with open_services(command_settings(store), is_reader=True) as services:
        collection = await services.collections.get(name, OPERATOR)
        if not yes:
            click.confirm(f"Remove {name} with {collection.document_count:,} documents", abort=True, err=True)
        await services.collections.drop(name)
    console.print(f"{name} is removed.")
