"""Facet counts."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from livesearch.domain import Facet, FacetValue, Field, FieldType, Role
from livesearch.search import ordinals
from livesearch.search.faceting import FacetColumn, Names, count_values, leave_out
from livesearch.search.selections import Base, bitmap_of
from tests.columns import base_of, everything_of, facet_column, ordinals_of

_PLATFORM = Field("platform", FieldType.TEXT, Role.FACET)
_COLUMN = facet_column([["NES"], ["NES"], ["NES"], ["SNES"], ["Wii"], ["Wii"], ["Überkonsole"]])


def test_count_values_counts_within_the_base() -> None:
    facet = count_values(_PLATFORM, _COLUMN, base_of([1, 2, 3, 4], 7))

    assert facet.values == (FacetValue("NES", 2), FacetValue("SNES", 1), FacetValue("Wii", 1))
    assert facet.value_count == 3
    assert facet.is_exact


def test_count_values_keeps_chosen_values_first_even_at_zero() -> None:
    facet = count_values(_PLATFORM, _COLUMN, base_of([0], 7), selected=["Wii", "never seen"])

    assert facet.values == (
        FacetValue("Wii", 0, is_selected=True),
        FacetValue("never seen", 0, is_selected=True),
        FacetValue("NES", 1),
    )


def test_count_values_gives_at_most_what_was_asked_for() -> None:
    facet = count_values(_PLATFORM, _COLUMN, base_of(range(7), 7), limit=1)

    assert facet.values == (FacetValue("NES", 3),)
    assert facet.value_count == 4


def test_count_values_orders_equal_counts_by_name() -> None:
    column = facet_column([["b"], ["c"], ["a"]])

    facet = count_values(_PLATFORM, column, base_of(range(3), 3), limit=2)

    assert [value.value for value in facet.values] == ["a", "b"]


def test_count_values_finds_values_by_a_part_of_them() -> None:
    facet = count_values(_PLATFORM, _COLUMN, base_of(range(7), 7), contains="UBER")

    assert [value.value for value in facet.values] == ["Überkonsole"]


@given(
    st.lists(st.sets(st.sampled_from("abcdefg")), min_size=1, max_size=40),
    st.sets(st.integers(0, 39)),
    st.sets(st.sampled_from("abz")),
    st.integers(1, 8),
)
def test_count_values_equals_counting_one_by_one(
    held: list[set[str]], chosen: set[int], selected: set[str], limit: int
) -> None:
    documents = [number for number in sorted(chosen) if number < len(held)]
    counts = Counter(value for number in documents for value in held[number])
    kept = sorted(selected, key=lambda value: (-counts[value], value))
    others = sorted((value for value in counts if value not in selected), key=lambda value: (-counts[value], value))

    column = facet_column([sorted(values) for values in held])
    facet = count_values(_PLATFORM, column, base_of(documents, len(held)), selected=selected, limit=limit)

    assert [(value.value, value.count) for value in facet.values] == [
        (value, counts[value]) for value in kept + others[:limit]
    ]
    assert facet.value_count == len(counts)


_MANY = 6 * 32_768


def _zipf(value_count: int, skew: float) -> tuple[np.ndarray, FacetColumn]:
    chance = np.random.default_rng(7)
    weights = 1 / np.arange(1, value_count + 1) ** skew
    flat = chance.choice(value_count, _MANY, p=weights / weights.sum()) + 1
    names = Names()
    names.take([f"value {number:05}" for number in range(value_count)])
    return flat, FacetColumn(names, ordinals_of(flat))


def _reference(flat: np.ndarray, column: FacetColumn, documents: np.ndarray, limit: int) -> list[tuple[str, int]]:
    counts = np.bincount(flat[documents], minlength=len(column.names))
    order = sorted(
        np.flatnonzero(counts).tolist(), key=lambda ordinal: (-counts[ordinal], column.names.values[ordinal])
    )
    return [(column.names.values[ordinal], int(counts[ordinal])) for ordinal in order[:limit]]


def _given(facet: Facet) -> list[tuple[str, int]]:
    return [(value.value, value.count) for value in facet.values]


@pytest.mark.parametrize(("value_count", "skew"), [(40, 1.0), (3000, 1.0), (3000, 0.0)])
@pytest.mark.parametrize("share", [1.0, 0.9, 0.5, 0.01])
def test_count_values_is_exact_whichever_way_it_counts(value_count: int, skew: float, share: float) -> None:
    flat, column = _zipf(value_count, skew)
    documents = np.flatnonzero(np.random.default_rng(1).random(_MANY) < share)
    base = Base(bitmap_of(documents), everything_of(_MANY))

    facet = count_values(_PLATFORM, column, base)

    assert _given(facet) == _reference(flat, column, documents, 10)
    assert facet.counts_are_exact
    assert facet.value_count <= value_count


def test_count_values_of_few_values_is_exact_though_it_counts_the_first_alone() -> None:
    flat, column = _zipf(40, 2.0)
    documents = np.flatnonzero((flat < 21) | (flat > 30))
    base = Base(bitmap_of(documents), everything_of(_MANY))

    facet = count_values(_PLATFORM, column, base, selected=["value 00035", "value 00025"], limit=3)

    assert facet.is_exact
    assert facet.value_count == 30
    counts = np.bincount(flat[documents], minlength=41)
    assert _given(facet)[:2] == [("value 00035", counts[36]), ("value 00025", 0)]
    assert _given(facet)[2:] == _reference(flat, column, documents, 3)


def test_count_values_says_when_it_has_not_looked_at_every_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordinals, "_FREQUENT_SIZE", 1000)
    flat, column = _zipf(3000, 1.0)
    documents = np.arange(0, _MANY, 2)
    base = Base(bitmap_of(documents), everything_of(_MANY))

    facet = count_values(_PLATFORM, column, base, selected=["value 00001", "value 02999"])

    assert not facet.is_exact
    assert facet.counts_are_exact
    assert 10 < facet.value_count < 3000
    counts = np.bincount(flat[documents], minlength=3001)
    assert [value.count for value in facet.values[:2]] == [counts[2], counts[3000]]
    others = [value for value in _reference(flat, column, documents, 11) if value[0] != "value 00001"]
    assert _given(facet)[2:] == others[:10]


def test_count_values_gives_lower_bounds_past_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordinals, "LOOK_UP_LIMIT", 10_000)
    flat, column = _zipf(3000, 0.0)
    documents = np.arange(0, _MANY, 2)
    base = Base(bitmap_of(documents), everything_of(_MANY))

    facet = count_values(_PLATFORM, column, base)

    exact = np.bincount(flat[documents], minlength=3001)
    assert not facet.is_exact
    assert not facet.counts_are_exact
    assert all(0 < value.count <= exact[column.names.find(value.value) or 0] for value in facet.values)


def test_count_values_that_hold_a_text_stays_exact() -> None:
    flat, column = _zipf(3000, 1.0)
    documents = np.arange(0, _MANY, 2)
    base = Base(bitmap_of(documents), everything_of(_MANY))

    facet = count_values(_PLATFORM, column, base, contains="Value 0012", limit=100)

    expected = [value for value in _reference(flat, column, documents, 3000) if value[0].startswith("value 0012")]
    assert _given(facet) == expected
    assert facet.is_exact


def test_names_keep_the_order_of_letters_as_they_come() -> None:
    names = Names()
    names.take(["m", "c"])
    assert [names.values[at] for at in np.argsort(names.ranks)] == ["", "c", "m"]

    names.take(["d", "m", "z", "a"])

    assert [names.values[at] for at in np.argsort(names.ranks)] == ["", "a", "c", "d", "m", "z"]
    assert names.take(["m", "c"]).tolist() == [1, 2]


def test_leave_out_spares_the_fields_own_filter() -> None:
    allowed = {"platform": BitMap([1]), "year": BitMap([1, 2])}

    assert leave_out(BitMap([0, 1, 2]), allowed, "platform") == BitMap([1, 2])
    assert leave_out(BitMap([0, 1, 2]), allowed) == BitMap([1])
