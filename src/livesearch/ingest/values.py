"""Values: what a text means as a number, a date or a truth, and typed documents.

Nothing is lost in typing: a text that does not fit its field's type stays the text it was, and so does one that would
not come back the same (``007``, an integer beyond 64 bits).
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from livesearch.domain import Document, Field, FieldType

Scalar = str | int | float | bool

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_INTEGER = 2**63 - 1
_SAFE_DIGITS = 18  # an integer this long always fits 64 bits
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_LEADING_ZERO = re.compile(r"[+-]?0\d", re.ASCII)
# 1,234,567.89 with at least one group of three; 1,5 is no number here, since it means 1.5 in half of the world.
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_UNIT = re.compile(r"^(?:[$€£¥₹]|USD|EUR|GBP)\s?|\s?(?:[$€£¥₹%]|USD|EUR|GBP)$")
_PARTIAL_DATE = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?", re.ASCII)
_ISO_DATETIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:?\d\d.*", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_MONTHS_IN_YEAR = 12
# C0 controls except TAB and LF: they hide text, end strings early or stand for highlighting marks further up.
_CONTROLS = bytes({*range(0x20)} - {0x09, 0x0A})
_CONTROLS_REMOVED = dict.fromkeys(_CONTROLS)
_TRUTHS = MappingProxyType({"true": True, "false": False})


def number_of(value: object, type: FieldType) -> float | None:  # noqa: A002, PLR0911  # one return for each kind of value
    """The number a value is sorted and filtered by.

    Args:
        value: A scalar as a document holds it; lists give None.
        type: NUMBER reads numbers and numeric text, with grouped thousands (``1,234.5``), a currency or ``%``. DATE
            reads ISO 8601 dates and times, ``YYYY``, ``YYYY-MM``, ``YYYY/MM/DD``, ``DD.MM.YYYY``, and ``DD/MM/YYYY``
            only where it cannot be ``MM/DD/YYYY``. BOOLEAN reads true and false.

    Returns:
        The number; for dates seconds since 1970-01-01 UTC, negative before, a date without a zone taken as UTC and one
        without a time as its first moment; 1.0 and 0.0 for truths; None when the value does not fit.
    """
    if isinstance(value, bool):
        return float(value) if type is not FieldType.DATE else None
    if isinstance(value, int | float):
        if type is FieldType.DATE:
            return _year_seconds(value)
        return _finite(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if type is FieldType.DATE:
        return _date_seconds(text)
    if type is FieldType.BOOLEAN:
        truth = _TRUTHS.get(text.lower())
        return None if truth is None else float(truth)
    return _number_in(text)


def coerce(document: Document, fields: Mapping[str, Field]) -> Document:
    """Type one document's values; ``coercer`` is quicker for many."""
    return coercer(fields)(document)


def coercer(fields: Mapping[str, Field]) -> Callable[[Document], Document]:
    """Make the function that types documents of a collection.

    Empty text, nulls and empty lists are left out. Text loses control characters (TAB and LF stay, CR becomes LF). Text
    in number and boolean fields becomes a number or a truth where it fits. Unknown fields are kept.
    """
    by_type: dict[FieldType, Callable[[str], object]] = {
        FieldType.NUMBER: number_or_text,
        FieldType.BOOLEAN: _truth_or_text,
    }
    converters = {name: by_type[field.type] for name, field in fields.items() if field.type in by_type}

    def coerced(document: Document) -> Document:
        typed: dict[str, Any] = {}  # Any: JSON values
        for name, value in document.items():
            kind = value.__class__
            if kind is str:
                # Being printable is the quick way to know that no control is in it.
                text = value if value.isprintable() else clean_text(value)
                if text:
                    typed[name] = converters[name](text) if name in converters else text
            elif kind is list:
                if parts := _clean_list(value, converters.get(name)):
                    typed[name] = parts
            elif value is not None:
                typed[name] = value
        return typed

    return coerced


def clean_text(text: str) -> str:
    """The text without control characters; TAB and LF stay, CR and CRLF become LF."""
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded.translate(None, _CONTROLS)) == len(encoded):  # four times as quick as searching for them
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS_REMOVED)


def number_or_text(text: str) -> int | float | str:
    """The number that stands in a text; the text itself where it is none or would not come back the same."""
    if text.isdecimal() and text.isascii() and len(text) <= _SAFE_DIGITS:
        return int(text) if text[0] != "0" or text == "0" else text
    trimmed = text.strip()
    if not _NUMBER.fullmatch(trimmed) or _LEADING_ZERO.match(trimmed):
        return text
    if "." not in trimmed and "e" not in trimmed and "E" not in trimmed:
        number = int(trimmed) if len(trimmed) <= _SAFE_DIGITS + 2 else _LARGEST_INTEGER + 1
        return number if -_LARGEST_INTEGER - 1 <= number <= _LARGEST_INTEGER else text
    decimal = float(trimmed)
    return decimal if math.isfinite(decimal) else text


def _truth_or_text(text: str) -> bool | str:
    truth = _TRUTHS.get(text.strip().lower())
    return text if truth is None else truth


def _clean_list(values: list[Any], convert: Callable[[str], object] | None) -> list[Any]:
    if convert is None:
        try:
            if "".join(values).isprintable() and "" not in values:
                return values
        except TypeError:  # numbers among them
            pass
    cleaned = [clean_text(value) if isinstance(value, str) else value for value in values]
    parts = [value for value in cleaned if value is not None and value != ""]
    return [convert(part) if isinstance(part, str) else part for part in parts] if convert else parts


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _number_in(text: str) -> float | None:
    if _NUMBER.fullmatch(text):
        return _finite(float(text))
    bare = _UNIT.sub("", text)
    if _NUMBER.fullmatch(bare) or _GROUPED.fullmatch(bare):
        return _finite(float(bare.replace(",", "")))
    return None


def _year_seconds(value: float) -> float | None:
    return _seconds(int(value), 1, 1) if value == int(value) and 1 <= value <= 9999 else None  # noqa: PLR2004


def _date_seconds(text: str) -> float | None:
    match = _PARTIAL_DATE.fullmatch(text)
    if match:
        return _seconds(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    if _ISO_DATETIME.fullmatch(text):
        return _moment_seconds(text)
    match = _DAY_FIRST.fullmatch(text)
    if match:
        return _seconds(int(match[3]), int(match[2]), int(match[1]))
    match = _SLASHED.fullmatch(text)
    if match:
        return _slashed_seconds(int(match[1]), int(match[2]), int(match[3]))
    return None


def _slashed_seconds(first: int, second: int, year: int) -> float | None:
    if first > _MONTHS_IN_YEAR or first == second:
        return _seconds(year, second, first)
    if second > _MONTHS_IN_YEAR:
        return _seconds(year, first, second)
    return None  # 03/04/2020 is in March or in April


def _moment_seconds(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) / timedelta(seconds=1)


def _seconds(year: int, month: int, day: int) -> float | None:
    try:
        moment = datetime.combine(date(year, month, day), time(), UTC)
    except ValueError:
        return None
    return (moment - _EPOCH) / timedelta(seconds=1)
