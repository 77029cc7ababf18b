"""From text to terms; shared by indexing, querying and highlighting.

ADR 0013 says which scripts are cut into pairs, what else a title is found by, and why.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from livesearch.search.compounds import ASCII_HINTS, ASCII_SHAPE, JOINERS, compounds

# A run longer than 64 letters is several words: nothing is cut, and keys stay short.
WORD_LENGTH = 64
# Marks belong to the letter before them: without them the words of Indic scripts would fall apart. Those beyond U+FFFF,
# of scripts that are hardly typed, are left out: with them every regular expression here would take ten times as long.
_MARK = "".join(chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code)) in {"Mn", "Mc"})
# Letters of scripts that put no space between words: those of line-breaking class SA (Thai, Lao, Myanmar, Khmer, Tai),
# and Han, kana and bopomofo, with iteration and prolonged sound marks; digits are as everywhere.
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109d\u1780-\u17d3"
    "\u17d7\u17dc\u17dd\u1950-\u1974\u1980-\u19c9\u1a20-\u1a7c\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa76\uaa7a-\uaac2"
    "\u3005-\u3007\u3021-\u302f\u3031-\u3035\u3038-\u303c\u3041-\u309a\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U0001aff0-\U0001b16f\U00020000-\U000323af"
)
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_WORD = re.compile(rf"[\w{_MARK}]{{1,{WORD_LENGTH}}}")
# A run of such a script, or a word of any other.
_RUN_OR_WORD = re.compile(rf"([{_UNSPACED}]+)|((?:(?![{_UNSPACED}])[\w{_MARK}]){{1,{WORD_LENGTH}}})")
_UNSPACED_PAIR = re.compile(rf"[{_UNSPACED}]{{2}}")
# What never joins with what stands before it, whatever that is; and what follows a letter as part of it: marks, jamo,
# halfwidth voicing marks, and signs that are folded away.
_CLUSTER = re.compile(
    rf".[{_MARK}\u1160-\u11ff\ud7b0-\ud7ff\uff9e-\uffdc\xad\u200d\u2060\ufe00-\ufe0f\U000e0100-\U000e01ef]*", re.DOTALL
)
# ASCII, most text there is, is folded and split by translation tables: a quarter of the regular expression's time.
_ASCII_WORDS = bytes(
    ord(letter.lower()) if letter.isascii() and letter.isalnum() else ord(" ") for letter in map(chr, range(256))
)

# Letters whose base is not found by decomposition (Unicode gives them none).
_BASES = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h"}
_STROKED = str.maketrans(_BASES)
_HAS_STROKED = re.compile(f"[{''.join(_BASES)}]")
# Only the marks of Latin, Greek and Cyrillic are folded away: removing the Japanese voicing marks or the vowel signs of
# Indic scripts would make other words of them. With them go signs that are not seen: soft hyphens, joiners, variants.
_MARKS = re.compile("[\u0300-\u036f\xad\u200d\u2060\ufe00-\ufe0f\U000e0100-\U000e01ef]+")


class QueryToken(NamedTuple):
    """A folded word and where it stands in a text. A tuple: highlighting makes thousands of them.

    Attributes:
        start: Offset of its first character in the text as given.
        end: Offset after its last one. Pairs of one run overlap: each begins before the one before it ends.
        is_run: Whether it is a pair of characters, or a single one, of a script without spaces.
    """

    text: str
    start: int
    end: int
    is_run: bool = False


def fold(text: str) -> str:
    """Fold case, width and diacritics: ``Pokémon`` becomes ``pokemon``.

    Returns:
        Text that may be longer or shorter than what was given.

    Source: Unicode NFKC and case folding; marks U+0300 to U+036F and invisible signs removed.
    """
    if text.isascii():
        return text.lower()
    # NFKC would make letters of them: “Zelda™” is not called “zeldatm”.
    text = text.replace("\u2122", " ").replace("\u2120", " ")
    lowered = text.casefold()
    decomposed = unicodedata.normalize("NFKD", lowered)
    if _MARKS.search(decomposed) or not unicodedata.is_normalized("NFKC", lowered):
        # Decomposing brings forth capitals that were none before: a mathematical letter is none, the “A” in it is.
        lowered = unicodedata.normalize("NFKC", _MARKS.sub("", decomposed.casefold()))
    return lowered.translate(_STROKED) if _HAS_STROKED.search(lowered) else lowered


def words(text: str, *, with_last: bool = True) -> list[str]:
    """The folded words of a text, in order, each at most 64 letters.

    A run of a script without spaces is given as its pairs of neighbours and its last character: each character then
    begins a word, and each two that stand together are one.

    Args:
        with_last: Whether runs of two and more characters give their last one alone as well. Without it the words are
            those of ``query_terms``, each beside the next: what to look for, and phrases in a document.
    """
    if text.isascii():
        found = spaced(text).decode().split()
        if len(text) <= WORD_LENGTH or len(max(found, key=len, default="")) <= WORD_LENGTH:
            return found
    folded = fold(text).replace("_", " ")
    if not _HAS_UNSPACED.search(folded):
        return _WORD.findall(folded)
    found = []
    for run, word in _RUN_OR_WORD.findall(folded):
        if run:
            found += map("".join, pairwise(run))
        if word or with_last or len(run) == 1:
            found.append(word or run[-1])
    return found


def written(folded: str) -> str:
    """Folded words as people write them: what is in pairs, of a script without spaces, is a run again.

    Args:
        folded: With single spaces between words; of a run its pairs, as ``query_terms`` gives them.
    """
    first, *others = folded.split(" ")
    found, before = [first], first
    for word in others:
        if len(before) == len(word) == 2 and before[1] == word[0] and _UNSPACED_PAIR.fullmatch(word):  # noqa: PLR2004  # a pair
            found[-1] += word[1]
        else:
            found.append(word)
        before = word
    return " ".join(found)


def query_terms(text: str) -> list[QueryToken]:
    """The words of a query with their places, as ``words`` gives them for a document that holds the same text.

    Of a run of a script without spaces only the pairs are given: its last character says nothing that they do not. A
    run of one character is that character, which stands for every word that begins with it.
    """
    return list(tokens(text, with_last=False))


def tokens(text: str, *, with_last: bool = True) -> Iterator[QueryToken]:
    """The words of a text with their places.

    Args:
        with_last: As for ``words``.
    """
    # Folding never reaches across a space.
    for found in _CHUNK.finditer(text):
        chunk, start = found[0], found.start()
        folded, starts, ends = _folded_with_places(chunk)
        for part in _RUN_OR_WORD.finditer(folded.replace("_", " ")):
            begin, end = part.span()
            if part[2]:
                yield QueryToken(part[2], start + starts[begin], start + ends[end - 1])
                continue
            for at in range(begin, end - 1):
                yield QueryToken(folded[at : at + 2], start + starts[at], start + ends[at + 1], is_run=True)
            if with_last or end - begin == 1:
                yield QueryToken(folded[end - 1], start + starts[end - 1], start + ends[end - 1], is_run=True)


_CHUNK = re.compile(r"\S+")
_fold_cluster = lru_cache(maxsize=4096)(fold)


def _folded_with_places(text: str) -> tuple[str, list[int], list[int]]:
    """The folded text, and for each of its letters where that letter's first and last character stands in the text."""
    folded = fold(text)
    # Where case folding and nothing else made a difference, and kept the length, each letter has its place.
    if len(folded) == len(text) and (text.isascii() or folded == text.casefold()):
        return folded, list(range(len(text))), list(range(1, len(text) + 1))
    starts: list[int] = []
    ends: list[int] = []
    pieces = []
    for cluster in _CLUSTER.finditer(text):
        piece = _fold_cluster(cluster[0])
        pieces.append(piece)
        starts += [cluster.start()] * len(piece)
        ends += [cluster.end()] * len(piece)
    if "".join(pieces) == folded:
        return folded, starts, ends
    # Letters have joined across what was taken for their bounds: their places are not known.
    return folded, [0] * len(folded), [len(text)] * len(folded)


