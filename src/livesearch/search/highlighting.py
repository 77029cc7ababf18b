"""Where a query was found in a text. Gives segments, never markup: escaping is the template's."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, Protocol

from livesearch.domain import Highlight, Segment
from livesearch.search.analysis import WORD_LENGTH, QueryToken, alternatives, fold, place_after, tokens

SNIPPET_LENGTH = 180
# Longer texts are looked through by their plain letters first: taking 100 kB apart word by word holds up everybody.
_LONG = 4000
# Terms that are looked for in a long text, places of each that are looked at, and those that are enough.
_SOUGHT_COUNT, _PLACE_COUNT, _FOUND_COUNT = 24, 50, 5
# Longer texts are no titles, and only titles are found by joined words and by parts of words.
_TITLE_LENGTH = 500


class Sought(Protocol):
    """A word that is looked for."""

    @property
    def text(self) -> str:
        """Folded."""

    @property
    def is_prefix(self) -> bool:
        """Whether a word that begins so is enough."""


class _Run(NamedTuple):
    """A matched run of characters, and the numbers of the terms that match in it."""

    start: int
    end: int
    terms: frozenset[int]


class Matcher:
    """Finds the words of one query in texts. Make one a query: what it has seen it does not look at again.

    The time it takes grows with the text, hardly with the number of terms.
    """

    def __init__(self, terms: Iterable[Sought]) -> None:
        self.terms = tuple(terms)
        self._whole: dict[str, int] = {}
        self._begun: dict[str, int] = {}
        for number, term in enumerate(self.terms):
            (self._begun if term.is_prefix else self._whole).setdefault(term.text, number)
        self._texts = {term.text for term in self.terms}
        self._firsts = {term[:1] for term in self._texts}
        # Longest first: of “zel” and “zelda” the longer one is marked.
        self._lengths = sorted({len(text) for text in self._begun if text}, reverse=True)
        # By word, or run of characters between spaces, that was seen: what matches in it, from its start.
        self._words: dict[str, tuple[_Run, ...]] = {}
        self._chunks: dict[str, tuple[_Run, ...]] = {}

    @classmethod
    def of(cls, terms: "Iterable[Sought] | Matcher") -> "Matcher":
        """A matcher for the terms; one that is there already is used again."""
        return terms if isinstance(terms, Matcher) else cls(terms)

    def runs(self, text: str) -> list[_Run]:
        """The matched runs of a text, in order and apart from each other: of an unfinished word the part typed."""
        if not self.terms:
            return []
        found: list[_Run] = []
        is_ascii = text.isascii()
        pattern, seen = (_ASCII_WORD, self._words) if is_ascii else (_CHUNK, self._chunks)
        looked_through = text.lower() if is_ascii else text
        if is_ascii and not self._is_in(looked_through):
            # Most texts hold nothing of what is looked for, which is seen sooner than word by word.
            if not self._is_in(text.encode().translate(_ASCII_LETTERS, _ASCII_SIGNS).decode()):
                return []
            looked_through = ""
        for part in pattern.finditer(looked_through):
            piece = part[0]
            runs = seen.get(piece)
            if runs is None:
                runs = seen[piece] = self._runs_of_word(piece) if is_ascii else self._runs_of_chunk(piece)
            if runs:
                at = part.start()
                found += [_Run(at + start, at + end, terms) for start, end, terms in runs]
        if len(text) > _TITLE_LENGTH:
            return found
        further = [run for token in _alternatives(text) for run in self._run_of(text, token)]
        return _merged(found + further) if further else found

    def _is_in(self, text: str) -> bool:
        """Whether any of the words stands anywhere in a text."""
        for term in self._texts:  # noqa: SIM110  # a generator takes longer to make than one word to find
            if term in text:
                return True
        return False

    def _runs_of_word(self, word: str) -> tuple[_Run, ...]:
        """What matches in a word whose folding keeps places."""
        number, length = self._fit(word)
        return (_Run(0, length, frozenset((number,))),) if length else ()

    def _runs_of_chunk(self, chunk: str) -> tuple[_Run, ...]:
        """What matches in a text without spaces."""
        if self._firsts.isdisjoint(fold(chunk)):
            return ()
        return tuple(_merged([run for token in tokens(chunk) for run in self._run_of(chunk, token)]))

    def _run_of(self, text: str, token: QueryToken) -> tuple[_Run, ...]:
        number, length = self._fit(token.text)
        if not length:
            return ()
        start, end = token.start, token.end
        if length < len(token.text):
            shown = text[start:end]
            # Of plain letters each is one of the word.
            end = start + (length if shown.isascii() and shown.isalnum() else place_after(shown, length))
        return (_Run(start, end, frozenset((number,))),)

    def _fit(self, word: str) -> tuple[int, int]:
        """The term that a word is or begins with, and how many of the word's letters that is; 0 for none."""
        number = self._whole.get(word)
        if number is not None:
            return number, len(word)
        for length in self._lengths:
            number = self._begun.get(word[:length])
            if number is not None:
                return number, min(length, len(word))  # a longer one is cut to the word
        return 0, 0


