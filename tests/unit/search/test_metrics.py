"""Metrics, each against figures worked out by hand."""

import pytest

from livesearch.errors import InvalidInputError
from livesearch.search.metrics import (
    Metric,
    beginnings,
    condense,
    ndcg,
    parse_metric,
    precision,
    recall,
    reciprocal_rank,
)

# 1 / log2(rank + 1): 1, 0.63093, 0.5, 0.43068 for ranks 1 to 4.
_GRADES = {"best": 3.0, "good": 2.0, "fair": 1.0, "bad": 0.0}


def test_ndcg_of_the_ideal_order_is_one() -> None:
    found = ndcg(["best", "good", "fair", "bad"], _GRADES, 10)

    assert found == pytest.approx(1.0)


def test_ndcg_discounts_the_grade_by_the_logarithm_of_the_rank() -> None:
    found = ndcg(["fair", "other", "best"], _GRADES, 10)

    assert found == pytest.approx((1 + 3 * 0.5) / (3 + 2 * 0.63093 + 1 * 0.5), abs=1e-5)


def test_ndcg_cuts_the_ranking_and_the_ideal_alike() -> None:
    found = ndcg(["good", "bad", "best"], _GRADES, 2)

    assert found == pytest.approx(2 / (3 + 2 * 0.63093), abs=1e-5)


def test_ndcg_counts_what_was_judged_and_not_found_in_the_ideal() -> None:
    assert ndcg(["fair"], {"fair": 1.0, "missed": 1.0}, 10) == pytest.approx(1 / 1.63093, abs=1e-5)


def test_ndcg_takes_a_grade_below_zero_as_none() -> None:
    assert ndcg(["spam", "best"], {"spam": -2.0, "best": 1.0}, 10) == pytest.approx(0.63093, abs=1e-5)


@pytest.mark.parametrize(("ranking", "grades"), [([], _GRADES), (["bad"], {"bad": 0.0}), (["other"], {})])
def test_ndcg_is_zero_where_nothing_can_be_gained(ranking: list[str], grades: dict[str, float]) -> None:
    assert ndcg(ranking, grades, 10) == 0.0


def test_reciprocal_rank_is_that_of_the_first_relevant_document() -> None:
    assert reciprocal_rank(["bad", "other", "fair", "best"], _GRADES, 10) == pytest.approx(1 / 3)


def test_reciprocal_rank_is_zero_past_the_cut() -> None:
    assert reciprocal_rank(["bad", "other", "fair"], _GRADES, 2) == 0.0


def test_precision_counts_empty_ranks_against_the_ranking() -> None:
    assert precision(["best", "bad", "fair"], _GRADES, 5) == pytest.approx(0.4)


def test_recall_is_a_share_of_all_that_is_relevant() -> None:
    assert recall(["bad", "best", "fair"], _GRADES, 2) == pytest.approx(1 / 3)


def test_condense_leaves_out_what_nobody_judged_and_keeps_the_order() -> None:
    assert condense(["new", "bad", "other", "best"], _GRADES) == ["bad", "best"]


def test_judged_only_metric_condenses_before_it_cuts() -> None:
    ranking = ["new", "other", "best"]

    assert parse_metric("p@1").value(ranking, _GRADES) == 0.0
    assert parse_metric("p@1:judged").value(ranking, _GRADES) == 1.0


def test_judged_only_metric_looks_at_the_first_hundred_hits_alone() -> None:
    ranking = [f"new{number}" for number in range(100)]

    assert parse_metric("mrr@1:judged").value([*ranking[1:], "best"], _GRADES) == 1.0
    assert parse_metric("mrr@1:judged").value([*ranking, "best"], _GRADES) == 0.0


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("ndcg@10", Metric("ndcg", 10)),
        (" NDCG@10:judged ", Metric("ndcg", 10, is_judged_only=True)),
        ("mrr@1", Metric("mrr", 1)),
        ("recall@1000", Metric("recall", 1000)),
    ],
)
def test_parse_metric_reads_measure_and_cut(text: str, metric: Metric) -> None:
    assert parse_metric(text) == metric
    assert parse_metric(metric.name) == metric


@pytest.mark.parametrize("text", ["", "ndcg", "ndcg@", "ndcg@0", "ndcg@1001", "map@10", "ndcg@10:all", "p@٣"])
def test_parse_metric_names_what_there_is(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"ndcg@K, mrr@K, p@K, recall@K"):
        parse_metric(text)


def test_beginnings_are_what_each_keystroke_leaves() -> None:
    assert beginnings(" ab c ") == ["a", "ab", "ab ", "ab c"]
