"""What scoring reads of a document: its words, taken apart once and kept while somebody types on."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple

from livesearch.domain import Document
from livesearch.search.analysis import words
from livesearch.search.values import display_text

# Characters of a field that are read to score it: a hundred candidates of 100 kB would hold up everybody.
READ_LENGTH = 4000
# Bytes that readings are kept in, as `_size_of` tells them: most of a collection like the demo's 17,022 games.
_MEMO_SIZE = 40_000_000
# A reading takes the document, its words and its texts: seven times its body and 500 bytes, measured with bodies of
# 240, 590 and 880 bytes. It is charged more, so that there are not too many of them: the collector of garbage looks
# through all, 50,000 in 60 ms.
_BODY_FACTOR, _OBJECT_SIZE = 7, 1_500
# Of layouts.
_numbers: Iterator[int] = count()


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Which fields are read as what; ``layout_of`` makes them. Told apart by identity: thousands of times a search.

    Attributes:
        titles: Fields whose words are looked at one by one.
        texts: Fields that are looked through.
        labels: What documents are filed under; the fields of one inner tuple count alike, and are read as one.
        mark: No other has it.
    """

    titles: tuple[str, ...]
    texts: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    mark: bytes = field(default_factory=lambda: b"%d " % next(_numbers), init=False)


@lru_cache(maxsize=256)
def layout_of(titles: tuple[str, ...], texts: tuple[str, ...], labels: tuple[tuple[str, ...], ...]) -> Layout:
    """The layout of these fields, the same each time."""
    return Layout(titles, texts, labels)


class Reading(NamedTuple):
    """A document's words, as texts that have blanks between their words and around them.

    Thousands are kept. Their parts are few and plain, so that the collector of garbage has little to look through:
    with words as lists it took 30 to 45 ms now and then, in the midst of a search.

    Attributes:
        fields: By title field, then by text field, then by inner tuple of the layout's labels; empty where there is
            nothing.
        everything: Texts and labels in a row: what is not in it is in none of them.
        length: Words of titles and texts.
    """

    document: Document
    fields: tuple[str, ...]
    everything: str
    length: int


def read(document: Document, layout: Layout) -> Reading:
    """Take a document's words apart."""
    titles = [_words_of(document.get(name)) for name in layout.titles]
    texts = [_spaced(_words_of(document.get(name))) for name in layout.texts]
    labels = ["".join([_spaced(_words_of(document.get(name))) for name in names]) for names in layout.labels]
    length = sum(map(len, titles)) + sum([max(text.count(" ") - 1, 0) for text in texts])
    shown = (*map(_spaced, titles), *texts, *labels)
    return Reading(document, shown, "".join([*texts, *labels]), length)


def _words_of(value: Any) -> list[str]:  # Any: a JSON value
    if not value:
        return []
    return words((value if type(value) is str else display_text(value))[:READ_LENGTH], with_last=False)


def _spaced(found: list[str]) -> str:
    return f" {' '.join(found)} " if found else ""


class ReadingMemo:
    """Readings by all that they are made from; those that were not asked for the longest go first.

    The same candidates come again with every letter that is typed. Nothing ever becomes untrue: a document that has
    changed has another body.
    """

    def __init__(self, size: int = _MEMO_SIZE) -> None:
        """Keep readings of about so many bytes."""
        self._room = size
        # By the layout's mark, the key, a NUL, which no key has, and the body: bytes the collector passes over.
        self._kept: OrderedDict[bytes, Reading] = OrderedDict()

    def read(self, layout: Layout, key: str, body: bytes, document: Callable[[], Document]) -> Reading:
        """The reading of a document that is stored so.

        Args:
            document: Decodes the body; called where it has to be read.
        """
        place = layout.mark + key.encode() + b"\0" + body
        if found := self._kept.get(place):
            self._kept.move_to_end(place)
            return found
        found = self._kept[place] = read(document(), layout)
        self._room -= _size_of(body)
        while self._room < 0:
            dropped, _ = self._kept.popitem(last=False)
            self._room += _size_of(dropped[dropped.index(0) + 1 :])
        return found


def _size_of(body: bytes) -> int:
    return _BODY_FACTOR * len(body) + _OBJECT_SIZE
