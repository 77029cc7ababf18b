"""Which words of a text are others than those of another text, to show what a correction changed."""

import re
from difflib import SequenceMatcher

from livesearch.domain import Highlight, Segment

_PIECES = re.compile(r"\s+|\S+")


def changed_words(typed: str, shown: str) -> Highlight:
    """Tell the words of ``shown`` apart that do not stand in ``typed``, or not there.

    Returns:
        All of ``shown``; changed words are marked as matches, and so is the space between two of them.
    """
    words = shown.split()
    kept: set[int] = set()
    for block in SequenceMatcher(None, typed.split(), words, autojunk=False).get_matching_blocks():
        kept.update(range(block.b, block.b + block.size))
    segments: list[Segment] = []
    at = 0
    for piece in _PIECES.findall(shown):
        if piece.isspace():
            is_changed = 0 < at < len(words) and at - 1 not in kept and at not in kept
        else:
            is_changed = at not in kept
            at += 1
        _append(segments, piece, is_changed=is_changed)
    return tuple(segments)


def _append(segments: list[Segment], text: str, *, is_changed: bool) -> None:
    if segments and segments[-1].is_match is is_changed:
        text = segments.pop().text + text
    segments.append(Segment(text, is_changed))
