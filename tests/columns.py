"""Columns made from plain values, for tests."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS
from livesearch.search.faceting import FacetColumn
from livesearch.search.numbers import NumberColumn
from livesearch.search.ordinals import Ordinals, Part
from livesearch.search.selections import CHUNK_SIZE, Base


def everything_of(count: int) -> BitMap:
    """That many documents."""
    return BitMap(range(count))


def base_of(documents: Iterable[int], count: int) -> Base:
    """Some of that many documents."""
    return Base(BitMap(documents), everything_of(count))


def facet_column(values: Sequence[Sequence[str]]) -> FacetColumn:
    """A column of the values of each document."""
    column = FacetColumn()
    pairs: defaultdict[int, list[int]] = defaultdict(list)
    for number, held in enumerate(values):
        place = number & (CHUNK_SIZE - 1)
        pairs[number >> CHUNK_BITS] += [place << 32 | int(ordinal) for ordinal in column.names.take(held)]
    parts = {chunk: Part.of_pairs(np.array(some, np.int64)) for chunk, some in pairs.items()}
    return FacetColumn(column.names, column.ordinals.with_parts(parts)).with_frequent()


def ordinals_of(flat: NDArray[np.int64]) -> Ordinals:
    """One ordinal for each document, 0 for none."""
    padded = np.concatenate((flat, np.zeros(-len(flat) % CHUNK_SIZE, np.int64))).reshape(-1, CHUNK_SIZE)
    places = np.arange(CHUNK_SIZE)
    parts = {chunk: Part.of_pairs((places << 32 | ordinals)[ordinals > 0]) for chunk, ordinals in enumerate(padded)}
    return Ordinals().with_parts(parts).with_frequent()


def number_column(numbers: Sequence[float] | NDArray[np.floating | np.integer]) -> NumberColumn:
    """A column of these numbers, NaN where there is none."""
    found = np.asarray(numbers, np.float64)
    padded = np.concatenate((found, np.full(-len(found) % CHUNK_SIZE, np.nan))).reshape(-1, CHUNK_SIZE)
    return NumberColumn(list(padded))
