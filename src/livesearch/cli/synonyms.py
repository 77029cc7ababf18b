"""`livesearch synonyms`: words that stand for others."""

from collections.abc import Sequence
from typing import BinaryIO

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
from livesearch.domain import Synonym
from livesearch.search.analysis import written
from livesearch.services.synonyms import describe
from livesearch.web.presenters.tuning import present_synonym


class NamedGroup(click.Group):
    """A group whose first argument is a collection: ``synonyms NAME`` alone, or ``synonyms NAME add …``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take all options before one of the group's commands for the group's own, those after NAME too."""
        ctx.allow_interspersed_args = True
        at = next((index for index, argument in enumerate(args) if index and argument in self.commands), len(args))
        return super().parse_args(ctx, [*args[:at], "--", *args[at:]])


def _named(ctx: click.Context, store: str | None) -> tuple[str, str | None]:
    """The collection and the store, which may stand before the command or after it."""
    assert ctx.parent is not None  # noqa: S101  # commands of the group below
    return ctx.parent.params["name"], store or ctx.parent.params["store"]


@click.group(cls=NamedGroup, invoke_without_command=True)
@click.argument("name")
@store_option
@json_option
@click.pass_context
def synonyms(ctx: click.Context, *, name: str, store: str | None, as_json: bool) -> None:
    """List the synonyms of the collection NAME, or change them with one of the commands."""
    if ctx.invoked_subcommand is None:
        _list(name, store=store, as_json=as_json)


@runs_async
async def _list(name: str, *, store: str | None, as_json: bool) -> None:
    async with open_services(command_settings(store), is_reader=True) as services:
        found = await services.synonyms.list_all(name)
    if as_json:
        click.echo(orjson.dumps([present_synonym(synonym) for synonym in found]))
    elif found:
        output.print(_table(found))
    else:
        console.print(f"{harmless(name)} has no synonyms. Add some:  livesearch synonyms {name} add tv television")


def _table(found: Sequence[Synonym]) -> Table:
    table = Table(header_style="bold", box=None, pad_edge=False)
    table.add_column("Id", justify="right")
    table.add_column("Words", overflow="fold")
    table.add_column("")
    table.add_column("Stand for", overflow="fold")
    for synonym in found:
        arrow = "<=>" if synonym.is_two_way else "=>"
        table.add_row(str(synonym.id), written(synonym.words), arrow, ", ".join(map(written, synonym.alternatives)))
    return table


@synonyms.command()
@click.argument("words")
@click.argument("alternatives", metavar="ALTERNATIVE...", nargs=-1, required=True)
@click.option("--one-way", is_flag=True, help="Only WORDS finds the alternatives, not the other way round.")
@store_option
@click.pass_context
@runs_async
async def add(ctx: click.Context, *, words: str, alternatives: Sequence[str], one_way: bool, store: str | None) -> None:
    """Let WORDS and each ALTERNATIVE stand for each other. Quote what has more than one word."""
    name, store = _named(ctx, store)
    async with open_services(command_settings(store), is_reader=True) as services:
        added = await services.synonyms.add(name, words, alternatives, is_two_way=not one_way)
    console.print(f"Synonym {added.id} of {name}: {describe(added)}.")


@synonyms.command()
@click.argument("synonym_id", metavar="ID", type=int)
@store_option
@click.pass_context
@runs_async
async def remove(ctx: click.Context, *, synonym_id: int, store: str | None) -> None:
    """Remove the synonym ID, as the list tells it."""
    name, store = _named(ctx, store)
    async with open_services(command_settings(store), is_reader=True) as services:
        await services.synonyms.remove(name, synonym_id)
    console.print(f"Synonym {synonym_id} of {name} is removed.")


@synonyms.command("import")
@click.argument("file", type=click.File("rb"))
@store_option
@click.pass_context
@runs_async
async def import_file(ctx: click.Context, *, file: BinaryIO, store: str | None) -> None:
    """Add the synonyms of FILE, or of standard input for -: lines as `a, b, c` or `a, b => c`, as Solr reads them."""
    name, store = _named(ctx, store)
    async with open_services(command_settings(store), is_reader=True) as services:
        report = await services.synonyms.add_file(name, file.read())
    console.print(f"{name}: {report.added:,} synonyms added, {report.known:,} known already.")