# Between spaces, or the marks that end sentences and clauses where there are none; folding never reaches across them.
_CHUNK = re.compile(r"[^\s\u3001\u3002\u300c-\u300f\uff01\uff08\uff09\uff0c\uff1f]+")
_ASCII_WORD = re.compile(rf"[a-zA-Z0-9]{{1,{WORD_LENGTH}}}")


_BOUNDS = itemgetter(0, 1)


# What is joined in a plain text has letters and digits alone, all small.
_ASCII_LETTERS = bytes(range(256)).lower()
_ASCII_SIGNS = bytes(code for code in range(256) if not (chr(code).isascii() and chr(code).isalnum()))


@lru_cache(maxsize=4096)
def _alternatives(text: str) -> tuple[QueryToken, ...]:
    """What a title is found by beside its words; the same titles are shown again with every letter that is typed."""
    return tuple(alternatives(text))


def _merged(runs: list[_Run]) -> list[_Run]:
    """Runs that overlap or touch made one, in order."""
    merged: list[_Run] = []
    for run in sorted(runs, key=_BOUNDS):
        if merged and run.start <= merged[-1].end:
            last = merged[-1]
            merged[-1] = _Run(last.start, max(last.end, run.end), last.terms | run.terms)
        else:
            merged.append(run)
    return merged


def highlight(text: str, terms: Iterable[Sought] | Matcher) -> Highlight:
    """Tell the matched runs of a text from the others.

    Returns:
        Segments whose texts join to the text given; empty for an empty text.
    """
    return _segments(text, Matcher.of(terms).runs(text))


def _segments(text: str, runs: Iterable[_Run]) -> Highlight:
    segments: list[Segment] = []
    end = 0
    for run in runs:
        if run.start > end:
            segments.append(Segment(text[end : run.start]))
        segments.append(Segment(text[run.start : run.end], is_match=True))
        end = run.end
    if end < len(text):
        segments.append(Segment(text[end:]))
    return tuple(segments)


def has_match(text: str, terms: Iterable[Sought] | Matcher) -> bool:
    """Whether any word of the text matches."""
    return bool(Matcher.of(terms).runs(text))


def excerpt(text: str, terms: Iterable[Sought] | Matcher) -> str:
    """The part of a text worth looking at: the whole of a short one, of a long one where most terms stand together.

    Returns:
        At most 4,000 characters of the text, from its beginning where nothing is found.
    """
    if len(text) <= _LONG:
        return text
    matcher = Matcher.of(terms)
    # The only capital whose small letter is two characters: places would be shifted.
    lowered = text.replace("\u0130", "I").lower()
    runs = [
        _Run(place, place, frozenset((number,)))
        for number, term in enumerate(matcher.terms[:_SOUGHT_COUNT])
        for place in _places(lowered, term.text, matcher)
    ]
    begin = min(_window(sorted(runs, key=_BOUNDS), _LONG), len(text) - _LONG)
    return text[begin : begin + _LONG]


def _places(text: str, term: str, matcher: Matcher) -> list[int]:
    """Where a term stands in words that match: the first places of those that are looked at."""
    found: list[int] = []
    place = -1
    for _ in range(_PLACE_COUNT):
        place = text.find(term, place + 1)
        if place < 0 or len(found) == _FOUND_COUNT:
            break
        if place and text[place - 1].isascii() and text[place - 1].isalnum():
            continue  # inside a word
        around = text[max(0, place - WORD_LENGTH) : place + 2 * WORD_LENGTH]
        if any(run.start <= min(place, WORD_LENGTH) < run.end for run in matcher.runs(around)):
            found.append(place)
    return found


def snippet(text: str, terms: Iterable[Sought] | Matcher, *, length: int = SNIPPET_LENGTH) -> Highlight:
    """A run of about ``length`` characters, where most terms stand together; an ellipsis marks each cut.

    It is cut between words where there are any.
    """
    text = " ".join(text.split())
    runs = Matcher.of(terms).runs(text)
    if len(text) <= length:
        return _segments(text, runs)
    begin = min(_window(runs, length), len(text) - length)
    if begin:
        first = next((run.start for run in runs if run.start >= begin), begin + length // 3)
        begin = text.find(" ", begin, first) + 1 or begin
    end = min(len(text), begin + length)
    if end < len(text):
        space = text.rfind(" ", begin + length // 2, end + 1)
        end = space if space > 0 else end
    before, after = "… " if begin else "", " …" if end < len(text) else ""
    shown = [run for run in runs if begin <= run.start < end]
    shift = len(before) - begin
    return _segments(
        before + text[begin:end] + after,
        [_Run(run.start + shift, min(run.end, end) + shift, run.terms) for run in shown],
    )


def _window(runs: Sequence[_Run], length: int) -> int:
    """Where a part of a text begins in which most terms stand, the first such part; 0 where nothing was found."""
    counts: defaultdict[int, int] = defaultdict(int)
    begin, most, end = 0, 0, 0
    for run in runs:
        # A quarter is kept free for what stands around.
        while end < len(runs) and (runs[end].end - run.start <= length * 3 // 4 or runs[end] is run):
            for term in runs[end].terms:
                counts[term] += 1
            end += 1
        if len(counts) > most:
            most = len(counts)
            begin = max(0, run.start - (length - (runs[end - 1].end - run.start)) // 3)
        for term in run.terms:
            counts[term] -= 1
            if not counts[term]:
                del counts[term]
    return begin
