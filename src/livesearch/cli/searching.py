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
from livesearch.domain import OPERATOR, Highlight, Hit, ResultPage, ScorePart, SearchQuery
from livesearch.web.presenters.formats import format_results, format_summands
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
@click.option("--exact", is_flag=True, help="Take the words exactly as typed: no correction, no other word forms.")
@click.option("--explain", is_flag=True, help="Print what each hit's score is made of.")
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
    exact: bool,
    explain: bool,
    store: str | None,
    as_json: bool,
) -> None:
    """Search the collection NAME for QUERY."""
    chosen: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for field, value in filters:
        chosen[field] += (value,)
    async with open_services(command_settings(store), is_reader=True) as services:
        page = await services.search.search(
            name,
            SearchQuery(
                text=query,
                filters=dict(chosen),
                sort=sort,
                page_size=limit,
                is_verbatim=exact,
                is_explained=explain,
            ),
            viewer=OPERATOR,
        )
    if as_json:
        click.echo(orjson.dumps(present_results(page)))
    else:
        _print_page(page)


def _print_page(page: ResultPage) -> None:
    if page.corrected_query:
        console.print(f"Showing results for {harmless(page.corrected_query)}. Search as typed with --exact.")
    for notice in page.notices:
        console.print(harmless(notice))
    total = format_results(page.total, is_exact=page.total_is_exact)
    console.print(f"{total}, {page.took_ms:.0f} ms", style="dim")
    for hit in page.hits:
        _print_hit(hit, is_explained=page.query.is_explained)


def _print_hit(hit: Hit, *, is_explained: bool) -> None:
    pinned = "  pinned" if hit.is_pinned else ""
    output.print(_styled(hit.title), Text(f"  {harmless(hit.key)}{pinned}", style="dim"), sep="", soft_wrap=True)
    for highlight in hit.snippets.values():
        output.print(Text("  "), _styled(highlight), sep="", soft_wrap=True)
    if is_explained:
        _print_parts(hit.parts)


def _print_parts(parts: Sequence[ScorePart]) -> None:
    """Print the summands of a score, most first, and below them the score."""
    if not parts:
        output.print("  not scored", style="dim")
        return
    ordered = sorted(parts, key=lambda part: part.value, reverse=True)
    values, score = format_summands(part.value for part in ordered)
    width = len(score) + 2
    for part, value in zip(ordered, values, strict=True):
        output.print(f"{value:>{width}}  {harmless(part.label)}", soft_wrap=True)
    output.print(f"{score:>{width}}  score", style="bold", soft_wrap=True)


def _styled(highlight: Highlight) -> Text:
    return Text.assemble(*((harmless(segment.text), "bold" if segment.is_match else "") for segment in highlight))
