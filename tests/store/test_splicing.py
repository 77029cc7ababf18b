"""Postings that get or lose one number: just what writing them anew would give."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livesearch.domain import CHUNK_BITS
from livesearch.store.bitmaps import encode
from livesearch.store.splicing import splice

SIZE = 1 << CHUNK_BITS


def lows(numbers: set[int]) -> bytes:
    return np.array(sorted(numbers), "<u2").tobytes()


# Steps of one length with a gap in them, and any numbers: all four ways of writing are among them, and their borders.
_steps = st.builds(
    lambda first, step, count, gap: {n for n in range(first, min(first + step * count, SIZE), step) if n // 300 != gap},
    *(st.integers(0, 600), st.integers(1, 600), st.integers(1, 5000), st.integers(0, 100)),
)
_any = st.builds(
    lambda count, seed: set(random.Random(seed).sample(range(SIZE), count)),  # noqa: S311  # numbers, not secrets
    st.one_of(st.integers(1, 130), st.integers(4000, 4200), st.integers(1, SIZE - 1)),
    st.integers(0, 1000),
)
_runs = st.builds(
    lambda count, length: {first * 32 + n for first in range(count) for n in range(length)},
    st.integers(1, SIZE // 32),
    st.integers(1, 31),
)


@given(
    st.one_of(_steps, _any, _runs).filter(lambda numbers: 0 < len(numbers) < SIZE),
    st.one_of(st.integers(0, SIZE - 1), st.integers(-3, 3)),
    st.booleans(),
    st.sampled_from([0, SIZE]),
)
def test_spliced_is_what_writing_anew_gives(numbers: set[int], place: int, is_added: bool, base: int) -> None:
    if place <= 3:  # beside one that is there
        place = min(max(sorted(numbers)[len(numbers) // 2] + place, 0), SIZE - 1)
    stored = encode(lows({number + base for number in numbers}))
    after = numbers | {place} if is_added else numbers - {place}
    spliced = splice(len(numbers), stored, place + base, is_added=is_added)

    if spliced is not None and after:
        assert spliced == (len(after), encode(lows({number + base for number in after})))


@pytest.mark.parametrize(
    "numbers",
    [
        set(range(20)),
        set(range(0, SIZE, 100)),
        set(range(0, SIZE, 3)),
        {*range(1000), *range(2000, 3000), *range(5000, 30_000, 7)},
        set(range(5000)),
    ],
)
@pytest.mark.parametrize("place", [SIZE - 1, 30_001])
def test_the_number_of_a_new_document_is_spliced_in(numbers: set[int], place: int) -> None:
    place = max(numbers) + 1 if numbers == set(range(5000)) else place
    stored = encode(lows(numbers))

    assert splice(len(numbers), stored, place, is_added=True) == (
        len(numbers | {place}),
        encode(lows(numbers | {place})),
    )


def test_the_last_number_is_spliced_out() -> None:
    assert splice(1, lows({7}), 7, is_added=False) == (0, b"")
