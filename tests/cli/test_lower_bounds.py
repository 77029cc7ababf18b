"""Totals that were not counted to their end, in a terminal."""

import pytest

from livesearch.cli.searching import _print_page
from livesearch.domain import Collection, ResultPage, SearchQuery


@pytest.mark.parametrize(("is_exact", "text"), [(True, "1,234 results, 5 ms"), (False, "≥\u00a01,234 results, 5 ms")])
def test_search_marks_a_lower_bound(capsys: pytest.CaptureFixture[str], is_exact: bool, text: str) -> None:
    page = ResultPage(SearchQuery("a"), Collection(1, "c", 1, 1, ()), (), 1234, total_is_exact=is_exact, took_ms=5)

    _print_page(page)

    assert capsys.readouterr().err.strip() == text
