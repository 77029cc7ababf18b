"""How numbers, highlights and values are written for people."""

import json
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from livesearch.domain import Field, FieldType, Highlight, Segment

# A value in a line of several is cut here; the document page shows it whole.
_SHORT_LENGTH = 60

_BOOLEANS = {"true": "Yes", "false": "No"}


def format_count(count: int) -> str:
    """Write a count with its thousands told apart."""
    return f"{count:,}"


def format_results(total: int, *, is_exact: bool = True) -> str:
    """Write how many results there are: ``No results``, ``1 result``, ``about 1,200 results``."""
    if total == 0:
        return "No results"
    noun = "result" if total == 1 else "results"
    return f"{'' if is_exact else 'about '}{format_count(total)} {noun}"


def format_duration(milliseconds: float) -> str:
    """Write a short time."""
    return f"{milliseconds:.0f} ms" if milliseconds >= 1 else "under 1 ms"


def format_highlight(highlight: Highlight) -> Markup:
    """Write a text with its matched runs in ``<mark>``; everything that came from a row is escaped."""
    return Markup(  # noqa: S704  # each part is escaped; Markup.join would look at every one again
        "".join(
            f"<mark>{escape(segment.text)}</mark>" if segment.is_match else escape(segment.text)
            for segment in highlight
        )
    )


def format_choice(field: Field, value: str) -> str:
    """Write a facet value for people."""
    return _BOOLEANS.get(value, value) if field.type is FieldType.BOOLEAN else value


def format_value(value: object) -> str:
    """Write one JSON value: text as it is, the rest as people write it. Empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def format_values(value: object) -> tuple[str, ...]:
    """Write a field's values, of which lists have several; those that say nothing are left out."""
    values = value if isinstance(value, list | tuple) else (value,)
    return tuple(text for text in map(format_value, values) if text.strip())


def shorten(text: str) -> str:
    """Cut a text to what fits a line of several values; the cut is marked."""
    return text if len(text) <= _SHORT_LENGTH else text[: _SHORT_LENGTH - 1].rstrip() + "…"


def shorten_highlight(highlight: Highlight, length: int) -> Highlight:
    """Cut a text with matched runs to so many characters; the cut is marked."""
    kept: list[Segment] = []
    for segment in highlight:
        if len(segment.text) > length:
            return (*kept, Segment(segment.text[: max(0, length - 1)].rstrip() + "…", segment.is_match))
        kept.append(segment)
        length -= len(segment.text)
    return highlight


def is_web_address(text: str) -> bool:
    """Whether a text is a whole http or https URL. Nothing else is ever linked: ``javascript:`` runs when clicked."""
    if not text.startswith(("http://", "https://")) or any(character.isspace() for character in text):
        return False
    try:
        return bool(urlsplit(text).hostname)
    except ValueError:
        return False
