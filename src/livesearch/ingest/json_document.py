"""The shape a JSON object takes as a document.

A document is flat:

- names are trimmed and lose control characters; an empty one becomes ``column_3`` after its position; one that then
  stands twice gets a number;
- an object inside gives one field for each of its names: ``{"size": {"w": 1}}`` becomes ``size.w``;
- lists of scalars stay lists, without their nulls; deeper objects and lists that hold lists or objects become JSON
  text;
- an integer beyond 64 bits becomes the text of its digits, so that none is lost.

An object is refused as a row when a name repeats (a value would be lost), when it holds NUL (PostgreSQL cannot store
it) or a number beyond a double's range, has more than ``MAX_FIELDS`` names, one of them longer than
``MAX_NAME_CHARACTERS``, or nests deeper than ``MAX_DEPTH`` levels.
"""

import math
from typing import Any

import orjson

from livesearch.errors import SourceError
from livesearch.ingest.json_strict import (
    LARGEST_INTEGER,
    MAX_DEPTH,
    SMALLEST_INTEGER,
    ExactDecoder,
    is_deeper_than,
    load,
)
from livesearch.ingest.source import MAX_FIELDS, make_unique, tidy_name

_ROUND_AT = 2.0**63  # orjson gives larger integers as floats, digits lost
_MAX_KNOWN_NAMES = 100_000


class DocumentBuilder:
    """Turns JSON objects into documents; remembers the names that need no tidying, which makes it quick."""

    def __init__(self) -> None:
        self._tidy_names: set[str] = set()
        self._decoder = ExactDecoder()

    def from_bytes(self, data: bytes) -> dict[str, Any]:  # Any: JSON values
        """Parse one object; several times quicker than ``from_value`` where the object is flat.

        Raises:
            SourceError: It is not JSON or cannot be a row; the message is the reason.
        """
        value = load(data)
        if type(value) is dict and _shows_no_repeat(data, value) and b"\\u0000" not in data and _is_flat(value):
            return self._tidy(value)
        return self._exactly(data, value)

    def from_value(self, value: object, *, repeated: str | None) -> dict[str, Any]:
        """Shape a value that ``ExactDecoder`` gave.

        Args:
            value: Any JSON value.
            repeated: The name that stood twice in it.

        Raises:
            SourceError: It cannot be a row; the message is the reason.
        """
        if not isinstance(value, dict):
            raise SourceError("not an object")
        if repeated is not None:
            raise SourceError(f"the name “{repeated}” stands twice")
        if _is_flat(value):
            _refuse_unstorable(_all_text(value))
            return self._tidy(value)
        if is_deeper_than(value, MAX_DEPTH):
            raise SourceError(f"nested deeper than {MAX_DEPTH} levels")
        _refuse_unstorable(value)
        return self._tidy(_flatten(value))

    def _exactly(self, data: bytes, value: object) -> dict[str, Any]:
        if is_deeper_than(value, MAX_DEPTH):  # before the standard library's decoder, which takes stack
            raise SourceError(f"nested deeper than {MAX_DEPTH} levels")
        exact, _ = self._decoder.decode(data.decode().strip())
        return self.from_value(exact, repeated=self._decoder.repeated)

    def _tidy(self, value: dict[str, Any]) -> dict[str, Any]:
        if value.keys() <= self._tidy_names and len(value) <= MAX_FIELDS:
            return value
        if len(value) > MAX_FIELDS:
            raise SourceError(f"{len(value):,} names; the limit is {MAX_FIELDS:,}")
        names = list(value)
        tidy = make_unique(names)
        if len(self._tidy_names) < _MAX_KNOWN_NAMES:
            self._tidy_names.update(name for name in names if name and name == tidy_name(name))
        return value if tidy == names else dict(zip(tidy, value.values(), strict=True))


def _shows_no_repeat(data: bytes, value: dict[str, Any]) -> bool:
    """Whether it is plain that no name stands twice in a flat object; False says nothing."""
    # A name is followed by a colon. Text may look so too, but nothing hides a name, so equal counts prove that none
    # repeats, as long as a line does not put a blank before some colons only. The full pattern would cost 6 µs a row.
    return data.count(b'":') == len(value)


def _is_flat(value: dict[str, Any]) -> bool:
    """Whether all values are scalars that both stores hold, or lists of text."""
    for part in value.values():
        kind = part.__class__
        if kind is str:
            continue
        if kind is int:
            if not SMALLEST_INTEGER <= part <= LARGEST_INTEGER:
                return False
        elif kind is list:
            try:
                "".join(part)  # the quickest look at whether all are text
            except TypeError:
                return False
        elif kind is dict or (kind is float and not -_ROUND_AT < part < _ROUND_AT):
            return False
    return True


def _all_text(value: dict[str, Any]) -> str:
    """The names, texts and lists of text of a flat object, run together."""
    parts = list(value)
    for part in value.values():
        if part.__class__ is str:
            parts.append(part)
        elif part.__class__ is list:
            parts.extend(part)
    return "".join(parts)


def _refuse_unstorable(value: object) -> None:
    if isinstance(value, dict):
        for name, part in value.items():
            _refuse_unstorable(name)
            _refuse_unstorable(part)
    elif isinstance(value, list):
        for part in value:
            _refuse_unstorable(part)
    elif isinstance(value, str):
        if "\0" in value:
            raise SourceError("a NUL character")
        if not value.isascii() and _has_lone_surrogate(value):
            raise SourceError("half of a surrogate pair, which is no character")
    elif isinstance(value, float) and not math.isfinite(value):
        raise SourceError("a number too large to hold")


def _has_lone_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _flatten(value: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, part in value.items():
        if isinstance(part, dict):
            for inner, deeper in part.items():
                _put(flat, f"{name.strip()}.{inner.strip()}", deeper)
        else:
            _put(flat, name, part)
    return flat


def _put(flat: dict[str, Any], name: str, value: object) -> None:
    unique, count = name, 1
    while unique in flat:  # {"a.b": 1, "a": {"b": 2}}
        count += 1
        unique = f"{name}_{count}"
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(part, dict | list) for part in value)):
        flat[unique] = orjson.dumps(value).decode()
    elif isinstance(value, list):
        flat[unique] = [part for part in value if part is not None]
    else:
        flat[unique] = value
