"""`livesearch rank`: how a collection ranks."""

from collections.abc import Callable, Sequence

import click
import orjson
from rich.progress import Progress
from rich.table import Table

from livesearch.cli.running import (
    command_settings,
    console,
    harmless,
    json_option,
    open_services,
    output,
    progress_bar,
    runs_async,
    store_option,
)
from livesearch.domain import SEARCHABLE_ROLES, Collection
from livesearch.services.ranking import NO_FIELD, RankingChange
from livesearch.services.reindexing import ReindexingProgress
from livesearch.web.presenters.tuning import present_ranking

_NONE = "none"


class WeightOption(click.ParamType[tuple[str, float]]):
    """`FIELD=X`."""

    name = "FIELD=X"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Split one option at its last equals sign."""
        field, separator, number = value.rpartition("=")
        try:
            weight = float(number)
        except ValueError:
            separator = ""
        if not separator or not field:
            self.fail(f"{value!r} is not FIELD=X, where X is a number.", param, ctx)
        return field, weight


class SwitchOption(click.ParamType[tuple[str, bool]]):
    """`FIELD=on` or `FIELD=off`."""

    name = "FIELD=on|off"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, bool]:
        """Split one option at its last equals sign."""
        field, separator, state = value.rpartition("=")
        if not separator or not field or state not in {"on", "off"}:
            self.fail(f"{value!r} is not FIELD=on or FIELD=off.", param, ctx)
        return field, state == "on"


@click.command()
@click.argument("name")
@click.option("--popularity", metavar="FIELD", help="The number that tells what people want most; none for none.")
@click.option("--popularity-weight", type=float, metavar="X", help="What it counts, 0 to 100; 1 at first.")
@click.option("--recency", metavar="FIELD", help="The date by which newer documents come first; none for none.")
@click.option("--recency-weight", type=float, metavar="X", help="What it counts, 0 to 100; 0 at first.")
@click.option(
    "--recency-half-life", type=float, metavar="DAYS", help="After how many days it counts half; 365 at first."
)
@click.option("--language", metavar="NAME", help="Whose word forms find each other: english, german, … or none.")
@click.option("--weight", "weights", type=WeightOption(), multiple=True, help="What a word in FIELD counts, 0 to 100.")
@click.option("--typos", type=SwitchOption(), multiple=True, help="Whether FIELD's words stand for misspelled ones.")
@store_option
@json_option
@runs_async
async def rank(
    name: str,
    *,
    popularity: str | None,
    popularity_weight: float | None,
    recency: str | None,
    recency_weight: float | None,
    recency_half_life: float | None,
    language: str | None,
    weights: Sequence[tuple[str, float]],
    typos: Sequence[tuple[str, bool]],
    store: str | None,
    as_json: bool,
) -> None:
    """Show how the collection NAME ranks, or change it with the options."""
    change = RankingChange(
        popularity_field=NO_FIELD if popularity == _NONE else popularity,
        popularity_weight=popularity_weight,
        recency_field=NO_FIELD if recency == _NONE else recency,
        recency_weight=recency_weight,
        recency_half_life_days=recency_half_life,
        language=language,
        weights=dict(weights),
        typos=dict(typos),
    )
    async with open_services(command_settings(store), is_reader=True) as services:
        if change == RankingChange():
            collection = await services.ranking.get(name)
        else:
            with progress_bar() as bar:
                collection = await services.ranking.change(name, change, on_progress=follow(bar))
            console.print(f"{name} ranks anew from the next search on.")
    if as_json:
        click.echo(orjson.dumps(present_ranking(collection)))
    else:
        _print(collection)


def follow(bar: Progress) -> Callable[[ReindexingProgress], None]:
    """What moves the bar."""
    task = bar.add_task("making the index anew", total=None)
    return lambda progress: bar.update(task, total=progress.total, completed=progress.done)


def _print(collection: Collection) -> None:
    settings = collection.settings
    table = Table(show_header=False, box=None, pad_edge=False)
    popularity, recency = collection.popularity_field or _NONE, settings.recency_field or _NONE
    table.add_row("Popularity", harmless(popularity), f"weight {settings.popularity_weight:g}")
    half_life = f"half after {settings.recency_half_life_days:g} days"
    table.add_row("Recency", harmless(recency), f"weight {settings.recency_weight:g}, {half_life}")
    table.add_row("Language", settings.language, "")
    output.print(table)
    fields = Table(header_style="bold", box=None, pad_edge=False)
    fields.add_column("\nField", overflow="fold")
    fields.add_column("\nWeight", justify="right")
    fields.add_column("\nTypos")
    for field in collection.by_role(*SEARCHABLE_ROLES):
        fields.add_row(harmless(field.name), f"{field.weight:g}", "on" if field.is_typo_tolerant else "off")
    output.print(fields)
