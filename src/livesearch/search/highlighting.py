"""Where a query was found in a text. Gives segments, never markup: escaping is the template's."""

import re
from collections.abc import Iterator, Sequence

from livesearch.domain import Highlight, Segment
from livesearch.search.analysis import fold
from livesearch.search.query import Term

# As analysis splits, but on the text as it stands: joined words are marked part by part.
_WORD = re.compile(r"[^\W_]+")
SNIPPET_LENGTH = 180


def highlight(text: str, terms: Sequence[Term]) -> Highlight:
    """Tell the matched runs of a text from the others.

    Returns:
        Segments whose texts join to the text given; empty for an empty text.
    """
    segments: list[Segment] = []
    end = 0
    for start, stop in _matches(text, terms):
        if start > end:
            segments.append(Segment(text[end:start]))
        segments.append(Segment(text[start:stop], is_match=True))
        end = stop
    if end < len(text):
        segments.append(Segment(text[end:]))
    return tuple(segments)


def has_match(text: str, terms: Sequence[Term]) -> bool:
    """Whether any word of the text matches."""
    return next(_matches(text, terms), None) is not None


def snippet(text: str, terms: Sequence[Term], *, length: int = SNIPPET_LENGTH) -> Highlight:
    """A run of about ``length`` characters around the first match, cut between words; an ellipsis marks each cut."""
    text = " ".join(text.split())
    if len(text) <= length:
        return highlight(text, terms)
    first = next(_matches(text, terms), (0, 0))[0]
    begin = max(0, min(first - length // 3, len(text) - length))
    if begin:
        begin = text.find(" ", begin, first) + 1 or begin
    end = min(len(text), begin + length)
    if end < len(text):
        end = max(text.rfind(" ", begin + length // 2, end), begin + length // 2) if " " in text[begin:end] else end
    run = ("… " if begin else "") + text[begin:end].strip() + (" …" if end < len(text) else "")
    return highlight(run, terms)


def _matches(text: str, terms: Sequence[Term]) -> Iterator[tuple[int, int]]:
    """Start and end of every matched run: of an unfinished word the part typed, where folding keeps lengths."""
    if not terms:
        return
    for found in _WORD.finditer(text):
        word = fold(found[0])
        typed = max((len(term.text) for term in terms if term.fits(word)), default=0)
        if typed:
            keeps_length = len(word) == len(found[0])
            yield found.start(), found.start() + typed if keeps_length else found.end()
