"""Synonym files, in the format that Solr and Elasticsearch read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from livesearch.errors import SourceError

# A comma, or an arrow, without a backslash before it.
_COMMA = re.compile(r"(?<!\\),")
_ARROW = re.compile(r"(?<!\\)=>")
_ESCAPE = re.compile(r"\\(.)")

# Far more than the synonyms that a collection takes.
_FILE_SIZE = 1_000_000


@dataclass(frozen=True, slots=True)
class SynonymLine:
    """A rule as it was written, before its words are folded.

    Attributes:
        line: Where it stands, from 1.
    """

    line: int
    words: str
    alternatives: tuple[str, ...]
    is_two_way: bool


def read_synonyms(data: bytes) -> list[SynonymLine]:
    """Read the rules of a file: ``a, b, c`` stand for each other, ``a, b => c, d`` each of the left for the right.

    Empty lines and those that begin with ``#`` are passed over; a backslash takes the sign after it as it is.

    Raises:
        SourceError: The file is not UTF-8, larger than a megabyte, or a line is no rule.
    """
    if len(data) > _FILE_SIZE:
        raise SourceError(f"A file of synonyms may have {_FILE_SIZE:,} bytes at most. Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SourceError(f"Line {line} of the synonyms is not UTF-8. Save the file as UTF-8.") from error
    return [rule for number, line in enumerate(text.splitlines(), 1) for rule in _rules(number, line.strip())]


def _rules(number: int, line: str) -> Iterator[SynonymLine]:
    if not line or line.startswith("#"):
        return
    sides = [_split(side) for side in _ARROW.split(line)]
    if not all(sides) or len(sides) > 2 or (len(sides) == 1 and len(sides[0]) == 1):  # noqa: PLR2004  # left and right
        raise SourceError(f"Line {number} is no synonym: “{line[:80]}”. Write “a, b, c” or “a => b, c”.")
    if len(sides) == 1:
        yield SynonymLine(number, sides[0][0], tuple(sides[0][1:]), is_two_way=True)
        return
    for words in sides[0]:
        yield SynonymLine(number, words, tuple(sides[1]), is_two_way=False)


def _split(side: str) -> list[str]:
    return [_ESCAPE.sub(r"\1", part).strip() for part in _COMMA.split(side) if part.strip()]
