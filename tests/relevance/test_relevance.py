"""Relevance on judged queries of people, held near what was reached; `make bench ARGS="relevance …"` gives all figures.

A change that makes ranking better may raise these limits; one that falls below them has lost what was there.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from livesearch.config import Settings
from livesearch.db import Database
from livesearch.search.metrics import Metric
from livesearch.services import build_services
from livesearch.services.evaluation import Evaluation
from livesearch.services.imports import ImportOptions
from livesearch.services.judgments import read_judged_queries

_ICECAT = Path(__file__).parents[2].parent / "shared" / "data" / "relevance" / "icecat"
_METRICS = (Metric("ndcg", 10), Metric("ndcg", 10, is_judged_only=True))


@pytest.fixture(scope="module")
def icecat(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Evaluation]:
    """Electronics and what shoppers typed, as they meant it and misspelled: evaluations by file of queries."""
    if not _ICECAT.is_dir():
        pytest.skip("the shared data folder is absent")
    return asyncio.run(_evaluate(tmp_path_factory.mktemp("relevance") / "store.db"))


async def _evaluate(store: Path) -> dict[str, Evaluation]:
    database = Database(Settings(store_url=f"sqlite+aiosqlite:///{store}", query_timeout_ms=60_000))
    try:
        services = build_services(database.settings, database)
        await services.transactions.upgrade()
        await services.imports.run(str(_ICECAT / "corpus.jsonl.gz"), ImportOptions(name="icecat", key="_id"))
        evaluations = {}
        for name in ("queries", "queries_typo"):
            queries = read_judged_queries(str(_ICECAT / f"{name}.jsonl"), str(_ICECAT / "qrels.tsv"))
            evaluations[name] = await services.evaluation.evaluate("icecat", queries, _METRICS)
        return evaluations
    finally:
        await database.close()


def test_judged_queries_are_all_asked_and_their_documents_there(icecat: Mapping[str, Evaluation]) -> None:
    evaluation = icecat["queries"]

    # 19 of the 135 queries have nothing relevant: judges found nothing that answers them.
    assert (len(evaluation.queries), evaluation.judged_count, evaluation.missing_count) == (135, 116, 0)


def test_shop_queries_find_what_shoppers_want(icecat: Mapping[str, Evaluation]) -> None:
    metrics = icecat["queries"].metrics

    # BM25 as bm25s computes it: 0.74 and 0.80.
    assert metrics["ndcg@10"] >= 0.75
    assert metrics["ndcg@10:judged"] >= 0.80


def test_misspelled_queries_find_what_was_meant(icecat: Mapping[str, Evaluation]) -> None:
    # Without correction: 0.22; correctly spelled: 0.77.
    assert icecat["queries_typo"].metrics["ndcg@10"] >= 0.68


def test_queries_spelled_right_are_left_alone(icecat: Mapping[str, Evaluation]) -> None:
    assert icecat["queries"].corrected_rate <= 0.01
