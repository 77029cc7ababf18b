"""What a field's value means to the index: texts, facet values, numbers."""

from datetime import UTC, datetime
from typing import Any

from livesearch.domain import Document, Field, FieldType, Role


def texts(value: Any) -> list[str]:  # Any: a JSON value
    """The texts a value holds, one for each value of a list; numbers as they are written."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts(part)]
    return [str(value)]


def display_text(value: Any) -> str:  # Any: a JSON value
    """The value as one line for people."""
    return ", ".join(texts(value))


def is_year(field: Field) -> bool:
    """Whether people type the field's numbers as words: “zelda 1998”."""
    return field.role is Role.SORT and "year" in field.name.casefold()


def title_of(document: Document, title_field: Field | None, key: str) -> str:
    """What a document is called: its title, or its key where that is missing."""
    return (display_text(document.get(title_field.name)) if title_field else "").strip() or key


def format_number(number: float, field: Field) -> str:
    """A number of a field as text for a form: dates in ISO 8601, whole numbers without a point."""
    if field.type is FieldType.DATE:
        return datetime.fromtimestamp(number, UTC).date().isoformat()
    return str(int(number)) if number == int(number) else repr(number)
