"""Telling how a delimited text separates and quotes its cells.

``csv.Sniffer`` is not used: it takes letters for delimiters and fails on short files. Each likely dialect is tried on
the first rows instead; the one that gives the most rows as wide as the header wins.
"""

import csv
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

DELIMITERS = ",;\t|"  # in order of preference when all fit equally
_SAMPLE_ROWS = 200
_NAMES = {"\t": "tab", ",": ",", ";": ";", "|": "|"}
_SEPARATOR_LINE = re.compile(r"^sep=(.)[\r\n]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are told apart.

    Attributes:
        quote: What surrounds a cell that holds a delimiter; None where nothing does.
        skips_space: Whether one blank after the delimiter belongs to neither cell.
        line_count: Lines before the header that only state the delimiter (``sep=;``).
    """

    delimiter: str
    quote: str | None = '"'
    skips_space: bool = False
    line_count: int = 0

    @property
    def description(self) -> str:
        """For people: ``delimiter ;``."""
        quote = {'"': "", None: ", no quotes"}.get(self.quote, f", quote {self.quote}")
        return f"delimiter {_NAMES.get(self.delimiter, self.delimiter)}{quote}"

    def parameters(self) -> dict[str, object]:
        """Arguments for ``csv.reader``; ``strict`` so that a quote left open is an error, never a short read."""
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quote,
            "quoting": csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            "skipinitialspace": self.skips_space,
            "strict": True,
        }


def detect_dialect(lines: Sequence[str], *, is_tsv: bool = False) -> Dialect:
    """Tell the dialect from the beginning of a text.

    Args:
        lines: The first whole lines, line ends kept.
        is_tsv: The delimiter is a tab, whatever the rows look like.
    """
    stated = _SEPARATOR_LINE.match(lines[0]) if lines else None
    if stated:
        return Dialect(stated[1], line_count=1)
    delimiters = "\t" if is_tsv else DELIMITERS
    candidates = [
        Dialect(delimiter, quote, skips)
        for delimiter in delimiters
        for quote in _quotes(lines, delimiter)
        for skips in ((False, True) if _puts_space_before_quotes(lines, delimiter) else (False,))
    ]
    return max(candidates, key=lambda dialect: _fit(lines, dialect))  # the first of equals


def _quotes(lines: Sequence[str], delimiter: str) -> list[str | None]:
    quotes: list[str | None] = ['"']
    escaped = re.escape(delimiter)
    text = "".join(lines)
    if '"' not in text and re.search(
        rf"(?:^|{escaped})'[^'\r\n]*{escaped}[^'\r\n]*'(?:{escaped}|$)", text, re.MULTILINE
    ):
        quotes.append("'")
    if (
        delimiter == "\t" and lines and "\t" in lines[0]
    ):  # programs that write tabs often never quote; then a cell may begin with a quote by chance
        opened = len(re.findall(r'(?:^|\t)"', text, re.MULTILINE))
        closed = len(re.findall(r'(?:^|\t)"(?:[^"]|"")*"(?=[\t\r\n]|$)', text, re.MULTILINE))
        if closed * 2 < opened:
            quotes.append(None)
    return quotes


def _puts_space_before_quotes(lines: Sequence[str], delimiter: str) -> bool:
    return delimiter != "\t" and any(f'{delimiter} "' in line for line in lines)


def _fit(lines: Sequence[str], dialect: Dialect) -> tuple[float, int]:
    """How well a dialect explains the lines, then its number of columns; larger is better."""
    widths = _widths(lines, dialect)
    if not widths:
        return (0.0, 0)
    width = next((width for width in widths if width), 0)  # the header's, unless it is broken
    counts = Counter(widths)
    # Short rows only miss cells at their end; long ones and faults (width 0) contradict the dialect.
    agreement = (counts[width] + 0.5 * sum(n for w, n in counts.items() if 0 < w < width)) / len(widths)
    if width <= 1:
        return (agreement - 1.0, width)  # one column is what every wrong delimiter gives
    return (round(agreement * (1 + 0.1 * math.log2(width)), 6), width)


def _widths(lines: Sequence[str], dialect: Dialect) -> list[int]:
    """Cells of each record; 0 for a record that breaks the quoting."""
    reader = csv.reader(iter(lines), **dialect.parameters())  # type: ignore[arg-type]  # checked by csv
    widths: list[int] = []
    while len(widths) < _SAMPLE_ROWS:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error:
            widths.append(0)
            continue
        if cells:
            widths.append(len(cells))
    return widths
