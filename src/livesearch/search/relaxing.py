"""What to show when no document holds every word: those that hold the most of them, rare words counting most."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from livesearch.search.selections import Ids, bitmap_of, ids_of

# Documents that hold less of the query than this, by the rarity of words, have little to do with it. Prose has so many
# words that a good document may hold few of them.
_LEAST_SHARE, _LEAST_SHARE_OF_PROSE = 0.3, 0.1
_PROSE_COUNT = 5
# Groups that documents are sorted into by how much of the query they hold.
_GROUP_COUNT = 12
# Steps that totals are told apart by before they are compared.
_STEP_COUNT = 4_096
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
        shares[ids_of(documents)] += rarities[at] / whole
        bonus[ids_of(titled[at] & documents)] += _TITLE_SHARE * rarities[at] / whole
        seen |= documents
    least = _LEAST_SHARE if len(held) < _PROSE_COUNT else _LEAST_SHARE_OF_PROSE
    # Only where something was seen: to look through a million zeros takes longer than all the rest.
    numbers = ids_of(seen)
    found = numbers[shares[numbers] >= least]
    total = shares[found] + bonus[found]
    levels = np.minimum(total * _GROUP_COUNT / (1 + _TITLE_SHARE), _GROUP_COUNT).astype(np.uint8)
    groups = (bitmap_of(found[levels == level]) for level in range(_GROUP_COUNT, -1, -1))
    return Holding(tuple(group for group in groups if group), tuple(_best(found, total, limit)))


def _best(found: Ids, total: NDArray[np.float32], limit: int) -> list[int]:
    """The documents with the largest totals, those that are equal in the order of their numbers."""
    # A quarter of a million totals, most of them equal, take 20 ms to be sorted or partitioned; counted, half of one.
    steps = (total * _STEP_COUNT).astype(np.uint16)
    down = np.cumsum(np.bincount(steps)[::-1])
    last = len(down) - 1 - int(np.searchsorted(down, min(limit, len(total))))
    above, at = steps > last, steps == last
    order = np.argsort(-total[above], kind="stable")
    best: list[int] = found[above][order].tolist()
    # Within a step there are few different totals.
    found, total = found[at], total[at]
    while len(best) < limit and len(found):
        is_largest = total == total.max()
        best += found[is_largest][: limit - len(best)].tolist()
        found, total = found[~is_largest], total[~is_largest]
    return best
