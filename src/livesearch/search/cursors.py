"""Where a page of results ended, as a short text that a program hands back for the next page."""

import math
import struct
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2s

from livesearch.domain import SearchQuery
from livesearch.errors import InvalidInputError


class Part(IntEnum):
    """The parts of a result, in their order: by score, the others by tier and static rank; or all by a field."""

    SCORED = 1
    REST = 2
    SORTED = 3


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last document of a page.

    Attributes:
        number: Its document number.
        score: Its score, static score or value, whichever orders its part; NaN where it has none.
        tier: Its tier, from 0 to 63; of the rest only.
        shown: Documents up to the end of the page, pinned ones too; 255 for more, where no pin can be.
    """

    part: Part
    number: int
    score: float
    tier: int = 0
    shown: int = 0


# The cursor before all documents, where a page had none but pinned ones.
START = Cursor(Part.SCORED, 2**32 - 1, sys.float_info.max)
# Part and tier, documents shown, number, score, and 4 bytes that tell the search.
_FORM = struct.Struct("<BBId4s")
_TIER_BITS = 6
MOST_SHOWN = 255
# Share by which scores may have changed: they do so with every document that comes or goes, words being rarer then.
_DRIFT = 0.1


def encode_cursor(cursor: Cursor, query: SearchQuery) -> str:
    """Write a cursor: 24 characters that need no quoting in a URL."""
    shown = min(cursor.shown, MOST_SHOWN)
    place = cursor.part << _TIER_BITS | cursor.tier
    packed = _FORM.pack(place, shown, cursor.number, cursor.score, _fingerprint(query))
    return urlsafe_b64encode(packed).decode()


def decode_cursor(query: SearchQuery) -> Cursor | None:
    """Read the cursor of a search; None where it has none.

    Raises:
        InvalidInputError: It is no cursor, or one of another search.
    """
    if not query.cursor:
        return None
    try:
        place, shown, number, score, fingerprint = _FORM.unpack(urlsafe_b64decode(query.cursor))
        part, tier = divmod(place, 1 << _TIER_BITS)
        cursor = Cursor(Part(part), number, score, tier, shown)
    except (ValueError, struct.error):
        raise _refusal(query.cursor, "is not one that a search has given") from None
    if fingerprint != _fingerprint(query) or math.isinf(score):
        raise _refusal(query.cursor, "belongs to another search")
    return cursor


def next_of(ranked: Sequence[int], scores: Mapping[int, float], cursor: Cursor) -> int:
    """Where the page after a cursor begins among scored documents.

    Args:
        ranked: Best first.
        scores: Of all of them.

    Returns:
        An index; the length of ``ranked`` where nothing follows.
    """
    if cursor.number in scores:
        return ranked.index(cursor.number) + 1
    # It has gone since: what is about as good may be shown twice, but nothing is passed over.
    most = cursor.score + _DRIFT * abs(cursor.score)
    return next((at for at, number in enumerate(ranked) if scores[number] <= most), len(ranked))


def _fingerprint(query: SearchQuery) -> bytes:
    """What tells searches apart; the size of a page may change between pages."""
    filters = sorted((name, sorted(values)) for name, values in query.filters.items() if values)
    ranges = sorted((name, limits.minimum, limits.maximum) for name, limits in query.ranges.items())
    asked = [query.text.strip(), filters, ranges, query.sort, query.is_verbatim]
    # Not as JSON, which has no lone surrogates: any text is a query.
    return blake2s(repr(asked).encode(), digest_size=4).digest()


def _refusal(cursor: str, fault: str) -> InvalidInputError:
    return InvalidInputError(
        f"The cursor “{cursor[:40]}” {fault}."
        " Leave it out to begin with the first page, and take `next_cursor` from there."
    )
