"""From text to terms; shared by indexing, querying and highlighting."""

import re
import unicodedata

# A run longer than 64 letters is several words: nothing is cut, and keys stay short.
WORD_LENGTH = 64
# Marks belong to the letter before them: without them the words of Indic scripts and of Thai would fall apart.
_MARK = "".join(chr(code) for code in range(0x300, 0x10000) if unicodedata.category(chr(code)) in {"Mn", "Mc"})
# A word as it stands in a text; an underscore is none of its letters.
WORD = re.compile(rf"(?:(?!_)[\w{_MARK}])+")
_FOLDED_WORD = re.compile(rf"[\w{_MARK}]{{1,64}}")
# ASCII, most text there is, is folded and split by translation tables: a quarter of the regular expression's time.
_ASCII_WORDS = bytes(
    ord(letter.lower()) if letter.isascii() and letter.isalnum() else ord(" ") for letter in map(chr, range(256))
)
# Words joined by a hyphen or an apostrophe are also one: “F-16” answers to f16, “Link's” to links.
_JOINED = re.compile(r"[^\W_]+(?:[-'\u2019][^\W_]+)+")

# Letters whose base is not found by decomposition (Unicode gives them none).
_STROKED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h"}
)
# Only the marks of Latin, Greek and Cyrillic are folded away: removing the Japanese voicing marks or the vowel signs of
# Indic scripts would make other words of them.
_MARKS = re.compile("[\u0300-\u036f]+")


def fold(text: str) -> str:
    """Fold case, width and diacritics: ``Pokémon`` becomes ``pokemon``.

    Returns:
        Text that may be longer or shorter than what was given.

    Source: Unicode NFKC and case folding; marks U+0300 to U+036F removed.
    """
    if text.isascii():
        return text.lower()
    # Decomposing brings forth capitals that were none before: a mathematical letter is none, the “A” in it is.
    decomposed = unicodedata.normalize("NFKD", text.casefold()).casefold()
    return unicodedata.normalize("NFKC", _MARKS.sub("", decomposed).translate(_STROKED))


def words(text: str) -> list[str]:
    """The folded words of a text, in order, each at most 64 letters."""
    if text.isascii():
        found = spaced(text).decode().split()
        if len(max(found, key=len, default="")) <= WORD_LENGTH:
            return found
    return _FOLDED_WORD.findall(fold(text).replace("_", " "))


def title_terms(text: str) -> list[str]:
    """What a title is found by: its words in order, then joined words as one. A term may come more than once."""
    return words(text) + _joined_terms(text)


def spaced(text: str) -> bytes:
    """The words of a text as ``words`` gives them, in UTF-8 with spaces between; for ``split_spaced``."""
    if text.isascii():
        return text.encode().translate(_ASCII_WORDS)
    return " ".join(words(text)).encode()


def spaced_title(text: str) -> bytes:
    """The terms of a title as ``title_terms`` gives them; see ``spaced``."""
    joined = _joined_terms(text)
    return spaced(text) + b" " + " ".join(joined).encode() if joined else spaced(text)


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


def _joined_terms(text: str) -> list[str]:
    if "-" not in text and "'" not in text and "\u2019" not in text:
        return []
    return [
        joined.replace("-", "").replace("'", "").replace("\u2019", "")[:WORD_LENGTH]
        for joined in _JOINED.findall(fold(text))
    ]
