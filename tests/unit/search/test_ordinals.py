"""Ordinals: what documents have, told from parts that change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from livesearch.search import ordinals
from livesearch.search.ordinals import Ordinals, Part
from livesearch.search.selections import CHUNK_SIZE, Base
from tests.columns import ordinals_of

# By document, from 0: its ordinals.
_Held = dict[int, set[int]]
_HELD = st.dictionaries(st.integers(0, 50), st.sets(st.integers(1, 300), max_size=3), max_size=20)


def _part(held: _Held) -> Part:
    pairs = [place << 32 | ordinal for place, some in held.items() for ordinal in some]
    return Part.of_pairs(np.array(pairs, np.int64))


def _check(found: Ordinals, held: _Held) -> None:
    """Assert that counts, bitmaps and look-ups say what the documents have."""
    everything = BitMap(range(CHUNK_SIZE))
    expected = {ordinal for some in held.values() for ordinal in some}
    for ordinal in expected:
        assert found.holders(ordinal) == BitMap(place for place, some in held.items() if ordinal in some)
    assert {at for at, count in enumerate(found.counts.tolist()) if at and count} == expected
    for documents in (everything, BitMap(range(25))):
        counted = found.count(Base(documents, everything)).counts.tolist()
        for ordinal in expected:
            assert counted[ordinal] == sum(ordinal in held[place] for place in held if place in documents)


@given(_HELD, _HELD)
def test_ordinals_are_those_of_the_last_parts(before: _Held, after: _Held) -> None:
    found = Ordinals().with_parts({0: _part(before)}).with_parts({0: _part(after)})

    _check(found, after)


@given(_HELD, _HELD)
def test_ordinals_follow_single_documents(before: _Held, changes: _Held) -> None:
    found = Ordinals().with_parts({0: _part(before)})
    changed = found.with_documents(0, changes)

    _check(changed, before | changes)
    _check(found, before)


@given(_HELD, _HELD, _HELD)
def test_bitmaps_follow_changes(before: _Held, after: _Held, changes: _Held) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordinals, "_FREQUENT_SIZE", 0)
        found = Ordinals().with_parts({0: _part(before)}).with_frequent()
        found = found.with_parts({0: _part(after)}).with_documents(0, changes)

    for ordinal, documents in found.frequent.items():
        held = after | changes
        assert documents == BitMap(place for place, some in held.items() if ordinal in some)


def test_bitmaps_are_made_for_the_most_frequent_of_many_documents() -> None:
    flat = np.arange(5 * CHUNK_SIZE) % 700 + 1
    flat[::2] = 7

    found = ordinals_of(flat)

    assert len(found.frequent) == 256
    assert found.by_count[0] == 7
    assert found.frequent[7] == BitMap(np.flatnonzero(flat == 7).tolist())
    assert not found.lacks_frequent


def test_parts_are_as_narrow_as_their_ordinals() -> None:
    assert Part.of_pairs(np.array([5])).ordinals.dtype == np.uint8
    assert Part.of_pairs(np.array([300])).ordinals.dtype == np.uint16
    assert Part.of_pairs(np.array([70_000])).ordinals.dtype == np.uint32
