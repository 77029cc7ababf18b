"""JSON bodies of requests: one type, a bounded size, and every fault named by its field."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import abort, request
from werkzeug.exceptions import RequestEntityTooLarge

from livesearch.domain import Document
from livesearch.errors import InvalidInputError, SourceError
from livesearch.ingest import parse_json_strict

# Bytes: the longest synonym is a tenth of it.
BODY_SIZE = 65_536
# Bytes, likewise; the bridge takes no more for any address but that of uploads. Larger rows are imported.
DOCUMENTS_SIZE = 1_000_000


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object, read field by field.

    Each reader raises InvalidInputError where the field's value is not what it reads. A field that is absent is None
    where the reader says so, and an error elsewhere.
    """

    values: Mapping[str, Any]  # Any: JSON values

    def only(self, *names: str) -> None:
        """Refuse fields that nobody will read: a mistyped name would otherwise change nothing, in silence."""
        for name in self.values:
            if name not in names:
                raise InvalidInputError(
                    f"“{name[:80]}” is no field of this request. Those that are: {', '.join(names)}."
                )

    def text(self, name: str) -> str:
        """A text."""
        value = self.values.get(name)
        if not isinstance(value, str):
            raise _refusal(name, "a text", value)
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts, not empty."""
        value = self.values.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(text, str) for text in value):
            raise _refusal(name, "a list of texts", value)
        return value

    def optional_text(self, name: str, *, null: str) -> str | None:
        """A text, or None where it is absent.

        Args:
            null: What JSON's null stands for.
        """
        if name not in self.values:
            return None
        return null if self.values[name] is None else self.text(name)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise _refusal(name, "true or false", value)
        return value

    def whole_number(self, name: str) -> int | None:
        """A whole number, or None where it is absent or null."""
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):  # to Python, true is a number
            raise _refusal(name, "a whole number", value)
        return value

    def number(self, name: str) -> float | None:
        """A number, or None where it is absent."""
        return _number(name, self.values[name]) if name in self.values else None

    def numbers(self, name: str) -> dict[str, float]:
        """An object of numbers; empty where it is absent."""
        return {key: _number(f"{name}.{key}", value) for key, value in self._object(name).items()}

    def flags(self, name: str) -> dict[str, bool]:
        """An object of true and false; empty where it is absent."""
        found = self._object(name)
        for key, value in found.items():
            if not isinstance(value, bool):
                raise _refusal(f"{name}.{key}", "true or false", value)
        return dict(found)

    def _object(self, name: str) -> Mapping[str, Any]:  # Any: JSON values
        value = self.values.get(name, {})
        if not isinstance(value, dict):
            raise _refusal(name, "an object", value)
        return value


def read_body() -> Body:
    """Read the JSON object that the request holds.

    Raises:
        InvalidInputError: It is not a JSON object.
        werkzeug.exceptions.HTTPException: As ``_read_json``.
    """
    value = _read_json(BODY_SIZE)
    if not isinstance(value, dict):
        raise InvalidInputError(f"The body must be a JSON object, as {{…}}, not {_kind(value)}.")
    return Body(value)


def read_documents() -> Document | list[Document]:
    """Read the document, or the list of documents, that the request holds.

    Raises:
        InvalidInputError: It is neither a JSON object nor a list of them.
        werkzeug.exceptions.HTTPException: As ``_read_json``.
    """
    value = _read_json(DOCUMENTS_SIZE)
    if isinstance(value, dict) or (isinstance(value, list) and all(isinstance(one, dict) for one in value)):
        return value
    kind = "a list with other values" if isinstance(value, list) else _kind(value)
    raise InvalidInputError(f"The body must be a document, as {{…}}, or a list of documents, not {kind}.")


def _read_json(limit: int) -> object:
    """Read the body as JSON.

    Args:
        limit: Bytes it may have.

    Raises:
        InvalidInputError: It is not JSON.
        werkzeug.exceptions.UnsupportedMediaType: The request does not say that it is JSON.
        werkzeug.exceptions.RequestEntityTooLarge: It is larger than the limit.
    """
    charset = request.mimetype_params.get("charset", "utf-8")
    if request.mimetype != "application/json" or charset.lower() != "utf-8":
        abort(415, "Send the body as JSON, with the header “Content-Type: application/json”.")
    try:
        return parse_json_strict(_read(limit))
    except SourceError as error:
        raise InvalidInputError(f"The body cannot be read: {error}.") from error


def _read(limit: int) -> bytes:
    # One more than is taken: Werkzeug cuts a body of unsaid length at its limit, without a word.
    request.max_content_length = limit + 1
    with suppress(RequestEntityTooLarge):
        content = request.get_data(cache=False)
        if len(content) <= limit:
            return content
    raise RequestEntityTooLarge(f"The body of this request may have {limit:,} bytes at most.")


def _number(name: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise _refusal(name, "a number", value)
    return float(value)


def _refusal(name: str, wanted: str, value: object) -> InvalidInputError:
    return InvalidInputError(f"“{name[:80]}” must be {wanted}, not {_kind(value)}.")


def _kind(value: object) -> str:
    kinds = {type(None): "null or absent", bool: "true or false", str: "a text", list: "a list", dict: "an object"}
    return kinds.get(type(value), "a number")
