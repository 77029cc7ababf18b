"""Relevance, measured through the search service on real stores."""

from pathlib import Path

import pytest

from livesearch.errors import CollectionNotFoundError, InvalidInputError
from livesearch.search.metrics import parse_metric
from livesearch.services import Services
from livesearch.services.imports import ImportOptions
from livesearch.services.judgments import JudgedQuery, read_judged_queries
from tests.conftest import WriteRows

_ROWS: list[dict[str, object]] = [
    {"id": "red", "title": "Red shoes", "text": "Shoes in red leather."},
    {"id": "blue", "title": "Blue shoes", "text": "Shoes in blue canvas."},
    {"id": "bag", "title": "Leather bag", "text": "A brown bag for shoes."},
    *[
        dict[str, object](id=f"n{number}", title=f"Lamp number {number}", text="It gives light.")
        for number in range(150)
    ],
]
_METRICS = [parse_metric(name) for name in ("ndcg@10", "mrr@10", "p@1", "recall@1000")]


@pytest.fixture
async def shop(services: Services, write_rows: WriteRows) -> Services:
    await services.imports.run(write_rows("shop", _ROWS), ImportOptions(name="shop", key="id"))
    return services


async def test_evaluate_measures_what_the_search_finds(shop: Services) -> None:
    queries = [JudgedQuery("1", "red shoes", {"red": 2.0, "blue": 0.0})]

    evaluation = await shop.evaluation.evaluate("shop", queries, _METRICS)

    assert evaluation.metrics == {"ndcg@10": 1.0, "mrr@10": 1.0, "p@1": 1.0, "recall@1000": 1.0}
    assert (evaluation.zero_result_rate, evaluation.typed_share) == (0.0, None)


async def test_evaluate_averages_over_queries_that_have_something_relevant(shop: Services) -> None:
    queries = [
        JudgedQuery("1", "red shoes", {"red": 1.0}),
        JudgedQuery("2", "zzzzzzzzzz", {"red": 1.0}),
        JudgedQuery("3", "lamp", {"red": 0.0}),
    ]

    evaluation = await shop.evaluation.evaluate("shop", queries, _METRICS)

    assert (len(evaluation.queries), evaluation.judged_count) == (3, 2)
    assert evaluation.metrics["p@1"] == 0.5
    assert evaluation.zero_result_rate == pytest.approx(1 / 3)


async def test_evaluate_searches_for_finished_words(shop: Services) -> None:
    evaluation = await shop.evaluation.evaluate("shop", [JudgedQuery("1", "sho", {"red": 1.0})], _METRICS)

    assert evaluation.queries[0].total == 0


async def test_evaluate_goes_on_to_later_pages_for_deep_metrics(shop: Services) -> None:
    grades = {f"n{number}": 1.0 for number in range(150)}

    evaluation = await shop.evaluation.evaluate("shop", [JudgedQuery("1", "lamp", grades)], _METRICS)

    assert evaluation.metrics["recall@1000"] == 1.0


async def test_evaluate_typed_gives_the_share_typed_until_a_best_document_is_near_the_top(shop: Services) -> None:
    queries = [JudgedQuery("1", "bag", {"bag": 3.0, "red": 1.0}), JudgedQuery("2", "zzzz", {"bag": 1.0})]

    evaluation = await shop.evaluation.evaluate("shop", queries, _METRICS, is_typed=True)

    # One letter of three; and never.
    assert [query.typed_share for query in evaluation.queries] == [pytest.approx(1 / 3), 1.0]
    assert evaluation.typed_share == pytest.approx(2 / 3)


async def test_evaluate_counts_judged_documents_that_are_missing(shop: Services) -> None:
    queries = [JudgedQuery("1", "red shoes", {"red": 1.0, "gone": 1.0})]

    evaluation = await shop.evaluation.evaluate("shop", queries, _METRICS)

    assert evaluation.missing_count == 1
    assert evaluation.metrics["recall@1000"] == 0.5


async def test_evaluate_refuses_judgments_of_other_keys(shop: Services) -> None:
    with pytest.raises(InvalidInputError, match=r"none of the 1 judged documents.*the key of “shop” is id"):
        await shop.evaluation.evaluate("shop", [JudgedQuery("1", "red", {"4711": 1.0})], _METRICS)


