"""Cursors."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesearch.domain import Range, SearchQuery
from livesearch.errors import InvalidInputError
from livesearch.search.cursors import Cursor, Part, decode_cursor, encode_cursor, next_of

_QUERY = SearchQuery("zelda", filters={"platform": ("NES", "Wii")}, ranges={"year": Range("1987")})
_CURSOR = Cursor(Part.REST, 4711, 2.5, 3)


@given(
    st.sampled_from(Part),
    st.integers(0, 2**32 - 1),
    st.floats(allow_infinity=False, allow_nan=False),
    st.integers(0, 9),
)
def test_cursor_comes_back_as_it_was(part: Part, number: int, score: float, tier: int) -> None:
    cursor = Cursor(part, number, score, tier)
    text = encode_cursor(cursor, _QUERY)

    assert decode_cursor(replace(_QUERY, cursor=text)) == cursor
    assert len(text) == 24
    assert all(sign.isalnum() or sign in "-_" for sign in text)


def test_cursor_keeps_that_there_is_no_score() -> None:
    text = encode_cursor(Cursor(Part.SORTED, 1, math.nan), _QUERY)
    found = decode_cursor(replace(_QUERY, cursor=text))

    assert found is not None
    assert math.isnan(found.score)


def test_cursor_holds_for_other_page_sizes_and_orders_of_filters() -> None:
    text = encode_cursor(_CURSOR, _QUERY)
    other = replace(_QUERY, text=" zelda ", page_size=50, page=3, filters={"platform": ("Wii", "NES")}, cursor=text)

    assert decode_cursor(other) == _CURSOR


def test_cursor_takes_any_text_that_is_searched_for() -> None:
    odd = replace(_QUERY, text="\ud800", filters={"\0": ("\udfff",)})

    assert decode_cursor(replace(odd, cursor=encode_cursor(_CURSOR, odd))) == _CURSOR


def test_no_cursor_is_none() -> None:
    assert decode_cursor(_QUERY) is None
    assert decode_cursor(replace(_QUERY, cursor="")) is None


@pytest.mark.parametrize("text", ["x", "é", "A" * 24, "!" * 24, "AAAA", "../../etc/passwd", "\0", "A" * 4000])
def test_bad_cursor_names_the_way_out(text: str) -> None:
    with pytest.raises(InvalidInputError, match="Leave it out to begin with the first page"):
        decode_cursor(replace(_QUERY, cursor=text))


@pytest.mark.parametrize("change", [{"text": "mario"}, {"sort": "year"}, {"filters": {}}, {"is_verbatim": True}])
def test_cursor_of_another_search_is_refused(change: dict[str, object]) -> None:
    other = replace(_QUERY, cursor=encode_cursor(_CURSOR, _QUERY), **change)  # type: ignore[arg-type]  # its own fields

    with pytest.raises(InvalidInputError, match="belongs to another search"):
        decode_cursor(other)


def test_next_of_goes_on_behind_the_last_document() -> None:
    ranked, scores = [5, 2, 9, 1], {5: 4.0, 2: 3.0, 9: 3.0, 1: 1.0}

    assert next_of(ranked, scores, Cursor(Part.SCORED, 2, 3.0)) == 2
    assert next_of(ranked, scores, Cursor(Part.SCORED, 1, 1.0)) == 4


def test_next_of_a_document_that_is_gone_passes_nothing_over() -> None:
    ranked, scores = [5, 2, 1], {5: 4.0, 2: 3.0, 1: 1.0}

    assert next_of(ranked, scores, Cursor(Part.SCORED, 9, 3.0)) == 1
    assert next_of(ranked, scores, Cursor(Part.SCORED, 9, 0.5)) == 3
