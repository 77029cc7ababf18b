"""How the documents of a result are spread over a number or a date: bins that read well, and their counts."""

import math
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, repeat, zip_longest

import numpy as np
from numpy.typing import NDArray

from livesearch.domain import Bin, Field, FieldType
from livesearch.search.bands import Numbers, changed_places
from livesearch.search.numbers import NO_NUMBERS, NumberColumn
from livesearch.search.ordinals import Ordinals, Part
from livesearch.search.selections import Base
from livesearch.search.values import format_number

# Bins that a small picture can show: the days of a month. Steps read well, so there may be as few as twelve.
_MOST_BINS = 31
# Whole numbers below that are told apart by floats.
_EXACT = 2.0**53
# Narrower bins cannot be told apart by their ends.
_NARROWEST = 1e-300

_NOWHERE = np.empty(0, np.intp)
# Changed documents of a chunk that are put in one by one.
_FEW_PLACES = 256
_LARGEST = int(sys.float_info.max)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_FIRST_DAY, _LAST_DAY = ((datetime(*day, tzinfo=UTC) - _EPOCH).days for day in ((1, 1, 1), (9999, 12, 31)))
_LAST_YEAR = 9999
_MONTHS = 12


def choose_edges(field: Field, minimum: float, maximum: float, *, is_whole: bool) -> tuple[float, ...]:
    """Where bins begin and the last one ends: round numbers, or the first days of months, years, decades.

    Args:
        minimum: Smallest value there is.
        maximum: Largest.
        is_whole: Whether all values are whole numbers.

    Returns:
        Increasing, at least two unless all values are the same fraction; all values are from the first to the last.
    """
    if field.type is FieldType.DATE:
        first, *inner, last = _date_edges(minimum, maximum)
    elif is_whole and maximum - minimum < _MOST_BINS and max(-minimum, maximum) < _EXACT:
        return tuple(float(edge) for edge in range(int(minimum), int(maximum) + 2))
    else:
        first, *inner, last = _number_edges(minimum, maximum, is_whole=is_whole)
    # Time zones put moments of the first and the last day outside of all years; and numbers are rounded.
    edges = tuple(dict.fromkeys((min(first, minimum), *inner, max(last, maximum))))
    return edges if len(edges) > 1 else (minimum, maximum)


def _number_edges(minimum: float, maximum: float, *, is_whole: bool) -> tuple[float, ...]:
    # Halves: the difference of two numbers can be larger than any number.
    width = (maximum / 2 - minimum / 2) / ((_MOST_BINS - 1) / 2)
    if width < _NARROWEST:
        return (minimum, maximum)
    exponent = math.floor(math.log10(width))
    # Steps are 1, 2 or 5 with zeros; told in whole numbers, so that 0.3 is not 0.30000000000000004.
    factor = next(factor for factor in (1, 2, 5, 10) if factor * 10.0**exponent >= width)
    if is_whole and exponent < 0:
        factor, exponent = 1, 0
    first = math.floor(minimum / (factor * 10.0**exponent))
    edges = [_scaled(factor * first, exponent)]
    while edges[-1] < maximum and len(edges) < _MOST_BINS + 2:
        edges.append(_scaled(factor * (first + len(edges)), exponent))
    # Of neighbours among the largest numbers the first edge may be rounded past both.
    return tuple(edges) if len(edges) > 1 else (minimum, maximum)


def _scaled(number: int, exponent: int) -> float:
    power: int = 10 ** abs(exponent)
    return number / power if exponent < 0 else float(max(-_LARGEST, min(number * power, _LARGEST)))


