"""Orders of documents, against plain sorting."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from livesearch.domain import Collection, CollectionSettings
from livesearch.search import numbers, ordering
from livesearch.search.cursors import Cursor, Part
from livesearch.search.numbers import NumberColumn
from livesearch.search.ordering import DOCUMENT_ORDER, ColumnOrder, Order, Place, remaining, remaining_after
from livesearch.search.selections import CHUNK_SIZE, bitmap_of
from livesearch.search.static_rank import RankRule, StaticRank
from tests.columns import everything_of, number_column

_VALUES = st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1, max_size=40)


def _sorted(values: np.ndarray, documents: np.ndarray, *, is_descending: bool) -> list[int]:
    """Documents by value, what has none last; equal ones by number."""
    keys = np.nan_to_num(-values if is_descending else values, nan=np.inf)[documents]
    found: list[int] = documents[np.lexsort((documents, keys))].tolist()
    return found


@given(_VALUES, st.sets(st.integers(0, 39)), st.integers(1, 50), st.integers(0, 50), st.booleans(), st.booleans())
def test_best_equals_sorting_everything(
    held: list[int | None], chosen: set[int], limit: int, offset: int, is_descending: bool, is_few: bool
) -> None:
    values = np.array([np.nan if value is None else value for value in held], np.float64)
    documents = np.array(sorted(number for number in chosen if number < len(held)), np.int64)
    expected = _sorted(values, documents, is_descending=is_descending)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "FEW", 1000 if is_few else -1)
        found = ColumnOrder(number_column(values), is_descending=is_descending).best(
            bitmap_of(documents), limit, offset=offset
        )

    assert found == expected[offset : offset + limit]


@given(_VALUES, st.integers(0, 39), st.integers(1, 50), st.booleans(), st.booleans())
def test_after_goes_on_where_a_document_stands(
    held: list[int | None], last: int, limit: int, is_descending: bool, is_few: bool
) -> None:
    values = np.array([np.nan if value is None else value for value in held], np.float64)
    expected = _sorted(values, np.arange(len(held)), is_descending=is_descending)
    last = min(last, len(held) - 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordering, "FEW", 1000 if is_few else -1)
        order = ColumnOrder(number_column(values), is_descending=is_descending)
        found = order.after(everything_of(len(held)), last, order.score_of(last), limit)

    begin = expected.index(last) + 1
    assert found == expected[begin : begin + limit]


_COUNT = 6 * CHUNK_SIZE


def _years(chance: np.random.Generator) -> np.ndarray:
    years = chance.integers(1970, 2025, _COUNT).astype(np.float64)
    years[chance.random(_COUNT) < 0.1] = np.nan
    return years


@pytest.mark.parametrize("is_descending", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        _years,
        lambda chance: np.floor(chance.pareto(1, _COUNT)),
        lambda chance: chance.random(_COUNT),
        lambda _: np.full(_COUNT, np.nan),
    ],
    ids=["years", "popularity", "distinct", "none"],
)
def test_bands_find_the_same_as_sorting_everything(
    make: Callable[[np.random.Generator], np.ndarray], is_descending: bool
) -> None:
    chance = np.random.default_rng(3)
    values = make(chance)
    order = ColumnOrder(number_column(values), is_descending=is_descending)

    for share in (1.0, 0.3, 0.01):
        documents = np.flatnonzero(chance.random(_COUNT) < share)
        chosen, expected = bitmap_of(documents), _sorted(values, documents, is_descending=is_descending)
        middle = len(expected) // 2
        last = expected[middle - 1]

        assert order.best(chosen, 100) == expected[:100]
        assert order.best(chosen, 20, offset=middle) == expected[middle : middle + 20]
        assert order.best(chosen, 20, offset=len(expected) - 5) == expected[-5:]
        assert order.after(chosen, last, order.score_of(last), 20) == expected[middle : middle + 20]
        assert order.after(chosen, expected[-1], order.score_of(expected[-1]), 20) == []


def test_after_a_document_that_is_gone_goes_on_where_it_stood() -> None:
    order = ColumnOrder(number_column([5, 4, 3, 2]), is_descending=True)

    assert order.after(BitMap([0, 2, 3]), 1, 4.0, 10) == [2, 3]
    assert order.after(BitMap([0, 1, 2, 3]), 99, 3.5, 10) == [2, 3]


@given(_VALUES, st.dictionaries(st.integers(0, 45), st.one_of(st.none(), st.integers(-2, 9)), max_size=5))
def test_bands_follow_changed_documents(held: list[int | None], changes: dict[int, int | None]) -> None:
    values = np.full(50, np.nan)
    values[: len(held)] = [np.nan if value is None else value for value in held]
    column = number_column(values)
    column.prepare()
    changed = {place: np.nan if value is None else float(value) for place, value in changes.items()}
    after = values.copy()
    after[list(changed)] = list(changed.values())

    found = column.with_documents(0, changed)

    for is_descending in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ordering, "FEW", -1)
            best = ColumnOrder(found, is_descending=is_descending).best(everything_of(50), 50)

        assert best == _sorted(after, np.arange(50), is_descending=is_descending)
    assert found.extent == (None if np.isnan(after).all() else (np.nanmin(after), np.nanmax(after)))


def test_document_order_is_that_of_numbers() -> None:
    documents = BitMap([9, 3, 7])

    assert DOCUMENT_ORDER.best(documents, 2) == [3, 7]
    assert DOCUMENT_ORDER.best(documents, 2, offset=2) == [9]
    assert DOCUMENT_ORDER.after(documents, 3, 0.0, 5) == [7, 9]


@given(_VALUES, st.integers(-1, 4), st.integers(-1, 4))
def test_between_equals_looking_at_every_number(held: list[int | None], low: int, high: int) -> None:
    values = np.array([np.nan if value is None else value for value in held], np.float64)

    found = number_column(values).between(low, high)

    assert found == BitMap(np.flatnonzero((values >= low) & (values <= high)).tolist())


@pytest.mark.parametrize(("low", "high"), [(None, None), (None, 1990.0), (1980.5, None), (1980.0, 1984.0), (9.0, 1.0)])
def test_between_takes_whole_bands_and_looks_into_the_outer_ones(low: float | None, high: float | None) -> None:
    years = _years(np.random.default_rng(5))
    column = number_column(years)

    found = column.between(low, high)

    expected = (years >= (low or 0)) & (years <= (9999 if high is None else high))
    assert found == bitmap_of(np.flatnonzero(expected))


def test_numbers_take_half_the_space_where_nothing_is_lost() -> None:
    assert numbers.narrowed(np.array([1998.0, np.nan])).dtype == np.float32
    assert numbers.narrowed(np.array([0.1])).dtype == np.float64
    assert np.isnan(numbers.narrowed(np.array([np.inf]))[0])


_TIERS = (BitMap([1, 4, 6]), BitMap([0, 2, 5]), BitMap([3]))
_RANK = ColumnOrder(number_column([0, 9, 5, 5, 7, 5, 8]), is_descending=True)


def test_remaining_goes_through_the_tiers_without_the_scored() -> None:
    found = remaining(_TIERS, _RANK, [6], limit=10)

    assert found == [Place(0, 1), Place(0, 4), Place(1, 2), Place(1, 5), Place(1, 0), Place(2, 3)]
    assert remaining(_TIERS, _RANK, [6], offset=1, limit=3) == found[1:4]
    assert remaining(_TIERS, _RANK, [6], offset=5, limit=3) == found[5:]


@given(st.integers(0, 5), st.integers(1, 7))
def test_remaining_after_goes_on_behind_any_of_them(at: int, limit: int) -> None:
    every = remaining(_TIERS, _RANK, [6], limit=10)
    tier, number = every[at]
    cursor = Cursor(Part.REST, number, _RANK.score_of(number), tier)

    assert remaining_after(_TIERS, _RANK, [6], cursor, limit=limit) == every[at + 1 : at + 1 + limit]


def test_remaining_after_a_document_that_has_moved_goes_on_where_it_is_now() -> None:
    # Its static score was higher when the page was given.
    cursor = Cursor(Part.REST, 5, 8.5, 1)

    assert remaining_after(_TIERS, _RANK, [], cursor, limit=10) == [Place(1, 0), Place(2, 3)]


def test_remaining_after_a_document_that_is_gone_goes_on_where_it_was() -> None:
    cursor = Cursor(Part.REST, 77, 6.0, 1)

    assert remaining_after(_TIERS, _RANK, [], cursor, limit=2) == [Place(1, 2), Place(1, 5)]
    assert remaining_after(_TIERS, _RANK, [], Cursor(Part.REST, 77, 6.0, 9), limit=2) == []


_DAY = 86_400.0
_NOW = 20_000 * _DAY + 5_000


def _rule(*, popularity_weight: float = 1.0, recency_weight: float = 2.0) -> RankRule:
    settings = CollectionSettings(
        popularity_weight=popularity_weight,
        recency_field="released",
        recency_weight=recency_weight,
        recency_half_life_days=10,
    )
    return RankRule.of(Collection(1, "c", 1, 1, (), popularity_field="sales", settings=settings), _NOW)


def test_static_scores_add_popularity_and_recency() -> None:
    sales = np.array([99.0, np.nan, -5.0, 9.0])
    released = np.array([np.nan, 19_990 * _DAY, np.nan, 20_100 * _DAY])

    scores = _rule().scores(sales, released)

    assert scores.tolist()[:2] == [2.0, 1.0]
    assert np.isnan(scores[2])
    # What is dated in the future is as new as what is of today.
    assert scores[3] == 1.0 + 2.0


def test_static_rank_reads_only_what_counts() -> None:
    assert _rule().names == ("sales", "released")
    assert _rule(popularity_weight=0).names == ("released",)
    assert _rule(recency_weight=0).names == ("sales",)
    assert _rule(recency_weight=0, popularity_weight=0).names == ()


def test_static_rank_holds_for_a_day() -> None:
    rules = {
        RankRule.of(Collection(1, "c", 1, 1, (), settings=CollectionSettings(recency_field="d", recency_weight=1)), now)
        for now in (_NOW, _NOW + 10, _NOW + _DAY)
    }

    assert len(rules) == 2


def test_static_rank_orders_what_has_no_score_last() -> None:
    order: Order = (
        StaticRank(_rule(recency_weight=0)).following(number_column([0, 9, np.nan, 99]), NumberColumn()).order
    )

    assert order.best(everything_of(4), 4) == [3, 1, 0, 2]
    assert [order.score_of(number) for number in range(4)] == [0.0, 1.0, 0.0, 2.0]
    assert order.scores_of([3, 0, 1]) == [2.0, 0.0, 1.0]
    assert order.scores_of([]) == []
    assert DOCUMENT_ORDER.scores_of([3, 0]) == [0.0, 0.0]
    assert order.after(everything_of(4), 0, 0.0, 4) == [2]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 99)), max_size=6), st.booleans())
def test_static_rank_follows_changes(changes: list[tuple[int, int]], is_much: bool) -> None:
    sales = number_column(np.arange(20.0))
    released = number_column(np.arange(20.0) * _DAY * 1000)
    rank = StaticRank(_rule()).following(sales, released)
    for place, value in changes:
        sales = sales.with_documents(0, {place: value})
    if is_much:
        released = released.with_chunks({0: number_column(np.arange(400.0) * _DAY).chunks[0]})

    followed = rank.following(sales, released)

    np.testing.assert_array_equal(
        followed.column.chunks[0], StaticRank(_rule()).following(sales, released).column.chunks[0]
    )
