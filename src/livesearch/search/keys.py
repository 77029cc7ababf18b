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
========  =====================================================
"""

ALL = "*"
# Prefixes up to this length have bitmaps of their own; longer ones union the few words that begin so.
PREFIX_LENGTH = 4
_SEPARATOR = "\x1f"


def word(term: str, *, in_title: bool) -> str:
    """The key of a whole word."""
    return ("t" if in_title else "w") + term


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


def facet_range(field: str) -> tuple[str, str]:
    """First key and end (exclusive) of all values of a facet field."""
    return f"f{field}{_SEPARATOR}", f"f{field}{chr(ord(_SEPARATOR) + 1)}"


def facet_value(key: str) -> str:
    """The value that a facet key names."""
    return key.partition(_SEPARATOR)[2]
