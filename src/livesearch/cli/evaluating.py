"""`livesearch evaluate`: relevance in numbers."""

from collections.abc import Sequence

import click
import orjson
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
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
from livesearch.search.metrics import parse_metric
from livesearch.services.evaluation import TOP, Evaluation
from livesearch.services.judgments import read_judged_queries

_METRICS = ("ndcg@10", "ndcg@10:judged", "mrr@10", "p@5", "recall@100")
# Relevance is measured here, not time: a search that a visitor would not wait for still counts.
_TIME_LIMIT_MS = 60_000


@click.command()
@click.argument("name")
@click.option("--queries", "queries_path", required=True, metavar="Q.jsonl", help='Lines of {"_id": …, "text": …}.')
@click.option(
    "--judgments", "judgments_path", required=True, metavar="Q.tsv", help="Lines of query-id, key, grade, with tabs."
)
@click.option(
    "--metric",
    "names",
    multiple=True,
    default=_METRICS,
    show_default=True,
    help="ndcg@K, mrr@K, p@K or recall@K; :judged leaves out hits that nobody judged. May be repeated.",
)
@click.option(
    "--typed", "is_typed", is_flag=True, help=f"Also type each query until a best document is in the top {TOP}."
)
@store_option
@json_option
@runs_async
async def evaluate(
    name: str,
    *,
    queries_path: str,
    judgments_path: str,
    names: Sequence[str],
    is_typed: bool,
    store: str | None,
    as_json: bool,
) -> None:
    """Search the collection NAME for judged queries, and say how good the results are.

    Documents are named by their keys: import with the key that the judgments use.
    """
    metrics = [parse_metric(metric) for metric in names]
    queries = read_judged_queries(queries_path, judgments_path)
    settings = command_settings(store).model_copy(update={"query_timeout_ms": _TIME_LIMIT_MS})
    async with open_services(settings, is_reader=True) as services:
        with _progress_bar() as bar:
            task = bar.add_task("queries", total=len(queries))
            evaluation = await services.evaluation.evaluate(
                name,
                queries,
                metrics,
                is_typed=is_typed,
                on_progress=lambda done: bar.update(task, completed=done),
            )
    if as_json:
        click.echo(orjson.dumps(_evaluation_json(evaluation)))
    else:
        _print_evaluation(evaluation)


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _evaluation_json(evaluation: Evaluation) -> dict[str, object]:
    return {
        "collection": evaluation.collection,
        "queries": len(evaluation.queries),
        "queries_with_relevant": evaluation.judged_count,
        "missing_documents": evaluation.missing_count,
        "metrics": evaluation.metrics,
        "zero_result_rate": evaluation.zero_result_rate,
        "corrected_rate": evaluation.corrected_rate,
        "typed_share": evaluation.typed_share,
        "each": [
            {
                "_id": query.id,
                "text": query.text,
                "total": query.total,
                "metrics": query.metrics,
                "corrected_query": query.corrected_query,
                "typed_share": query.typed_share,
            }
            for query in evaluation.queries
        ],
    }


def _print_evaluation(evaluation: Evaluation) -> None:
    table = Table("Metric", header_style="bold", box=None, pad_edge=False)
    table.add_column("Value", justify="right")
    for name, value in evaluation.metrics.items():
        table.add_row(name, f"{value:.4f}")
    table.add_row("zero-result rate", f"{evaluation.zero_result_rate:.1%}")
    table.add_row("corrected queries", f"{evaluation.corrected_rate:.1%}")
    if evaluation.typed_share is not None:
        table.add_row(f"typed until in the top {TOP}", f"{evaluation.typed_share:.1%}")
    output.print(table)
    without = len(evaluation.queries) - evaluation.judged_count
    console.print(
        f"{len(evaluation.queries):,} judged queries of {harmless(evaluation.collection)}."
        + (f" {without:,} of them have nothing relevant and are in the two rates only." if without else "")
    )
    if evaluation.missing_count:
        console.print(
            f"{evaluation.missing_count:,} judged documents are not in the collection and count as not found."
        )
