"""`livesearch evaluate`, as a shell calls it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from livesearch.cli import main
from tests.conftest import WriteRows

Evaluate = Callable[..., Result]


@pytest.fixture
def evaluate(tmp_path: Path, write_rows: WriteRows) -> Evaluate:
    """Call the command over a small shop, with more arguments if need be."""
    store = str(tmp_path / "store.db")
    rows = [
        {"id": "red", "title": "Red shoes", "text": "Shoes in red leather."},
        {"id": "bag", "title": "Leather bag", "text": "A brown bag for shoes."},
    ]
    queries = write_rows("queries", [{"_id": "1", "text": "red shoes"}, {"_id": "2", "text": "bag"}])
    judgments = tmp_path / "judgments.tsv"
    judgments.write_text("query-id\tcorpus-id\tscore\n1\tred\t2\n1\tbag\t0\n2\tbag\t1\n")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)

    imported = run("import", write_rows("shop", rows), "--key", "id", "--store", store)
    assert imported.exit_code == 0, imported.stderr
    return lambda *more: run(
        "evaluate", "shop", "--queries", queries, "--judgments", str(judgments), "--store", store, *more
    )


def test_evaluate_prints_a_line_a_metric(evaluate: Evaluate) -> None:
    done = evaluate("--metric", "ndcg@10", "--metric", "p@1:judged")

    assert done.exit_code == 0, done.stderr
    assert [line.split() for line in done.stdout.splitlines()[1:3]] == [["ndcg@10", "1.0000"], ["p@1:judged", "1.0000"]]
    assert "zero-result rate" in done.stdout
    assert "2 judged queries of shop." in done.stderr


def test_evaluate_as_json_gives_means_and_every_query(evaluate: Evaluate) -> None:
    done = json.loads(evaluate("--typed", "--json").stdout)

    assert (done["collection"], done["queries"], done["missing_documents"]) == ("shop", 2, 0)
    assert list(done["metrics"]) == ["ndcg@10", "ndcg@10:judged", "mrr@10", "p@5", "recall@100"]
    assert done["metrics"]["ndcg@10"] == 1.0
    assert (done["zero_result_rate"], done["corrected_rate"]) == (0.0, 0.0)
    assert [(query["_id"], query["metrics"]["mrr@10"]) for query in done["each"]] == [("1", 1.0), ("2", 1.0)]
    assert 0.0 < done["typed_share"] <= 1.0


def test_evaluate_says_what_is_no_metric(evaluate: Evaluate) -> None:
    done = evaluate("--metric", "map@10")

    assert done.exit_code == 1
    assert "“map@10” is no metric" in done.stderr


def test_evaluate_is_listed_with_the_commands() -> None:
    assert "Measure relevance with judged queries." in CliRunner().invoke(main, ["--help"]).stdout