def place_after(text: str, length: int) -> int:
    """Where the first letters of a folded text end in the text as it stands; what is no letter does not count.

    Args:
        text: Of a word, or of several words that are taken as one.
        length: Folded letters (count); the text's own length is given when it has no more.
    """
    folded, _, ends = _folded_with_places(text)
    places = [end for letter, end in zip(folded, ends, strict=True) if letter != "_" and _WORD.match(letter)]
    return places[length - 1] if 0 < length < len(places) else len(text)


def title_terms(text: str) -> list[str]:
    """What a title is found by: its words in order, then its alternatives. A term may come more than once."""
    return words(text) + [term for start, end in _compounds(text) if (term := _as_one(text[start:end]))]


def alternatives(text: str) -> Iterator[QueryToken]:
    """What a title is found by beside its words, with the places: joined words, and the parts of compound ones.

    ``F-16`` is also f16, ``E.T.`` et, ``PlayStation2`` playstation, 2, play and station, ``ルパン・三世`` also ン三.
    """
    for start, end in _compounds(text):
        if term := _as_one(text[start:end]):
            yield QueryToken(term, start, end)


def spaced(text: str) -> bytes:
    """The words of a text as ``words`` gives them, in UTF-8 with spaces between; for ``split_spaced``."""
    if text.isascii():
        return text.encode().translate(_ASCII_WORDS)
    return " ".join(words(text)).encode()


