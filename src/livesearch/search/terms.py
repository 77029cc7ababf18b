"""Terms in order, without an object for each."""

from bisect import bisect_left
from collections.abc import Iterator
from sys import getsizeof

import numpy as np
from numpy.typing import NDArray

# No letter comes after it.
_LAST = "\U0010ffff"
_POST_DISTANCE = 32
_BATCH = 1000


class SortedTerms:
    """Terms in the order of their code points, each once, as one text: a quarter of what a list of them takes.

    Attributes:
        text: The terms with spaces between.
        starts: Where each begins in the text, and where the next one would.
    """

    def __init__(self, text: str) -> None:
        """Args: text: The terms with spaces between; empty for none."""
        self.text = text
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        self.starts: NDArray[np.int32] = np.zeros(1, np.int32)
        if text:
            ends = np.append(np.flatnonzero(codes == ord(" ")), len(text))
            self.starts = np.concatenate([self.starts, ends + 1]).astype(np.int32)
        # A memory view gives its numbers as Python's own, in a third of the time.
        self._starts = self.starts.data
        # Searching the others costs a call for each that is looked at.
        self._posts = [self[place] for place in range(0, len(self), _POST_DISTANCE)]

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, place: int) -> str:
        return self.text[self._starts[place] : self._starts[place + 1] - 1]

    def __iter__(self) -> Iterator[str]:
        # Some at a time: nobody waits long for the interpreter's lock.
        for first in range(0, len(self), _BATCH):
            last = min(first + _BATCH, len(self))
            yield from self.text[self._starts[first] : self._starts[last] - 1].split(" ")

    @property
    def size(self) -> int:
        """Bytes it takes, about."""
        return self.starts.nbytes + getsizeof(self.text) + sum(map(getsizeof, self._posts[:1])) * len(self._posts)

    def find(self, term: str) -> int | None:
        """The place of a term; None when it is none of these."""
        place = self.place(term)
        return place if place < len(self) and self[place] == term else None

    def beginning(self, prefix: str) -> range:
        """The places of the terms that begin so."""
        return range(self.place(prefix), self.place(prefix + _LAST))

    def merged(self, others: "SortedTerms") -> tuple[str, list[int]]:
        """The text of these and some other terms, and the places here that the others come before."""
        places = [self.place(term) for term in others]
        text = f"{self.text} " if self.text else ""
        pieces: list[str] = []
        last = 0
        for start, term in zip(self.starts[places].tolist(), others, strict=True):
            pieces += text[last:start], term, " "
            last = start
        return "".join([*pieces, text[last:]]).rstrip(" "), places

    def place(self, text: str) -> int:
        """How many terms come before a text."""
        end = bisect_left(self._posts, text) * _POST_DISTANCE
        return bisect_left(self, text, max(end - _POST_DISTANCE, 0), min(end, len(self)))
