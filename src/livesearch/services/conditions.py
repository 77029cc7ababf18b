"""What ``field:value`` in a query's text leaves."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pyroaring import BitMap

from livesearch.domain import NUMERIC_ROLES, Range
from livesearch.errors import InvalidInputError
from livesearch.search import keys
from livesearch.search.analysis import fold, words
from livesearch.search.matching import Postings
from livesearch.search.query import Condition
from livesearch.services.columns import Columns
from livesearch.services.ranges import Limits, limits_of

# Values of one facet whose postings are read. An unfinished text can mean thousands: all documents are looked at then.
_VALUE_COUNT = 200


@dataclass(frozen=True, slots=True)
class Meaning:
    """A condition as it is to be met.

    Attributes:
        values: Of a facet, those that are meant; None for a range.
    """

    condition: Condition
    limits: Limits = (None, None)
    values: Sequence[str] | None = None

    @property
    def filters(self) -> Mapping[str, Sequence[str]]:
        """What postings are wanted of; more values than a few are looked up in the column."""
        is_few = self.values is not None and len(self.values) <= _VALUE_COUNT
        return {self.condition.field.name: self.values or ()} if is_few else {}


def read_conditions(
    conditions: Iterable[Condition], columns: Columns, visible: BitMap | None = None
) -> tuple[list[Meaning], tuple[str, ...]]:
    """Say what conditions mean in a collection; and of those that mean nothing, why, in words for people.

    Args:
        visible: The documents there are for who asks; None for all.
    """
    meanings, notices = [], []
    for condition in conditions:
        name = condition.field.name
        try:
            if condition.field.role in NUMERIC_ROLES:
                meanings.append(Meaning(condition, limits=_limits(condition)))
                notices += reversed_notice(condition.typed, meanings[-1].limits)
            else:
                column = columns.facets[name]
                values = column.names.values if visible is None else column.values_of(visible, columns.everything)
                meanings.append(Meaning(condition, values=_named(condition, values)))
        except InvalidInputError as error:
            # Half a number is no error while it is being typed.
            notices.append(f"“{condition.typed}” was left out. {error}")
    return meanings, tuple(notices)


def reversed_notice(typed: str, limits: Limits) -> list[str]:
    """What to say of a range that nothing can lie in."""
    minimum, maximum = limits
    if minimum is None or maximum is None or minimum <= maximum:
        return []
    return [f"Nothing lies in “{typed}”: it begins after its end."]


def meet_conditions(meanings: Iterable[Meaning], columns: Columns, postings: Postings) -> BitMap | None:
    """The documents that fulfil all conditions; None where there are none."""
    found: BitMap | None = None
    for meaning in meanings:
        met = _met(meaning, columns, postings)
        if meaning.condition.is_excluded:
            met = columns.everything - met
        found = met if found is None else found & met
    return found


def _met(meaning: Meaning, columns: Columns, postings: Postings) -> BitMap:
    name = meaning.condition.field.name
    if meaning.values is None:
        return columns.numbers[name].between(*meaning.limits)
    if not meaning.filters:
        return columns.facets[name].holders(meaning.values)
    return BitMap.union(BitMap(), *(postings.get(keys.facet(name, value)) for value in meaning.values))


def _limits(condition: Condition) -> Limits:
    minimum, maximum = limits_of(condition.field, condition.range)
    if not condition.is_open:
        return minimum, maximum
    # The end itself does not count: of a day or a year, no moment of it does.
    if minimum is not None:
        _, last = limits_of(condition.field, Range(maximum=condition.range.minimum))
        return math.nextafter(minimum if last is None else last, math.inf), None
    first, _ = limits_of(condition.field, Range(minimum=condition.range.maximum))
    return None, None if first is None else math.nextafter(first, -math.inf)


def _named(condition: Condition, values: Sequence[str]) -> list[str]:
    """The values that are meant: the very one, or all that have the words; the last word may be unfinished."""
    asked = fold(condition.value or "")
    by_text = [(fold(value), value) for value in values if value]
    if same := [value for text, value in by_text if text == asked]:
        return same
    *whole, last = words(asked) or [""]
    return [value for text, value in by_text if last and _has(words(text), whole, last, is_last=condition.is_last)]


def _has(held: list[str], whole: list[str], last: str, *, is_last: bool) -> bool:
    return all(word in held for word in whole) and (
        last in held or (is_last and any(word.startswith(last) for word in held))
    )
