"""Facet counts."""

from pyroaring import BitMap

from livesearch.domain import FacetValue, Field, FieldType, Role
from livesearch.search.faceting import count_values, leave_out

_PLATFORM = Field("platform", FieldType.TEXT, Role.FACET)
_POSTINGS = (("NES", BitMap([0, 1, 2])), ("SNES", BitMap([3])), ("Wii", BitMap([4, 5])), ("Überkonsole", BitMap([6])))


def test_count_values_counts_within_the_base() -> None:
    facet = count_values(_PLATFORM, _POSTINGS, BitMap([1, 2, 3, 4]))

    assert facet.values == (FacetValue("NES", 2), FacetValue("SNES", 1), FacetValue("Wii", 1))
    assert facet.value_count == 3


def test_count_values_keeps_chosen_values_first_even_at_zero() -> None:
    facet = count_values(_PLATFORM, _POSTINGS, BitMap([0]), selected=["Wii"])

    assert facet.values == (FacetValue("Wii", 0, is_selected=True), FacetValue("NES", 1))


def test_count_values_gives_at_most_what_was_asked_for() -> None:
    facet = count_values(_PLATFORM, _POSTINGS, BitMap(range(7)), limit=1)

    assert facet.values == (FacetValue("NES", 3),)
    assert facet.value_count == 4


def test_count_values_finds_values_by_a_part_of_them() -> None:
    facet = count_values(_PLATFORM, _POSTINGS, BitMap(range(7)), contains="UBER")

    assert [value.value for value in facet.values] == ["Überkonsole"]


def test_leave_out_spares_the_fields_own_filter() -> None:
    allowed = {"platform": BitMap([1]), "year": BitMap([1, 2])}

    assert leave_out(BitMap([0, 1, 2]), allowed, "platform") == BitMap([1, 2])
    assert leave_out(BitMap([0, 1, 2]), allowed) == BitMap([1])
