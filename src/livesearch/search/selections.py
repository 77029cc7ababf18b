"""Sets of documents as the columns read them: taken apart by chunk once, however many columns are looked up."""

from array import array
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from livesearch.domain import CHUNK_BITS

CHUNK_SIZE = 1 << CHUNK_BITS

Ids = NDArray[np.uint32]
# Places within a chunk, 0 to CHUNK_SIZE - 1; as wide as numpy wants an index to be.
Places = NDArray[np.intp]


def ids_of(documents: BitMap) -> Ids:
    """The document numbers of a bitmap, in order."""
    return np.frombuffer(documents.to_array(), np.uint32) if documents else np.empty(0, np.uint32)


def bitmap_of(ids: NDArray[np.integer]) -> BitMap:
    """The bitmap of some document numbers."""
    # From an `array` pyroaring takes all numbers at once; of a numpy array it looks at each: fifteen times as long.
    return BitMap(array("I", ids.astype(np.uint32).tobytes()))


class Selection:
    """Some documents.

    Attributes:
        ids: Their numbers, in order.
        parts: By chunk, in order: its number, and the documents' places in it.
    """

    __slots__ = ("ids", "parts")

    def __init__(self, documents: BitMap | Ids) -> None:
        self.ids = ids_of(documents) if isinstance(documents, BitMap) else documents
        self.parts = list(_split(self.ids))

    def __len__(self) -> int:
        return len(self.ids)


def _split(ids: Ids) -> Iterator[tuple[int, Places]]:
    if not len(ids):
        return
    first, last = int(ids[0]) >> CHUNK_BITS, int(ids[-1]) >> CHUNK_BITS
    if first == last:
        yield first, (ids & (CHUNK_SIZE - 1)).astype(np.intp)
        return
    starts = np.arange(first + 1, last + 1, dtype=np.uint32) << CHUNK_BITS
    bounds = [0, *np.searchsorted(ids, starts).tolist(), len(ids)]
    for chunk in range(first, last + 1):
        begin, end = bounds[chunk - first], bounds[chunk - first + 1]
        if begin < end:
            yield chunk, (ids[begin:end] & (CHUNK_SIZE - 1)).astype(np.intp)


class Base:
    """The documents that something is counted over, within all there are.

    What is true of most documents is counted over the few it is not true of.
    """

    def __init__(self, documents: BitMap, everything: BitMap) -> None:
        """Take some of ``everything``; neither is to be changed afterwards."""
        self.documents = documents
        self.everything = everything
        self.size = len(documents)
        self.is_most = 2 * self.size > len(everything)
        # The smaller of the two sides: the documents, or all others.
        self.smaller_size = len(everything) - self.size if self.is_most else self.size
        self._smaller: Selection | None = None

    @property
    def smaller(self) -> Selection:
        """The documents, or where ``is_most`` all others."""
        if self._smaller is None:
            self._smaller = Selection(self.everything - self.documents if self.is_most else self.documents)
        return self._smaller
