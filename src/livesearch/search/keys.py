"""The names of postings: what a bitmap of documents stands for.

========  =====================================================
prefix    documents that hold …
========  =====================================================
``*``     anything: every live document
``w``     the word, in any searched field
``t``     the word, in a title field
``p``     a word that begins so (1 to 4 letters), in any field
``q``     a word that begins so (1 to 4 letters), in a title
``f``     the facet value: ``f<field>U+001F<value>``
``o``     the owner or group the document is open to: ``o<field>U+001F<name>``
``x``     the word, and in no field whose words may stand for misspelled ones
========  =====================================================
"""

ALL = "*"
# Prefixes up to this length have bitmaps of their own; longer ones union the few words that begin so.
PREFIX_LENGTH = 4
_SEPARATOR = "\x1f"


def word(term: str, *, in_title: bool) -> str:
    """The key of a whole word."""
    return ("t" if in_title else "w") + term


def exempt(term: str) -> str:
    """The key of a whole word where it stands in typo-exempt fields alone. Only documents of ``word`` have it."""
    return "x" + term


# First key and end (exclusive) of all words, and of those in exempt fields.
WORD_RANGE, EXEMPT_RANGE = ("w", "x"), ("x", "y")


def prefix(start: str, *, in_title: bool) -> str:
    """The key of a word beginning of 1 to 4 letters."""
    return ("q" if in_title else "p") + start


def word_range(start: str, *, in_title: bool) -> tuple[str, str]:
    """First key and end (exclusive) of all words that begin so."""
    first = word(start, in_title=in_title)
    return first, first + "\U0010ffff"


def facet(field: str, value: str) -> str:
    """The key of a facet value."""
    return f"f{field}{_SEPARATOR}{value}"


def opened(field: str, name: str) -> str:
    """The key of who may see documents by a field; see `search.visibility`. Only one field of a collection has some."""
    return f"o{field}{_SEPARATOR}{name}"


# First key and end (exclusive) of all that ``opened`` gives.
OPENED_RANGE = ("o", "p")


def facet_range(field: str) -> tuple[str, str]:
    """First key and end (exclusive) of all values of a facet field."""
    return f"f{field}{_SEPARATOR}", f"f{field}{chr(ord(_SEPARATOR) + 1)}"
