"""What every opened source offers."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest.spec import STDIN, SourceSpec
from livesearch.ingest.stream import ByteStream, sha256_of
from livesearch.ingest.values import clean_text

MAX_FIELDS = 1_000  # columns of a table, names of an object; wider is nearly always a wrong delimiter
MAX_NAME_CHARACTERS = 200  # of a field; longer, it is a text that a wrong delimiter or a missing header made a name
MAX_ROW_BYTES = 8_000_000  # one row; keeps a file without line ends from filling the memory
_RAW_CHARACTERS = 2_000


class Source(ABC):
    """An opened source: one pass over its rows, in its order, with bounded memory. Not shared between threads.

    Attributes:
        spec: Where it is.
        total_bytes: Size on disk for a progress bar; None for standard input and tables.
    """

    def __init__(self, spec: SourceSpec, *, total_bytes: int | None = None, notes: tuple[str, ...] = ()) -> None:
        self.spec = spec
        self.total_bytes = total_bytes
        self._notes = list(notes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was detected, for people: ``encoding cp1252``, ``delimiter ;``. May grow while rows are read."""
        return tuple(self._notes)

    def note(self, text: str) -> None:
        """Add to what was detected."""
        self._notes.append(text)

    @property
    def bytes_read(self) -> int:
        """Position within ``total_bytes``; never falls. 0 for tables."""
        return 0

    @property
    def likely_key(self) -> str | None:
        """The field that the source itself says tells its rows apart; None where it says nothing."""
        return None

    @abstractmethod
    def rows(self) -> Iterator[Row | Reject]:
        """Give each row, or why it could not be taken. Values are as the source wrote them; ``coercer`` types them.

        Raises:
            SourceError: The source cannot be read on; all rows before the fault were given.
        """

    def fingerprint(self) -> str | None:
        """The SHA-256 of the file's bytes, in hexadecimal; None for standard input. Reads the whole file."""
        return None if self.spec.location == STDIN else sha256_of(self.spec.location)

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class FileSource(Source):
    """A source that is a stream of bytes."""

    def __init__(self, spec: SourceSpec, stream: ByteStream, *, notes: tuple[str, ...] = ()) -> None:
        if stream.is_gzipped:
            notes = ("gzip", *notes)
        super().__init__(spec, total_bytes=stream.total_bytes, notes=notes)
        self._stream = stream

    @property
    def bytes_read(self) -> int:
        """Position in the file on disk."""
        return self._stream.bytes_read

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()


def cut_raw(text: str) -> str:
    """The row as it stood, short enough to keep; the cut is marked with an ellipsis."""
    text = text.rstrip("\r\n")
    return text if len(text) <= _RAW_CHARACTERS else text[: _RAW_CHARACTERS - 1] + "…"


def tidy_name(name: str) -> str:
    """A field's name without control characters and blanks around it; an empty one stays empty.

    Raises:
        SourceError: It is too long.
    """
    tidy = clean_text(name).strip()
    if len(tidy) > MAX_NAME_CHARACTERS:
        raise SourceError(
            f"The field name “{tidy[:40]}…” has {len(tidy):,} characters; {MAX_NAME_CHARACTERS} at most. Shorten it."
        )
    return tidy


def make_unique(names: list[str]) -> list[str]:
    """Tidy names without repeats, in their order: the second ``name`` becomes ``name_2``; an empty one ``column_3``.

    Raises:
        SourceError: One is too long.
    """
    names = [tidy_name(name) for name in names]
    taken: set[str] = set()
    result = []
    for position, name in enumerate(names, start=1):
        base = name or f"column_{position}"
        unique, count = base, 1
        while unique in taken or (unique != base and unique in names):
            count += 1
            unique = f"{base}_{count}"
        taken.add(unique)
        result.append(unique)
    return result
