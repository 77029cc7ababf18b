"""Telling the encoding of text, and decoding it without losing or inventing anything."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from charset_normalizer import from_bytes

from livesearch.errors import SourceError

# Stands where bytes could not be decoded. A lone surrogate: no encoding can produce it, so a row that holds one is told
# apart from a row that held a replacement character to begin with.
UNDECODABLE = "\udc80"
_HANDLER = "livesearch.mark"

# Longest first: the UTF-32 mark begins with the UTF-16 one.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What spreadsheets and old databases write. Offering every codec makes the guess on short text worse, and slow.
# In order of how common they are: short text fits several equally.
_LEGACY = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257",
    "koi8_r", "mac_roman", "cp932", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip
_GUESS_BYTES = 50_000  # the guess takes about 0.2 s on this much, and is no better on more
_TOLERANCE = 0.02  # of charset-normalizer's figures, 0.0 to 1.0; closer matches are equals
# A UTF-8 file with one bad row in ten good ones is a UTF-8 file with bad rows, not a file in another encoding.
_GOOD_FOR_EACH_BAD = 10


@dataclass(frozen=True, slots=True)
class Encoding:
    """A codec's name as Python knows it, and the bytes to skip before the text."""

    codec: str
    mark_length: int = 0


def detect_encoding(head: bytes, *, is_whole: bool) -> Encoding:
    """Tell the encoding from the beginning of a text.

    In this order: a byte order mark; UTF-16 by its zero bytes; UTF-8 when it fits but for a few bad places; a guess.

    Args:
        head: The first bytes, at most about 1 MB.
        is_whole: Whether the text ends with ``head``, so that a character cut at its end is a fault.
    """
    marked = byte_order_mark(head)
    if marked is not None:
        return marked
    utf16 = _utf16_without_mark(head)
    if utf16 is not None:
        return Encoding(utf16)
    if _is_mostly_utf8(head, is_whole=is_whole):
        return Encoding("utf-8")
    return Encoding(_guess(head))


def byte_order_mark(head: bytes) -> Encoding | None:
    """The encoding a text's first bytes state; None when they state none."""
    return next((Encoding(codec, len(mark)) for mark, codec in _MARKS if head.startswith(mark)), None)


def decode_chunks(chunks: Iterable[bytes], encoding: Encoding) -> Iterator[str]:
    """Decode a stream; ``UNDECODABLE`` stands where bytes do not fit the encoding."""
    decoder = codecs.getincrementaldecoder(encoding.codec)(_HANDLER)
    skip = encoding.mark_length
    for chunk in chunks:
        text = decoder.decode(chunk[skip:])
        skip = 0
        if text:
            yield text
    rest = decoder.decode(b"", final=True)
    if rest:
        yield rest


def _mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return UNDECODABLE, error.end
    raise error


codecs.register_error(_HANDLER, _mark_undecodable)


def _utf16_without_mark(head: bytes) -> str | None:
    # Text in UTF-16 without a mark has a zero in nearly every second byte, as long as its letters are Latin.
    sample = head[:4_000]
    half = len(sample) // 2
    if half < 2:  # noqa: PLR2004
        return None
    if sample[1::2].count(0) > 0.7 * half and sample[0::2].count(0) == 0:
        return "utf-16-le"
    if sample[0::2].count(0) > 0.7 * half and sample[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _is_mostly_utf8(head: bytes, *, is_whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head, final=is_whole)
    except UnicodeDecodeError:
        text = next(decode_chunks([head], Encoding("utf-8")), "")
        bad = text.count(UNDECODABLE)
        good = sum(1 for _ in re.finditer(r"[^\x00-\x7f\udc80]", text))
        return good >= bad * _GOOD_FOR_EACH_BAD
    return True


def _guess(head: bytes) -> str:
    # Lines of plain ASCII say nothing about the encoding.
    telling = b"\n".join(line for line in re.split(rb"[\r\n]+", head) if not line.isascii())[:_GUESS_BYTES]
    matches = from_bytes(telling, cp_isolation=_LEGACY, preemptive_behaviour=False)
    best = matches.best()
    if best is None:
        raise SourceError(
            "The encoding of the text cannot be told; it is not UTF-8, UTF-16 or a common older one. "
            "Save it as UTF-8 and try again."
        )
    equals = {
        codec
        for match in matches
        if match.chaos <= best.chaos + _TOLERANCE and match.coherence >= best.coherence - _TOLERANCE
        for codec in match.could_be_from_charset
    }
    return next(codec for codec in _LEGACY if codec in equals)
