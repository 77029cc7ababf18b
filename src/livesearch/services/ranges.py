"""From the ends of a range as they were written to numbers."""

import re
from calendar import isleap, monthrange
from collections.abc import Set as AbstractSet

import numpy as np

from livesearch.domain import NUMERIC_ROLES, Collection, Field, FieldType, Range, Role, SearchQuery
from livesearch.errors import InvalidInputError
from livesearch.ingest import number_of

Limits = tuple[float | None, float | None]

# A year, a month or a day, as ISO 8601 writes them.
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


def require_field(collection: Collection, name: str, roles: AbstractSet[Role], what: str) -> Field:
    """The field of that name, if its role is one of those.

    Raises:
        InvalidInputError: It has another role, or there is no such field.
    """
    field = collection.field(name)
    if field is None or field.role not in roles:
        able = ", ".join(f.name for f in collection.by_role(*roles)) or "none"
        raise InvalidInputError(f"“{name}” is not {what} of “{collection.name}”. Those that are: {able}.")
    return field


def range_limits(collection: Collection, query: SearchQuery, name: str) -> Limits:
    """The smallest and largest number that a query's range of a field leaves; None for an open end.

    Raises:
        InvalidInputError: The field has no numbers, or an end is none.
    """
    return limits_of(require_field(collection, name, NUMERIC_ROLES, "a number or a date"), query.ranges[name])


def limits_of(field: Field, asked: Range) -> Limits:
    """The smallest and largest number of a range, ends included.

    Raises:
        InvalidInputError: An end is not a number or date.
    """
    ends: list[float | None] = []
    for text, number in ((asked.minimum, _first(asked.minimum, field)), (asked.maximum, _last(asked.maximum, field))):
        if text is not None and (number is None or np.isnan(number)):
            kind = "a date like 2009-12-31" if field.role is Role.DATE else "a number"
            raise InvalidInputError(f"“{text}” is not {kind}, which the range of “{field.name}” needs.")
        ends.append(number)
    return ends[0], ends[1]


def _first(text: str | None, field: Field) -> float | None:
    return None if text is None else number_of(text, field.type)


def _last(text: str | None, field: Field) -> float | None:
    """The number of an upper end; of a day, month or year as it was written, its last moment."""
    first = _first(text, field)
    written = _DATE.fullmatch((text or "").strip())
    if first is None or written is None or field.type is not FieldType.DATE:
        return first
    year, month, day = (int(part) if part else 0 for part in written.groups())
    day_count = 1 if day else monthrange(year, month)[1] if month else 365 + isleap(year)
    return first + 86_400 * day_count - 0.001
