"""Where a query was found in a text. Gives segments, never markup: escaping is the template's."""

from collections.abc import Iterator, Sequence

from livesearch.domain import Highlight, Segment
from livesearch.search.analysis import WORD, fold
from livesearch.search.query import Term

SNIPPET_LENGTH = 180
# Longer texts are looked through by their plain letters first: taking 100 kB apart word by word holds up everybody.
_LONG = 4000
# Places of a beginning that are looked at in a long text before it counts as not found.
_PLACE_COUNT = 20


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


def excerpt(text: str, terms: Sequence[Term]) -> str:
    """The part of a text worth looking at: the whole of a short one, of a long one what stands around a match.

    Returns:
        At most 4,000 characters of the text, from its beginning where nothing is found.
    """
    if len(text) <= _LONG:
        return text
    lowered = text.lower()
    for term in terms:
        place = -1
        for _ in range(_PLACE_COUNT):
            place = lowered.find(term.text, place + 1)
            if place < 0:
                break
            begin = max(0, place - _LONG // 2)
            part = text[begin : begin + _LONG]
            if has_match(part, (term,)):
                return part
    return text[:_LONG]


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
    for found in WORD.finditer(text):
        word = fold(found[0])
        typed = max((len(term.text) for term in terms if term.fits(word)), default=0)
        if typed:
            keeps_length = len(word) == len(found[0])
            yield found.start(), found.start() + typed if keeps_length else found.end()
