"""What to show when no document holds every word: those that hold the most of them, rare words counting most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from livesearch.search.selections import bitmap_of

# Documents that hold less of the query than this, by the rarity of words, have little to do with it. Prose has so many
# words that a good document may hold few of them.
_LEAST_SHARE, _LEAST_SHARE_OF_PROSE = 0.3, 0.1
_PROSE_COUNT = 5
# Groups that documents are sorted into by how much of the query they hold.
_GROUP_COUNT = 12
# Documents that are worth scoring.
BEST_COUNT = 300
# A word in a title counts half as much again.
_TITLE_SHARE = 0.5
# When so many documents hold one of the rarer words, the others only tell them apart.
_SEEN_COUNT = 20_000


@dataclass(frozen=True, slots=True)
class Holding:
    """Documents by how much of a query they hold.

    Attributes:
        groups: Disjoint, those that hold most first; none of them is empty.
        best: Those that hold most, in that order, so many at most as were asked for.
    """

    groups: tuple[BitMap, ...] = ()
    best: tuple[int, ...] = ()


def most_held(
    held: Sequence[BitMap],
    titled: Sequence[BitMap],
    rarities: Sequence[float],
    everything: BitMap,
    *,
    limit: int = BEST_COUNT,
) -> Holding:
    """Find the documents that hold the most of a query.

    Args:
        held: By clause, the documents that satisfy it.
        titled: By clause, those that do so in a title.
        rarities: By clause, its inverse document frequency.
        everything: The documents that may be found.
        limit: Documents in ``best``.
    """
    whole = sum(rarity for rarity, documents in zip(rarities, held, strict=True) if documents)
    if not whole or not everything:
        return Holding()
    shares = np.zeros(everything.max() + 1, np.float32)
    bonus = np.zeros(len(shares), np.float32)
    seen = BitMap()
    for at in sorted(range(len(held)), key=lambda at: len(held[at])):
        # Rare words first: what holds only frequent ones is not worth its time.
        documents = held[at] & (seen if len(seen) >= _SEEN_COUNT else everything)
        shares[_numbers(documents)] += rarities[at] / whole
        bonus[_numbers(titled[at] & documents)] += _TITLE_SHARE * rarities[at] / whole
        seen |= documents
    least = _LEAST_SHARE if len(held) < _PROSE_COUNT else _LEAST_SHARE_OF_PROSE
    # Only where something was seen: to look through a million zeros takes longer than all the rest.
    numbers = _numbers(seen)
    found = numbers[shares[numbers] >= least]
    total = shares[found] + bonus[found]
    first = np.arange(len(total))
    if len(total) > limit:
        first = np.flatnonzero(total >= np.partition(total, len(total) - limit)[len(total) - limit])
    # A stable sort leaves what is equal in the order of numbers.
    best = found[first[np.argsort(-total[first], kind="stable")[:limit]]].tolist()
    levels = np.minimum(total * _GROUP_COUNT / (1 + _TITLE_SHARE), _GROUP_COUNT).astype(np.int8)
    groups = (bitmap_of(found[levels == level]) for level in range(_GROUP_COUNT, -1, -1))
    return Holding(tuple(group for group in groups if group), tuple(best))


def _numbers(documents: BitMap) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
    return np.frombuffer(documents.to_array(), np.uint32) if documents else np.empty(0, np.uint32)
