"""How numbers, highlights and values are written for people."""

import json
import math
from collections.abc import Iterable
from urllib.parse import urlsplit

from markupsafe import Markup

from livesearch.domain import FieldType, Highlight, Segment
from livesearch.web.rendering import escape_shown

# A value in a line of several is cut here; the document page shows it whole.
_SHORT_LENGTH = 60
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400

_BOOLEANS = {"true": "Yes", "false": "No"}


def format_count(count: int, *, is_exact: bool = True) -> str:
    """Write a count with its thousands told apart; a lower bound as ``≥ 1,200``."""
    return f"{count:,}" if is_exact else f"≥\u00a0{count:,}"


def format_results(total: int, *, is_exact: bool = True) -> str:
    """Write how many results there are: ``No results``, ``1 result``, ``≥ 1,200 results``."""
    if total == 0:
        return "No results"
    noun = "result" if total == 1 and is_exact else "results"
    return f"{format_count(total, is_exact=is_exact)} {noun}"


def format_duration(milliseconds: float) -> str:
    """Write a short time."""
    return f"{milliseconds:.0f} ms" if milliseconds >= 1 else "under 1 ms"


def format_age(seconds: float) -> str:
    """Write how long ago something was: ``just now``, ``5 min ago``."""
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    return f"{int(seconds // _DAY)} d ago"


def format_summands(values: Iterable[float]) -> tuple[tuple[str, ...], str]:
    """Write numbers and their sum with two decimals, so that what is shown sums to the sum that is shown.

    Each is rounded down, and what that takes from the sum is given to those that lost most (the method of the largest
    remainder): none is shown a hundredth or more beside its value.
    """
    exact = [value * 100 for value in values]
    shown, total = [math.floor(value) for value in exact], round(math.fsum(exact))
    losers = sorted(range(len(exact)), key=lambda at: shown[at] - exact[at])
    for at in losers[: total - sum(shown)]:
        shown[at] += 1
    return tuple(f"{value / 100:.2f}" for value in shown), f"{total / 100:.2f}"


def format_highlight(highlight: Highlight) -> Markup:
    """Write a text with its matched runs in ``<mark>``; everything that came from a row is escaped."""
    return _mark(highlight, "mark")


def format_changes(highlight: Highlight) -> Markup:
    """Write a text with its changed words in ``<em>``; everything that was typed is escaped."""
    return _mark(highlight, "em")


def _mark(highlight: Highlight, tag: str) -> Markup:
    return Markup(  # noqa: S704  # each part is escaped; Markup.join would look at every one again
        "".join(
            [f"<{tag}>{escape_shown(text)}</{tag}>" if is_match else escape_shown(text) for text, is_match in highlight]
        )
    )


def format_choice(type_: FieldType, value: str) -> str:
    """Write a facet value for people."""
    return _BOOLEANS.get(value, value) if type_ is FieldType.BOOLEAN else value


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
