"""What to show where no document holds every word."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from livesearch.search import relaxing
from livesearch.search.relaxing import BEST_COUNT, Holding, most_held

_NOBODY = BitMap()
_ALL = BitMap(range(10))


def test_those_that_hold_the_most_come_first() -> None:
    held = [BitMap([1, 2, 3]), BitMap([2, 3]), BitMap([3])]
    found = most_held(held, [_NOBODY] * 3, [1.0, 1.0, 1.0], _ALL)

    assert found.best == (3, 2, 1)
    assert [set(group) for group in found.groups] == [{3}, {2}, {1}]


def test_rare_words_count_most() -> None:
    held = [BitMap([1]), BitMap([2]), BitMap([3])]
    found = most_held(held, [_NOBODY] * 3, [1.0, 3.0, 2.0], _ALL)

    assert found.best == (2, 3)  # the other has less than a third of it


def test_a_word_in_a_title_counts_more() -> None:
    held = [BitMap([1, 2]), BitMap([1, 2]), BitMap([5])]
    found = most_held(held, [BitMap([2]), _NOBODY, _NOBODY], [1.0, 1.0, 1.0], _ALL)

    assert found.best[:2] == (2, 1)


def test_what_is_equal_stands_as_it_is_numbered() -> None:
    found = most_held([BitMap([7, 1, 4])], [_NOBODY], [2.0], _ALL)

    assert found.best == (1, 4, 7)
    assert found.groups == (BitMap([1, 4, 7]),)


def test_only_so_many_are_worth_scoring_but_all_are_found() -> None:
    documents = BitMap(range(1000))
    found = most_held([documents], [_NOBODY], [2.0], documents, limit=30)

    assert len(found.best) == 30
    assert BitMap.union(*found.groups) == documents


def test_only_documents_that_may_be_found_are() -> None:
    found = most_held([BitMap([1, 2]), BitMap([1, 9])], [_NOBODY] * 2, [1.0, 1.0], BitMap([2, 3]))

    assert found.best == (2,)


def test_words_that_nothing_holds_do_not_count() -> None:
    found = most_held([BitMap([1]), _NOBODY, _NOBODY], [_NOBODY] * 3, [0.1, 9.0, 9.0], _ALL)

    assert found.best == (1,)


def test_nothing_holds_the_most_of_nothing() -> None:
    assert most_held([_NOBODY, _NOBODY], [_NOBODY] * 2, [1.0, 1.0], _ALL) == Holding()
    assert most_held([BitMap([1])], [_NOBODY], [1.0], _NOBODY) == Holding()


@pytest.mark.parametrize("document_count", [1, BEST_COUNT - 1, BEST_COUNT, BEST_COUNT + 1, 20_000])
@pytest.mark.parametrize("clause_count", [1, 2, 4, 7])
@pytest.mark.parametrize("kind_count", [0, 100, 10_000])
def test_the_best_of_many_are_those_that_a_stable_sort_puts_first(
    document_count: int, clause_count: int, kind_count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaxing, "_KIND_COUNT", kind_count)
    chance = np.random.default_rng(7)
    # The first clause holds all, so that none is left out; the last ones are less than a step.
    rarities = [9.0, 1.5, 1.5, 0.75, 0.003, 0.001, 0.000_01][:clause_count]
    holds = chance.random((clause_count, document_count)) < 0.5
    holds[0] = True
    is_titled = holds & (chance.random(holds.shape) < 0.5)
    everything = BitMap(range(document_count))
    found = most_held(
        [BitMap(np.flatnonzero(row)) for row in holds],
        [BitMap(np.flatnonzero(row)) for row in is_titled],
        rarities,
        everything,
    )

    # Summed up as it is there, fewest documents first: a total's last bit depends on the order.
    shares, bonus = np.zeros(document_count, np.float32), np.zeros(document_count, np.float32)
    whole = sum(rarity for rarity, row in zip(rarities, holds, strict=True) if row.any())
    for at in sorted(range(clause_count), key=lambda at: holds[at].sum()):
        shares[holds[at]] += rarities[at] / whole
        bonus[is_titled[at]] += 0.5 * rarities[at] / whole
    assert found.best == tuple(np.argsort(-(shares + bonus), kind="stable")[:BEST_COUNT].tolist())


@pytest.mark.parametrize("clause_count", [3, 4, 7])
def test_documents_are_the_same_by_kinds_and_one_by_one(clause_count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(clause_count)
    everything = BitMap(range(60_000))
    # The last ones are held by so many that they only tell others apart, or say too little of a document.
    held = [BitMap(np.flatnonzero(chance.random(60_000) < share)) for share in (0, 0.001, 0.01, 0.2, 0.4, 0.6, 0.9)]
    titled = [documents & BitMap(range(0, 60_000, 3)) for documents in held]
    rarities = [9.0, 7.0, 4.6, 1.6, 0.9, 0.5, 0.1]
    found = []
    for kind_count in (0, 10_000):
        monkeypatch.setattr(relaxing, "_KIND_COUNT", kind_count)
        found.append(most_held(held[:clause_count], titled[:clause_count], rarities[:clause_count], everything))

    assert found[0] == found[1]
    assert len(found[0].best) == BEST_COUNT
    assert len(found[0].groups) > 1


@pytest.mark.parametrize("rarity", [1e-12, 1 / 3, 1e12])
def test_all_that_hold_everything_in_the_title_are_as_good(rarity: float) -> None:
    documents = BitMap(range(1000))
    found = most_held([documents] * 3, [documents] * 3, [rarity] * 3, documents)

    assert found.best == tuple(range(BEST_COUNT))
    assert found.groups == (documents,)


_DOCUMENTS = st.sets(st.integers(0, 30)).map(BitMap)


@given(st.lists(st.tuples(_DOCUMENTS, _DOCUMENTS, st.floats(0.01, 9)), min_size=1, max_size=6), _DOCUMENTS)
def test_groups_are_in_order_and_hold_each_document_once(
    clauses: list[tuple[BitMap, BitMap, float]], everything: BitMap
) -> None:
    held, titled, rarities = [list(column) for column in zip(*clauses, strict=True)]
    found = most_held(held, titled, rarities, everything)

    def share(number: int) -> float:
        return sum(
            rarity * (1.5 if number in title else 1.0) for documents, title, rarity in clauses if number in documents
        )

    numbers = [number for group in found.groups for number in group]
    shares = [share(number) for number in found.best]
    assert sorted(numbers) == sorted(found.best)
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) <= set(everything)
    assert all(group for group in found.groups)
    assert all(first >= second - 1e-4 for first, second in pairwise(shares))
