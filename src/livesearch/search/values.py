"""What a field's value means to the index: texts, facet values, numbers."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from livesearch.domain import SEARCHABLE_ROLES, Collection, Document, Field, FieldType, Role

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND = (datetime.min.replace(tzinfo=UTC) - _EPOCH).total_seconds()
_LAST_SECOND = (datetime.max.replace(microsecond=0, tzinfo=UTC) - _EPOCH).total_seconds()


def texts(value: Any) -> list[str]:  # Any: a JSON value
    """The texts a value holds, one for each value of a list; numbers as they are written."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts(part)]
    return [str(value)]


def display_text(value: Any) -> str:  # Any: a JSON value
    """The value as one line for people."""
    return value if type(value) is str else ", ".join(texts(value))


def is_searched(field: Field) -> bool:
    """Whether the words of a field are looked for: texts, dates, and numbers that people type, as in “zelda 1998”."""
    if field.type is FieldType.BOOLEAN:
        return False
    is_year = field.role is Role.SORT and "year" in field.name.casefold()
    return field.role in SEARCHABLE_ROLES or field.role is Role.DATE or is_year


# Values that head a document without title and key: two tell most rows apart and fit one line.
_HEADING_COUNT = 2


def title_of(document: Document, collection: Collection, key: str) -> str:
    """What a document is called: its title, or its key; where that is a hash, which says nothing, its first values."""
    titles = (display_text(document.get(field.name)).strip() for field in collection.by_role(Role.TITLE))
    if title := next(filter(None, titles), ""):
        return title
    if collection.key_field:
        return key
    fields = collection.by_role(Role.TEXT) + collection.by_role(Role.FACET)
    values = (display_text(document.get(field.name)).strip() for field in fields)
    return " · ".join(islice(filter(None, values), _HEADING_COUNT)) or key


def format_number(number: float, field: Field) -> str:
    """A number of a field as text for a form: dates in ISO 8601, whole numbers without a point."""
    if field.type is FieldType.DATE:
        # Years 1 to 9999 are all that a date field of a form takes.
        moment = _EPOCH + timedelta(seconds=min(max(number, _FIRST_SECOND), _LAST_SECOND))
        return moment.date().isoformat()
    return str(int(number)) if number == int(number) else repr(number)
