"""Histograms: bins that read well, and their counts."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livesearch.domain import Bin, Field, FieldType, Role
from livesearch.search.histograms import Bins, choose_edges
from livesearch.search.selections import CHUNK_SIZE, Base, bitmap_of
from livesearch.search.values import format_number
from tests.columns import base_of, everything_of, number_column

_NUMBER = Field("price", FieldType.NUMBER, Role.SORT)
_DATE = Field("released", FieldType.DATE, Role.DATE)


def _seconds(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("minimum", "maximum", "expected"),
    [
        (1990, 1994, [1990, 1991, 1992, 1993, 1994, 1995]),
        (7, 7, [7, 8]),
        (1977, 2007, list(range(1977, 2009))),
        (1977, 2008, list(range(1976, 2009, 2))),
        (0, 100, list(range(0, 101, 5))),
        (3, 997, list(range(0, 1001, 50))),
        (-12, 45, list(range(-12, 47, 2))),
    ],
)
def test_whole_numbers_have_bins_of_their_own_or_round_ones(minimum: int, maximum: int, expected: list[int]) -> None:
    assert choose_edges(_NUMBER, minimum, maximum, is_whole=True) == tuple(expected)


def test_fractions_have_ends_without_noise() -> None:
    edges = choose_edges(_NUMBER, 0.12, 2.9, is_whole=False)

    assert [format_number(edge, _NUMBER) for edge in edges[:5]] == ["0.1", "0.2", "0.3", "0.4", "0.5"]
    assert (edges[0], edges[-1], len(edges)) == (0.1, 2.9, 29)


def test_one_fraction_is_a_bin_of_its_own() -> None:
    assert choose_edges(_NUMBER, 0.5, 0.5, is_whole=False) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("first", "last", "begin", "second", "end"),
    [
        ("2024-02-27", "2024-03-02", "2024-02-27", "2024-02-28", "2024-03-03"),
        # Weeks from Monday.
        ("2024-01-03", "2024-04-10", "2024-01-01", "2024-01-08", "2024-04-15"),
        ("2023-02-14", "2025-01-30", "2023-02-01", "2023-03-01", "2025-02-01"),
        ("2019-05-05", "2025-01-30", "2019-04-01", "2019-07-01", "2025-04-01"),
        ("1985-10-18", "2010-03-01", "1985-01-01", "1986-01-01", "2011-01-01"),
        ("1785-10-18", "2010-03-01", "1780-01-01", "1790-01-01", "2020-01-01"),
    ],
)
def test_dates_have_bins_of_the_calendar(first: str, last: str, begin: str, second: str, end: str) -> None:
    edges = choose_edges(_DATE, _seconds(first), _seconds(last) + 3600, is_whole=True)
    days = [format_number(edge, _DATE) for edge in edges]

    assert (days[0], days[1], days[-1]) == (begin, second, end)


def test_dates_from_the_first_to_the_last_year_there_is_have_bins() -> None:
    edges = choose_edges(_DATE, _seconds("0001-01-01"), _seconds("9999-12-31") + 86_399, is_whole=True)

    assert len(edges) < 33
    assert edges[-1] >= _seconds("9999-12-31") + 86_399


def test_dates_that_a_time_zone_puts_outside_of_all_years_are_in_the_outer_bins() -> None:
    first, last = _seconds("0001-01-01") - 50_000, _seconds("9999-12-31") + 130_000

    edges = choose_edges(_DATE, first, last, is_whole=True)

    assert (edges[0], edges[-1]) == (first, last)
    assert (format_number(edges[0], _DATE), format_number(edges[-1], _DATE)) == ("0001-01-01", "9999-12-31")


_FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(_FINITE, _FINITE, st.booleans())
@example(first=-1.7976931348623151e308, last=-1.797693134862315e308, is_whole=False)
def test_bins_hold_every_number_and_are_few(first: float, last: float, is_whole: bool) -> None:
    low, high = sorted((float(np.floor(end)) if is_whole else end) for end in (first, last))

    edges = choose_edges(_NUMBER, low, high, is_whole=is_whole)

    assert edges[0] <= low <= high <= edges[-1]
    assert 2 <= len(edges) <= 33
    assert list(edges) == sorted(edges)


@given(st.integers(_seconds("0001-01-01").__int__(), int(_seconds("9999-12-31"))), st.integers(0, 40_000_000_000))
def test_date_bins_hold_every_date_and_are_few(first: int, length: int) -> None:
    last = min(first + length, int(_seconds("9999-12-31")) + 86_399)

    edges = choose_edges(_DATE, first, last, is_whole=True)

    assert edges[0] <= first <= last <= edges[-1]
    assert 2 <= len(edges) <= 33
    assert list(edges) == sorted(set(edges))


def test_whole_numbers_too_large_to_tell_apart_share_bins() -> None:
    edges = choose_edges(_NUMBER, 1e17, 1e17 + 16, is_whole=True)

    assert list(edges) == sorted(set(edges))


def test_bins_count_the_documents_of_a_result() -> None:
    bins = Bins.of(_NUMBER, number_column([1990, 1991, 1991, np.nan, 1992]))

    assert bins.count(_NUMBER, base_of([0, 1, 2, 3], 5)) == (
        Bin("1990", "1991", 1),
        Bin("1991", "1992", 2),
        Bin("1992", "1993", 0),
    )


def test_last_bin_holds_its_end() -> None:
    bins = Bins.of(_NUMBER, number_column([0.0, 0.5, 9.5, 30.0]))

    assert bins.count(_NUMBER, base_of(range(4), 4))[-1] == Bin("29", "30", 1)


def test_column_without_numbers_has_no_bins() -> None:
    bins = Bins.of(_NUMBER, number_column([np.nan]))

    assert bins.count(_NUMBER, base_of([0], 1)) == ()
    assert bins.fits(_NUMBER, number_column([np.nan]))
    assert not bins.fits(_NUMBER, number_column([1]))


@pytest.mark.parametrize(
    ("numbers", "fits"),
    [([3, 2, 1], True), ([2, 1, 1, 3], True), ([2], False), ([1, 9], False), ([1, 2.5, 3], False)],
)
def test_bins_fit_what_they_would_be_chosen_for(numbers: list[float], fits: bool) -> None:
    bins = Bins.of(_NUMBER, number_column([1, 2, 3]))

    assert bins.fits(_NUMBER, number_column(numbers)) is fits


def test_number_that_has_gone_leaves_no_trace_in_bins() -> None:
    before = number_column([2001, 2003, 2014, 2019])
    with_outlier = before.with_documents(0, {4: 1_000_000.5})
    after = with_outlier.with_documents(0, {4: np.nan})

    assert not Bins.of(_NUMBER, with_outlier).fits(_NUMBER, after)
    assert Bins.of(_NUMBER, after).edges == Bins.of(_NUMBER, before).edges


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=30),
    st.dictionaries(st.integers(0, 29), st.one_of(st.none(), st.integers(0, 9)), max_size=9),
)
def test_bins_follow_changed_documents(held: list[int], changes: dict[int, int | None]) -> None:
    column = number_column([0, 9, *held])
    bins = Bins.of(_NUMBER, column)
    changed = column.with_documents(0, {at + 2: np.nan if value is None else value for at, value in changes.items()})
    base = base_of(range(32), 32)

    expected = [int(np.sum(changed.chunks[0] == value)) for value in range(10)]

    assert [found.count for found in bins.following(changed).count(_NUMBER, base)] == expected
    assert [found.count for found in bins.count(_NUMBER, base)] == [
        int(np.sum(column.chunks[0] == v)) for v in range(10)
    ]


def test_bins_follow_a_chunk_that_is_new() -> None:
    column = number_column(np.arange(CHUNK_SIZE) % 7)
    bins = Bins.of(_NUMBER, column)
    grown = column.with_chunks({1: number_column(np.arange(2000) % 3).chunks[0]})
    count = 2 * CHUNK_SIZE

    found = bins.following(grown).count(_NUMBER, base_of(range(CHUNK_SIZE, count), count))

    assert [bin_.count for bin_ in found] == [667, 667, 666, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "make", [lambda chance, count: chance.random(count) * 77, lambda chance, count: chance.integers(1990, 2001, count)]
)
@pytest.mark.parametrize("share", [1.0, 0.5, 0.01])
def test_bins_of_many_documents_are_counted_exactly(
    make: Callable[[np.random.Generator, int], np.ndarray], share: float
) -> None:
    chance, count = np.random.default_rng(2), 5 * CHUNK_SIZE
    values = make(chance, count).astype(np.float64)
    bins = Bins.of(_NUMBER, number_column(values))
    documents = np.flatnonzero(chance.random(count) < share)

    found = bins.count(_NUMBER, Base(bitmap_of(documents), everything_of(count)))

    expected, _ = np.histogram(values[documents], bins=bins.edges)
    assert [bin_.count for bin_ in found] == expected.tolist()
