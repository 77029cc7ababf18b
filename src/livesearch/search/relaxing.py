"""What to show when no document holds every word: those that hold the most of them, rare words counting most."""

from collections import defaultdict
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
# More than what the rounding of shares may come to.
_ROUNDING = 0.001
# Up to so many kinds of documents, by what they hold, are told apart as bitmaps, in 1 ms where a quarter of a million
# documents one by one take 12. Names of files make a dozen kinds, a question in prose hundreds of few documents each.
_KIND_COUNT = 100
_NONE = np.float32(0)


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
    least = _LEAST_SHARE if len(held) < _PROSE_COUNT else _LEAST_SHARE_OF_PROSE
    # Rare words first: what holds only frequent ones is not worth its time.
    places = sorted(range(len(held)), key=lambda at: len(held[at]))
    parts: list[_Part] = []
    seen, left = BitMap(), sum(rarities[at] / whole for at in places)
    for at in places:
        documents = held[at] & (seen if len(seen) >= _SEEN_COUNT else everything)
        # What holds none of the rarer words, and cannot come to enough by the others, is passed over.
        fresh = documents - seen if left > least - _ROUNDING else BitMap()
        share, bonus = np.float32(rarities[at] / whole), np.float32(_TITLE_SHARE * rarities[at] / whole)
        parts.append(_Part(share, bonus, documents, titled[at] & documents, fresh))
        seen |= documents
        left -= rarities[at] / whole
    kinds = _kinds(parts)
    return _holding_of_kinds(kinds, least, limit) if kinds is not None else _holding(parts, least, limit)


@dataclass(frozen=True, slots=True)
class _Part:
    """What one clause says of documents.

    Attributes:
        share: Of the query, which the clause is.
        bonus: What it adds in a title.
        documents: Those that satisfy it.
        titled: Those of them that do so in a title.
        fresh: Those of them that satisfy none of the clauses before, and may still be found.
    """

    share: np.float32
    bonus: np.float32
    documents: BitMap
    titled: BitMap
    fresh: BitMap


# By what documents hold of a query, and what its being in titles adds: the documents.
_Kinds = dict[tuple[np.float32, np.float32], BitMap]


def _kinds(parts: Sequence[_Part]) -> _Kinds | None:
    """The documents that may be found, by what they hold; None where too many hold too different things."""
    kinds: _Kinds = {}
    for part in parts:
        split: defaultdict[tuple[np.float32, np.float32], list[BitMap]] = defaultdict(list)
        for (share, bonus), documents in [*kinds.items(), ((_NONE, _NONE), part.fresh)]:
            holding = documents & part.documents
            titled = holding & part.titled
            split[share, bonus].append(documents - holding if holding else documents)
            split[share + part.share, bonus].append(holding - titled if titled else holding)
            split[share + part.share, bonus + part.bonus].append(titled)
        found = {kind: [some for some in every if some] for kind, every in split.items()}
        kinds = {kind: some[0] if len(some) == 1 else BitMap.union(*some) for kind, some in found.items() if some}
        if len(kinds) > _KIND_COUNT:
            return None
    return kinds


def _holding_of_kinds(kinds: _Kinds, least: float, limit: int) -> Holding:
    """What to show of them."""
    by_total: defaultdict[np.float32, list[BitMap]] = defaultdict(list)
    for (share, bonus), documents in kinds.items():
        if share >= least:
            by_total[share + bonus].append(documents)
    best: list[int] = []
    groups: defaultdict[int, list[BitMap]] = defaultdict(list)
    totals = sorted(by_total, reverse=True)
    for total, level in zip(totals, _levels(np.array(totals, np.float32)).tolist(), strict=True):
        equal = BitMap.union(*by_total[total])
        groups[level].append(equal)
        if len(best) < limit:
            best += equal[: limit - len(best)]
    return Holding(tuple(BitMap.union(*some) for some in groups.values()), tuple(best))


def _holding(parts: Sequence[_Part], least: float, limit: int) -> Holding:
    """The same, document by document."""
    eligible = BitMap.union(BitMap(), *(part.fresh for part in parts))
    if not eligible:
        return Holding()
    shares = np.zeros(eligible.max() + 1, np.float32)
    bonus = np.zeros(len(shares), np.float32)
    for part in parts:
        shares[ids_of(part.documents & eligible)] += part.share
        bonus[ids_of(part.titled & eligible)] += part.bonus
    # Only there: to look through a million zeros takes longer than all the rest.
    numbers = ids_of(eligible)
    found = numbers[shares[numbers] >= least]
    total = shares[found] + bonus[found]
    levels = _levels(total)
    groups = (bitmap_of(found[levels == level]) for level in range(_GROUP_COUNT, -1, -1))
    return Holding(tuple(group for group in groups if group), tuple(_best(found, total, limit)))


def _levels(total: NDArray[np.float32]) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.minimum(total * _GROUP_COUNT / (1 + _TITLE_SHARE), _GROUP_COUNT).astype(np.uint8)
    return levels


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
