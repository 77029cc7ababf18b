"""Strict JSON: the syntax that is taken, and parsers that tell what others let pass.

Syntax is RFC 8259 as orjson holds it: no ``NaN``, no comments, no trailing commas, no lone surrogates, no number beyond
a double's range, UTF-8 only.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from livesearch.errors import SourceError

MAX_DEPTH = 20  # levels of lists and objects; deeper is an attack or a mistake, and walking it costs stack
LARGEST_INTEGER = 2**63 - 1  # what both stores can hold
SMALLEST_INTEGER = -(2**63)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LONG_INTEGER = re.compile(rb"[0-9]{19}")
_SAFE_DIGITS = 18  # an integer this long always fits 64 bits


class ExactDecoder:
    """The standard library's decoder, made to keep or refuse what it would change.

    Integers beyond 64 bits become the text of their digits; ``NaN`` and infinities are refused; repeated names are
    remembered.

    Attributes:
        repeated: A name that stood twice in one object of the last decoded value; None when none did.
    """

    def __init__(self) -> None:
        self.repeated: str | None = None
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_int=_exact_integer, parse_constant=_refuse_constant
        )

    def decode(self, text: str, at: int = 0) -> tuple[Any, int]:  # Any: JSON values
        """Decode the value that begins at a position; give it and the position after it.

        Raises:
            ValueError: No whole value begins there.
            RecursionError: It nests too deep.
        """
        self.repeated = None
        return self._decoder.raw_decode(text, at)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) != len(pairs):
            names = [name for name, _ in pairs]
            self.repeated = next(name for name in names if names.count(name) > 1)
        return value


def parse_json_strict(data: bytes) -> object:
    """Parse one JSON text, a UTF-8 byte order mark allowed.

    A repeated name keeps its last value here, as the standard allows; a row with one is refused by the readers.

    Raises:
        SourceError: The text is not JSON, nests deeper than ``MAX_DEPTH``, or holds a number no double can hold.
    """
    data = data.removeprefix(BYTE_ORDER_MARK)
    value = load(data)
    if is_deeper_than(value, MAX_DEPTH):
        raise SourceError(f"nested deeper than {MAX_DEPTH} levels")
    return ExactDecoder().decode(data.decode().strip())[0] if _LONG_INTEGER.search(data) else value


def load(data: bytes) -> Any:  # Any: JSON values
    """Parse with orjson: quick and strict, but integers beyond 64 bits lose digits and names may repeat.

    Raises:
        SourceError: The text is not JSON.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise SourceError(f"not JSON: {error}") from error


def is_deeper_than(value: object, limit: int) -> bool:
    """Whether lists and objects nest in more than ``limit`` levels; takes no stack."""
    level = [value]
    for _ in range(limit):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in _parts(outer)]
        if not level:
            return False
    return any(isinstance(inner, dict | list) for inner in level)


def _parts(value: Mapping[str, object] | list[object]) -> list[object]:
    return list(value.values()) if isinstance(value, Mapping) else value


def _exact_integer(digits: str) -> int | str:
    if len(digits) <= _SAFE_DIGITS:
        return int(digits)
    if len(digits) > _SAFE_DIGITS + 2:
        return digits
    number = int(digits)
    return number if SMALLEST_INTEGER <= number <= LARGEST_INTEGER else digits


def _refuse_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")
