"""Values of documents as people edit them: as text, and back, so that what nobody touches stays as it is."""

from enum import Enum
from typing import Any

import orjson

from livesearch.domain import Field, FieldType, Role
from livesearch.errors import InvalidInputError
from livesearch.ingest import number_of
from livesearch.web.presenters.formats import is_web_address

# Characters that still read well in one line.
_LINE_LENGTH = 80


class Control(Enum):
    """How a value is edited."""

    LINE = "line"
    AREA = "area"
    LINES = "lines"
    CHOICE = "choice"
    JSON = "json"


def control_of(field: Field, value: Any) -> Control:  # Any: a JSON value
    """How to edit the value that a document has in a field, or has not (None)."""
    parts = value if isinstance(value, list) else [value]
    if any(isinstance(part, dict | list) for part in parts):
        return Control.JSON
    if isinstance(value, list) or (field.is_list and value is None):
        return Control.LINES
    text = text_of_value(value)
    if field.type is FieldType.BOOLEAN and text in {"", "true", "false"}:
        return Control.CHOICE
    is_long = len(text) > _LINE_LENGTH or "\n" in text
    return Control.AREA if is_long or field.role is Role.TEXT else Control.LINE


def text_of_value(value: Any) -> str:  # Any: a JSON value
    """A value as text; the same text always stands for the same value."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and not any(isinstance(part, dict | list) for part in value):
        return "\n".join(text_of_value(part) for part in value)
    if isinstance(value, dict | list):
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return str(value)


def value_of_text(text: str, field: Field, before: Any) -> Any:  # Any: JSON values
    """The value that a text stands for; None for an empty one.

    Args:
        before: What the document has; where the text is that of this value, it stays.

    Raises:
        InvalidInputError: The text is no value of the field.
    """
    # Forms send line ends as CRLF.
    text = text.replace("\r\n", "\n")
    if text == text_of_value(before):
        return before
    control = control_of(field, before)
    if control is Control.JSON:
        return _json(text)
    if control is not Control.LINES and not field.is_list:
        return _scalar(text.strip(), field) if text.strip() else None
    values = [_scalar(line.strip(), field) for line in text.split("\n") if line.strip()]
    is_single = len(values) == 1 and not isinstance(before, list)
    return values[0] if is_single else values or None


def _scalar(text: str, field: Field) -> str:
    """The text, if it is one of the field's type; the service types it as an import does."""
    if field.type is FieldType.NUMBER and number_of(text, field.type) is None:
        raise InvalidInputError(f"“{text}” is not a number. Write one like 12 or 3.5.")
    if field.type is FieldType.DATE and number_of(text, field.type) is None:
        raise InvalidInputError(f"“{text}” is not a date. Write one like 2009-12-31, 2009-12 or 2009.")
    if field.type is FieldType.BOOLEAN and number_of(text, field.type) is None:
        raise InvalidInputError(f"“{text}” is neither true nor false.")
    if field.type is FieldType.URL and not is_web_address(text):
        raise InvalidInputError(f"“{text}” is not a web address. Write one like https://example.com/.")
    return text


def _json(text: str) -> Any:  # Any: a JSON value
    if not text.strip():
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidInputError(f"This is not JSON: {error}.") from error