async def test_evaluate_refuses_to_measure_nothing(shop: Services) -> None:
    with pytest.raises(InvalidInputError, match="no query"):
        await shop.evaluation.evaluate("shop", [], _METRICS)


async def test_evaluate_wants_a_collection_that_exists(services: Services) -> None:
    with pytest.raises(CollectionNotFoundError):
        await services.evaluation.evaluate("none", [JudgedQuery("1", "red", {"red": 1.0})], _METRICS)


def _read(folder: Path, queries: str, judgments: str) -> list[JudgedQuery]:
    (folder / "q.jsonl").write_text(queries)
    (folder / "j.tsv").write_text(judgments)
    return read_judged_queries(str(folder / "q.jsonl"), str(folder / "j.tsv"))


@pytest.mark.parametrize("header", ["query-id\tcorpus-id\tscore\n", ""])
def test_read_judged_queries_with_and_without_a_header(tmp_path: Path, header: str) -> None:
    found = _read(tmp_path, '{"_id": "1", "text": "red shoes"}\n', f"{header}1\tred\t2\n1\tblue\t0\n")

    assert found == [JudgedQuery("1", "red shoes", {"red": 2.0, "blue": 0.0})]


def test_read_judged_queries_leaves_out_what_nobody_judged(tmp_path: Path) -> None:
    found = _read(tmp_path, '{"_id": 1, "text": "red"}\n{"_id": 2, "text": "blue"}\n', "2\tblue\t1\n9\tred\t1\n")

    assert [query.id for query in found] == ["2"]


def test_read_judged_queries_lets_a_wording_share_judgments(tmp_path: Path) -> None:
    found = _read(tmp_path, '{"_id": "1t", "of": "1", "text": "rde"}\n', "1\tred\t1\n")

    assert found == [JudgedQuery("1t", "rde", {"red": 1.0})]


@pytest.mark.parametrize(
    ("queries", "judgments", "message"),
    [
        ('{"_id": "1", "text": "a"}\n\n{"_id"\n', "1\tred\t1\n", r"Line 3 of .*q\.jsonl is not JSON"),
        ('{"_id": "1"}\n', "1\tred\t1\n", r"Line 1 of .*q\.jsonl is no query"),
        ("[]\n", "1\tred\t1\n", r"Line 1 of .*q\.jsonl is no query"),
        ('{"_id": true, "text": "a"}\n', "1\tred\t1\n", r"Line 1 of .*q\.jsonl is no query"),
        ('{"_id": "1", "text": "a"}\n{"_id": 1, "text": "b"}\n', "1\tred\t1\n", "Line 2 .* “1” of an earlier line"),
        ('{"_id": "1", "text": "a"}\n', "1\tred\t1\n1 red 1\n", r"Line 2 of .*j\.tsv is no judgment"),
        ('{"_id": "1", "text": "a"}\n', "1\tred\thigh\n", r"Line 1 of .*j\.tsv has the score “high”"),
        ('{"_id": "1", "text": "a"}\n', "1\tred\tinf\n", r"Line 1 of .*j\.tsv has the score “inf”"),
        ('{"_id": "1", "text": "a"}\n', "1\tred\t1\n1\tred\t2\n", "Line 2 .* judges “red” for query “1” again"),
        ('{"_id": "1", "text": "a"}\n', "2\tred\t1\n", r"No query of .*q\.jsonl has a judgment"),
        ("", "1\tred\t1\n", r"No query of .*q\.jsonl has a judgment"),
    ],
)
def test_read_judged_queries_names_the_line_that_is_wrong(
    tmp_path: Path, queries: str, judgments: str, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        _read(tmp_path, queries, judgments)


def test_read_judged_queries_says_which_file_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "j.tsv").write_bytes(b"1\t\xff\t1\n")

    with pytest.raises(InvalidInputError, match=r"j\.tsv is not UTF-8"):
        read_judged_queries("absent.jsonl", str(tmp_path / "j.tsv"))
    with pytest.raises(InvalidInputError, match=r"absent\.tsv cannot be read: No such file"):
        read_judged_queries("absent.jsonl", "absent.tsv")
