"""How good the results are, by people's judgments: nDCG@10 against BM25 as bm25s, tantivy and FTS5 compute it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import click
from rich.table import Table

from benchmarks.bm25s_peer import Bm25s
from benchmarks.peers import Fts5, Rank, any_word, keyed_rows
from benchmarks.printing import console
from benchmarks.stores import import_once, opened, store_path
from benchmarks.tantivy_peer import Tantivy
from livesearch.domain import Collection
from livesearch.search.metrics import Metric
from livesearch.services.evaluation import Evaluation
from livesearch.services.imports import ImportOptions
from livesearch.services.judgments import JudgedQuery, read_judged_queries

_CORPORA = ("icecat", "vaswani", "cranfield")
_NDCG, _JUDGED = _METRICS = (Metric("ndcg", 10), Metric("ndcg", 10, is_judged_only=True))
_DEPTH = max(metric.depth for metric in _METRICS)


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", type=click.Choice(_CORPORA), help="One corpus alone.")
@click.option("--no-peers", "is_alone", is_flag=True, help="livesearch alone, for a quick look.")
@click.option("--worst", "worst_count", default=0, help="Name so many of the worst queries of each set.")
@click.option("--store", help="A store to keep between runs: imported once, used again as it is.")
def relevance(folder: Path, *, only: str | None, is_alone: bool, worst_count: int, store: str | None) -> None:
    """Measure the judged corpora of FOLDER (one folder each: corpus.jsonl.gz, queries.jsonl, qrels.tsv).

    Each figure is nDCG@10, hits without a judgment counting 0; behind the stroke those hits are left out first
    (of the first 100).
    """
    root = folder / "relevance" if (folder / "relevance").is_dir() else folder
    corpora = [root / name for name in _CORPORA if only in {None, name} and (root / name).is_dir()]
    with store_path(store) as path:
        asyncio.run(_run(corpora, path, is_alone=is_alone, worst_count=worst_count))


async def _run(corpora: Sequence[Path], store: str, *, is_alone: bool, worst_count: int) -> None:
    rows: dict[str, dict[str, str]] = {}
    async with opened(store) as services:
        for corpus in corpora:
            source = str(corpus / "corpus.jsonl.gz")
            await import_once(services, source, ImportOptions(name=corpus.name, key="_id"))
            peers = {} if is_alone else _peers(source, await services.collections.get(corpus.name))
            for name, queries in _query_sets(corpus).items():
                started = time.perf_counter()
                evaluation = await services.evaluation.evaluate(corpus.name, queries, _METRICS)
                seconds = time.perf_counter() - started
                rows[f"{name}, {len(queries)} queries"] = {"livesearch": _pair(evaluation.metrics)} | {
                    peer: _pair(_measure(queries, rank)) for peer, rank in peers.items()
                }
                _print_rates(name, evaluation, seconds)
                _print_corrections(name, evaluation)
                _print_worst(evaluation, worst_count)
    _print_table(rows)


def _query_sets(corpus: Path) -> dict[str, list[JudgedQuery]]:
    judgments = str(corpus / "qrels.tsv")
    return {
        name: read_judged_queries(str(path), judgments)
        for name, path in (
            (corpus.name, corpus / "queries.jsonl"),
            (f"{corpus.name} misspelled", corpus / "queries_typo.jsonl"),
        )
        if path.exists()
    }


def _peers(source: str, collection: Collection) -> dict[str, Rank]:
    rows = list(keyed_rows(source, collection))
    bm25s, tantivy = Bm25s(rows), Tantivy(rows, {"title": 2.0, "body": 1.0}, tokenizer="en_stem")
    fts5 = Fts5(rows, (2.0, 1.0), options=", tokenize='porter unicode61'")
    return {
        "bm25s": bm25s.rank,
        "bm25s, nearest words": bm25s.rank_corrected,
        "tantivy": tantivy.any_word,
        "FTS5": lambda text, limit: fts5.rank(any_word(text), limit),
    }


def _measure(queries: Sequence[JudgedQuery], rank: Rank) -> dict[str, float]:
    ranked = [(rank(query.text, _DEPTH), query.grades) for query in queries if query.has_relevant]
    return {metric.name: fmean(metric.value(ranking, grades) for ranking, grades in ranked) for metric in _METRICS}


def _pair(metrics: Mapping[str, float]) -> str:
    return f"{metrics[_NDCG.name]:.4f} / {metrics[_JUDGED.name]:.4f}"


def _print_table(rows: Mapping[str, Mapping[str, str]]) -> None:
    table = Table("nDCG@10: unjudged = 0 / judged only", *next(iter(rows.values()), {}))
    for name, figures in rows.items():
        table.add_row(name, *figures.values())
    console.print(table)


def _print_rates(name: str, evaluation: Evaluation, seconds: float) -> None:
    console.print(
        f"{name}: {evaluation.zero_result_rate:.1%} found nothing, {evaluation.corrected_rate:.1%} corrected,"
        f" {1000 * seconds / len(evaluation.queries):.1f} ms a query"
    )


def _print_corrections(name: str, evaluation: Evaluation) -> None:
    """On queries that are spelled right, every correction is a false one."""
    if name.endswith("misspelled"):
        return
    for query in evaluation.queries:
        if query.corrected_query is not None:
            console.print(f"  false correction: “{query.text}” became “{query.corrected_query}”")


def _print_worst(evaluation: Evaluation, count: int) -> None:
    judged = [query for query in evaluation.queries if query.metrics]
    for query in sorted(judged, key=lambda query: query.metrics[_NDCG.name])[:count]:
        as_searched = "" if query.corrected_query is None else f", searched as “{query.corrected_query}”"
        console.print(
            f"  {_pair(query.metrics)}  {query.id}: “{query.text}”, {query.total:,} found{as_searched}", soft_wrap=True
        )
