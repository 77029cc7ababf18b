"""What answering one request has read: a cache has to know it, and an operator wants to."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from livesearch.domain import Collection


@dataclass(slots=True)
class Reading:
    """The collections that an answer is made from.

    Attributes:
        versions: By name, id and version as the snapshots had them.
        is_of_all: Whether all collections were read; another one would make another answer.
        is_whole: Whether every snapshot showed the same, and nothing that waits to be indexed was missing in it.
        seconds: How long snapshots were open.
    """

    versions: dict[str, tuple[int, int]] = field(default_factory=dict)
    is_of_all: bool = False
    is_whole: bool = True
    seconds: float = 0.0

    def note(self, found: Iterable[Collection], *, is_all: bool = False) -> None:
        """Take down what a snapshot showed."""
        self.is_of_all |= is_all
        for collection in found:
            version = (collection.id, collection.version)
            is_same = self.versions.setdefault(collection.name, version) == version
            self.is_whole &= is_same and not collection.has_foreign_changes


_current: ContextVar[Reading | None] = ContextVar("reading", default=None)


def begin_reading() -> Reading:
    """Note from here on what this request reads."""
    reading = Reading()
    _current.set(reading)
    return reading


@contextmanager
def noted(found: Iterable[Collection], *, is_all: bool = False) -> Iterator[None]:
    """Note a snapshot that is open while the block runs, if anybody wants to know."""
    reading = _current.get()
    if reading is None:
        yield
        return
    reading.note(found, is_all=is_all)
    began = time.perf_counter()
    try:
        yield
    finally:
        reading.seconds += time.perf_counter() - began
