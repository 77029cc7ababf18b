"""`livesearch search`: the page's search, in a terminal."""

from collections import defaultdict
from collections.abc import Sequence

import click
import orjson
from rich.text import Text

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
from livesearch.domain import Highlight, Hit, ResultPage, SearchQuery
from livesearch.web.presenters.programs import present_results


class FilterOption(click.ParamType[tuple[str, str]]):
    """`FIELD=VALUE`."""

    name = "FIELD=VALUE"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split one option at its first equals sign."""
        field, separator, chosen = value.partition("=")
        if not separator or not field:
            self.fail(f"{value!r} is not FIELD=VALUE.", param, ctx)
        return field, chosen


@click.command()
@click.argument("name")
@click.argument("query", default="")
@click.option("--filter", "filters", type=FilterOption(), multiple=True, help="Only this facet value; may be repeated.")
@click.option("--sort", default="", metavar="FIELD", help="Sort by a number or date; -FIELD for largest first.")
@click.option("--limit", type=click.IntRange(1, 100), default=10, show_default=True, help="Hits to print.")
@store_option
@json_option
@runs_async
async def search(
    name: str,
    query: str,
    *,
    filters: Sequence[tuple[str, str]],
    sort: str,
    limit: int,
    store: str | None,
    as_json: bool,
) -> None:
    """Search the collection NAME for QUERY."""
    chosen: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for field, value in filters:
        chosen[field] += (value,)
    async with open_services(command_settings(store), is_reader=True) as services:
        page = await services.search.search(
            name, SearchQuery(text=query, filters=dict(chosen), sort=sort, page_size=limit)
        )
    if as_json:
        click.echo(orjson.dumps(present_results(page)))
    else:
        _print_page(page)


def _print_page(page: ResultPage) -> None:
    for notice in page.notices:
        console.print(harmless(notice))
    console.print(f"{page.total:,} results, {page.took_ms:.0f} ms", style="dim")
    for hit in page.hits:
        _print_hit(hit)


def _print_hit(hit: Hit) -> None:
    output.print(_styled(hit.title), Text(f"  {harmless(hit.key)}", style="dim"), sep="", soft_wrap=True)
    for highlight in hit.snippets.values():
        output.print(Text("  "), _styled(highlight), sep="", soft_wrap=True)


def _styled(highlight: Highlight) -> Text:
    return Text.assemble(*((harmless(segment.text), "bold" if segment.is_match else "") for segment in highlight))