def spaced_title(text: str) -> bytes:
    """The terms of a title as ``title_terms`` gives them; see ``spaced``."""
    if not text.isascii():
        return " ".join(title_terms(text)).encode()
    encoded = text.encode()
    found = encoded.translate(_ASCII_WORDS)
    hints = encoded.translate(ASCII_HINTS).decode()
    # Most titles end here; the checks are written out because a call would take as long as all of them.
    if "." not in hints and "lU" not in hints and "UUll" not in hints:
        return found
    further = [found[start:end].replace(b" ", b"")[:WORD_LENGTH] for start, end in _compounds(text)]
    return b" ".join((found, *further))


def split_spaced(texts: bytes) -> list[bytes]:
    """The words of many texts put together: one call for thousands costs a third of one call for each text."""
    found = texts.split()
    if len(max(found, key=len, default=b"")) <= WORD_LENGTH:
        return found
    # Only what was ASCII can be too long in letters: other texts were cut before.
    return [
        word[start : start + WORD_LENGTH] if word.isascii() else word
        for word in found
        for start in range(0, len(word) if word.isascii() else 1, WORD_LENGTH)
    ]


_VOICING = "\u3099\u309a\uff9e\uff9f"


class _Shapes(dict[int, str]):
    """By character, its letter in a shape; what was asked for is kept."""

    def __missing__(self, code: int) -> str:
        letter = self[code] = _shape_of(chr(code))
        return letter


def _shape_of(sign: str) -> str:
    folded = fold(sign)
    if folded == "_" or folded in set(JOINERS):
        return "_" if folded == "_" else "-"
    if _HAS_UNSPACED.match(folded):
        return "v" if sign in _VOICING else "c"
    if folded and (_HAS_UNSPACED.search(folded) or not _WORD.fullmatch(folded)):
        return " "
    if folded.isdecimal():
        return "0"
    if sign.isupper() or sign.istitle():
        return "U"
    # Marks, and signs that are folded away, are part of the letter before them.
    return "o" if folded and sign.isalpha() and not sign.islower() else "l"


_SHAPES = _Shapes(enumerate(ASCII_SHAPE[:128].decode()))


def _compounds(text: str) -> list[tuple[int, int]]:
    if not text.isascii():
        return compounds(text.translate(_SHAPES))
    encoded = text.encode()
    hints = encoded.translate(ASCII_HINTS)
    # As for `spaced_title`: most texts end here.
    if b"." not in hints and b"lU" not in hints and b"UUll" not in hints:
        return []
    return compounds(encoded.translate(ASCII_SHAPE).decode())


def _as_one(text: str) -> str:
    """A text as one folded word, without what joins its parts."""
    if text.isascii():
        return spaced(text).replace(b" ", b"")[:WORD_LENGTH].decode()
    return "".join(_WORD.findall(fold(text).replace("_", " ")))[:WORD_LENGTH]
