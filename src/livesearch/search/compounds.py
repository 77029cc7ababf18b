"""Compound words: where a title has words that may be joined, or parts that may stand alone.

All is read from the *shape* of a text, which has one letter for each of its characters: ``U`` and ``l`` for capital and
small letters, ``o`` for letters without case, ``c`` for those of scripts without spaces (``v`` where it only voices the
one before), ``0`` for digits, ``-`` for what joins words, ``_`` and ``.`` for themselves, a space for all else.
"""

import re

# What joins words: hyphens and apostrophes.
JOINERS = "-'\u2019\u2010\u2011"


def _ascii_shape(sign: str) -> str:
    if sign.isdigit():
        return "0"
    if sign.isalpha():
        return "U" if sign.isupper() else "l"
    return "-" if sign in JOINERS else sign if sign in "_." else " "


ASCII_SHAPE = bytes(ord(_ascii_shape(sign) if sign.isascii() else " ") for sign in map(chr, range(256)))
# The same, with a full stop for digits and all that joins: without it, without “lU” and “UUll”, nothing is found.
ASCII_HINTS = ASCII_SHAPE.translate(bytes.maketrans(b"0-", b".."))

# Two or three words joined by hyphens or apostrophes, no more: longer chains are descriptions that nobody types as one.
# Numbers alone are dates and ranges, and a version (“lib-1.0-dev”) does not begin or end in the middle.
_JOINED = re.compile(r"(?<![Ulo0_])(?<![Ulo0]-)(?<!0\.)(?=[0-]*[Ulo])[Ulo0]++(?:-[Ulo0]++){1,2}+(?!-[Ulo0]|\.0|_)")
_ACRONYM = re.compile(r"(?<![Ulo0.])[Ul](?:\.[Ul]){1,7}+(?![Ulo0])")
_MIXED = re.compile(r"(?<![Ulo0])(?:[Ulo]++0|0++[Ulo])[Ulo0]*+")
_MIXED_PART = re.compile(r"0+|[Ulo]+")
# Capitals inside a word; the two small letters spare “DVDs” and “PCs”.
_CAMEL = re.compile(r"(?<![Ulo])[Ulo]*?(?:lU|UUll)[Ulo]*+")
_CAMEL_PART = re.compile(r"U{2,}(?!ll)|U?l+|U|o+")
# Words of more parts are no names: digests, keys in base 64.
_PART_COUNT = 5
# Two characters of scripts without spaces with little between them: people leave the dot or the space out.
_CROSSING = re.compile(r"(?=(cv?[^Ulo0cv]{1,3}cv?))")


def compounds(shape: str) -> list[tuple[int, int]]:
    """Start and end of what is a word beside the words of a text: joined words, then parts of words."""
    found: list[tuple[int, int]] = []
    if "-" in shape:
        found += [joined.span() for joined in _JOINED.finditer(shape)]
    if "." in shape:
        found += [joined.span() for joined in _ACRONYM.finditer(shape)]
    if "0" in shape:
        for mixed in _MIXED.finditer(shape):
            found += _parts(mixed.start(), _MIXED_PART.findall(mixed[0]))
    if "lU" in shape or "UUll" in shape:
        for camel in _CAMEL.finditer(shape):
            found += _parts(camel.start(), _CAMEL_PART.findall(camel[0]))
    if "c" in shape:
        found += [crossing.span(1) for crossing in _CROSSING.finditer(shape)]
    return found


def _parts(start: int, shapes: list[str]) -> list[tuple[int, int]]:
    """The parts of one word; of single characters only digits, and only beside what is longer: “PS2”, “7zip”."""
    if not 1 < len(shapes) <= _PART_COUNT or max(map(len, shapes)) == 1:
        return []
    found = []
    for shape in shapes:
        end = start + len(shape)
        if len(shape) > 1 or shape == "0":
            found.append((start, end))
        start = end
    return found
