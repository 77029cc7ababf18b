"""How the numbers of a posting are written, and read again."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS
from livesearch.store.bitmaps import decode, decode_chunks, encode, low_bits, merge

SIZE = 1 << CHUNK_BITS
_few = st.sets(st.integers(0, SIZE - 1), min_size=1, max_size=100)
# Steps of one length, with a gap in them: each of the four ways is the shortest of some of them.
_many = st.builds(
    lambda first, step, count, gap: {n for n in range(first, min(first + step * count, SIZE), step) if n // 300 != gap},
    *(st.integers(0, 40), st.integers(1, 400), st.integers(1, SIZE), st.integers(0, 100)),
).filter(bool)
_thinned = st.builds(
    lambda count, seed: set(random.Random(seed).sample(range(SIZE), count)),  # noqa: S311  # numbers, not secrets
    st.integers(1, SIZE),
    st.integers(0, 1000),
)
_numbers = st.one_of(_few, _many, _thinned)
_chunks = st.sampled_from([0, 1, 2, 5, 2**16 - 1])


def lows(numbers: set[int], chunk: int = 0) -> bytes:
    return low_bits(BitMap(number + chunk * SIZE for number in numbers))


@given(_numbers, _chunks)
def test_numbers_are_read_as_they_were_written(numbers: set[int], chunk: int) -> None:
    stored = encode(lows(numbers, chunk))

    assert len(stored) <= 2 * len(numbers)
    assert decode(len(numbers), stored, chunk) == BitMap(number + chunk * SIZE for number in numbers)


@given(st.dictionaries(st.integers(0, 30), _numbers, min_size=1, max_size=20))
def test_a_posting_in_many_chunks_is_read_as_its_chunks_are(held: dict[int, set[int]]) -> None:
    parts = [(chunk, len(numbers), encode(lows(numbers, chunk))) for chunk, numbers in held.items()]

    found = decode_chunks(parts)

    assert found == BitMap(number + chunk * SIZE for chunk, numbers in held.items() for number in numbers)
    assert found == BitMap.deserialize(found.serialize())


@pytest.mark.parametrize(
    ("numbers", "size"),
    [
        (range(63), 126),  # few
        (range(0, 64 * 256, 256), 128),  # far apart: each gap would take two bytes
        (range(3, 3 + 64 * 200, 200), 65),
        (range(SIZE), 5),
        (range(0, SIZE, 2), 4097),
    ],
)
@pytest.mark.parametrize("chunk", [0, 1])
def test_numbers_are_written_in_the_shortest_way(numbers: range, size: int, chunk: int) -> None:
    assert len(encode(lows(set(numbers), chunk))) == size


@given(_numbers, _numbers, _numbers, _chunks, st.booleans())
def test_merged_is_what_sets_say(
    before: set[int], added: set[int], removed: set[int], chunk: int, appends: bool
) -> None:
    if appends:  # what imports do: all that is new comes after what is there
        border = max(before)
        added, removed = {number for number in added if number > border}, set()
    removed -= added
    stored = len(before), encode(lows(before, chunk))
    count, bitmap = merge(stored, chunk, lows(added, chunk), lows(removed, chunk))
    after = (before | added) - removed

    assert count == len(after)
    assert bitmap == (encode(lows(after, chunk)) if after else b"")


def test_what_is_new_is_written_as_it_is_given() -> None:
    assert merge(None, 7, b"\x05\x80", b"") == (1, b"\x05\x80")
    assert merge(None, 7, b"", b"\x05\x80") == (0, b"")