def _date_edges(minimum: float, maximum: float) -> tuple[float, ...]:
    first, last = (_EPOCH + timedelta(days=min(max(end // _DAY, _FIRST_DAY), _LAST_DAY)) for end in (minimum, maximum))
    for days in (1, 7):
        if (last - first).days < days * (_MOST_BINS - 1):
            return _day_edges(first, last, days)
    span = (last.year - first.year) * _MONTHS + last.month - first.month
    months = next(months for months in _MONTH_STEPS if span < months * (_MOST_BINS - 1))
    return _month_edges(first, last, months)


# A month, a quarter; a year, two, five and so on to a thousand: years have four digits.
_MONTH_STEPS = (1, 3, *(_MONTHS * years for years in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)))


def _day_edges(first: datetime, last: datetime, days: int) -> tuple[float, ...]:
    # Weeks begin on Monday.
    begin = first - timedelta(days=first.weekday() if days > 1 else 0)
    count = (last - begin).days // days + 1
    start = (begin - _EPOCH).total_seconds()
    return tuple(start + _DAY * days * position for position in range(count + 1))


def _month_edges(first: datetime, last: datetime, months: int) -> tuple[float, ...]:
    begin, end = (day.year * _MONTHS + day.month - 1 for day in (first, last))
    begin -= begin % months
    return tuple(_month_start(month) for month in range(begin, end - end % months + months + 1, months))


def _month_start(month: int) -> float:
    year, month = divmod(month, _MONTHS)
    if year > _LAST_YEAR:
        return (datetime(_LAST_YEAR, 12, 31, tzinfo=UTC) - _EPOCH).total_seconds() + _DAY
    return (datetime(max(year, 1), month + 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()


@dataclass(frozen=True, slots=True)
class Bins:
    """The bin of every document of a numeric field; never changed, another version shares what is the same.

    Attributes:
        edges: See ``choose_edges``.
        sources: The chunks that the bins were told from.
        ordinals: A document's bin, from 1.
    """

    edges: tuple[float, ...]
    sources: tuple[Numbers, ...]
    ordinals: Ordinals

    @classmethod
    def of(cls, field: Field, column: NumberColumn) -> "Bins":
        """Choose bins, and tell each document's. Takes 0.1 s a million."""
        edges = _edges_of(field, column)
        if not edges:
            return cls((), (), Ordinals())
        found = cls(edges, (), Ordinals()).following(column)
        return cls(edges, found.sources, found.ordinals.with_frequent())

    def fits(self, field: Field, column: NumberColumn) -> bool:
        """Whether the bins are those that would be chosen now, and can be counted quickly.

        What was there once must not show: another process would tell other bins of the same documents.
        """
        return self.edges == _edges_of(field, column) and not (self.edges and self.ordinals.lacks_frequent)

    def following(self, column: NumberColumn) -> "Bins":
        """The bins for these numbers: only chunks that have changed are looked at."""
        ordinals, parts = self.ordinals, {}
        for chunk, (before, after) in enumerate(zip_longest(self.sources, column.chunks, fillvalue=NO_NUMBERS)):
            places = changed_places(before, after) if before is not after else _NOWHERE
            if len(places) > _FEW_PLACES:
                parts[chunk] = Part(self._bins_of(after))
            elif len(places):
                found = self._bins_of(after[places]).tolist()
                told = {place: [bin_] if bin_ else [] for place, bin_ in zip(places.tolist(), found, strict=True)}
                ordinals = ordinals.with_documents(chunk, told)
        return Bins(self.edges, column.chunks, ordinals.with_parts(parts))

    def _bins_of(self, numbers: Numbers) -> NDArray[np.uint8]:
        # The last bin holds its end too.
        found = np.minimum(np.searchsorted(np.array(self.edges), numbers, side="right"), len(self.edges) - 1)
        found[np.isnan(numbers)] = 0
        return found.astype(np.uint8)

    def count(self, field: Field, base: Base) -> tuple[Bin, ...]:
        """Count the documents of each bin."""
        counts = self.ordinals.count(base).counts[1:].tolist()
        labels = _labels(self.edges, field)
        return tuple(map(Bin, labels, labels[1:], chain(counts, repeat(0))))


def _edges_of(field: Field, column: NumberColumn) -> tuple[float, ...]:
    """The edges for these numbers; none where there is no number."""
    return _chosen_edges(field, *column.extent, column.is_whole) if column.extent else ()


@lru_cache(maxsize=256)
def _chosen_edges(field: Field, minimum: float, maximum: float, is_whole: bool) -> tuple[float, ...]:  # a cache's key
    return choose_edges(field, minimum, maximum, is_whole=is_whole)


@lru_cache(maxsize=256)
def _labels(edges: tuple[float, ...], field: Field) -> list[str]:
    """How edges are written; not to be changed."""
    return [format_number(edge, field) for edge in edges]
