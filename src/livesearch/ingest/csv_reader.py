"""Rows of a delimited text (CSV, TSV).

What is taken and what is not:

- The first record names the columns. Names lose control characters; repeated ones get a number (``name_2``), empty
  ones their position (``column_3``).
- A record with fewer cells than the header misses its last fields; one with more is rejected, unless the surplus is
  empty.
- A quote that is not closed rejects the record where it was opened, and reading goes on after that line. It never
  swallows the rest of the file.
- Text that does not fit the encoding, and NUL, reject the record.
- Blank lines are skipped. Lines are counted as they stand in the file.
"""

import csv
import io
from collections import deque
from collections.abc import Iterator

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest.dialect import detect_dialect
from livesearch.ingest.encoding import UNDECODABLE, decode_chunks, detect_encoding
from livesearch.ingest.source import MAX_FIELDS, MAX_ROW_BYTES, FileSource, cut_raw, make_unique
from livesearch.ingest.spec import SourceSpec
from livesearch.ingest.stream import ByteStream

MAX_CELL_CHARACTERS = 1_000_000
_OTHER_SEPARATORS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"  # where str.splitlines splits too, although cells may hold them
_DIALECT_LINES = 1_000
_DIALECT_CHARACTERS = 200_000


class CsvSource(FileSource):
    """A delimited text, its encoding and dialect detected."""

    def __init__(self, spec: SourceSpec, stream: ByteStream) -> None:
        super().__init__(spec, stream)
        if not stream.head.strip() and stream.is_whole:
            raise SourceError(f"“{spec.location}” is empty. It needs a first line with the names of its columns.")
        encoding = detect_encoding(stream.head, is_whole=stream.is_whole)
        self._notes.append(f"encoding {encoding.codec}")
        sample = _sample_lines(next(decode_chunks([stream.head], encoding), ""), is_whole=stream.is_whole)
        self._dialect = detect_dialect(sample, is_tsv=spec.format == "tsv")
        self._notes.append(self._dialect.description)
        self._lines = _Lines(decode_chunks(stream.chunks(), encoding))
        self._records = self._read_records()
        self._header = self._read_header(encoding.codec)
        self._codec = encoding.codec

    @property
    def header(self) -> tuple[str, ...]:
        """The columns' names as rows will carry them."""
        return tuple(self._header)

    def rows(self) -> Iterator[Row | Reject]:
        """Give each record after the header."""
        header, width, lines = self._header, len(self._header), self._lines
        for record in self._records:
            if isinstance(record, Reject):
                yield record
                continue
            line, cells = record
            if len(cells) > width and any(cells[width:]):
                reason = f"{len(cells)} cells, but the header names {width} columns"
                yield Reject(line, reason, lines.raw())
            elif lines.is_suspect and (fault := self._fault_in(cells)):
                yield Reject(line, fault, lines.raw())
            else:
                yield Row(line, dict(zip(header, cells)))  # noqa: B905  # missing cells are absent fields

    def _fault_in(self, cells: list[str]) -> str | None:
        for cell in cells:
            if UNDECODABLE in cell:
                return f"bytes that are not {self._codec}"
            if "\0" in cell:
                return "a NUL character"
        return None

    def _read_header(self, codec: str) -> list[str]:
        record = next(self._records, None)
        location = self.spec.location
        if record is None:
            raise SourceError(
                f"“{location}” holds blank lines only. It needs a first line with the names of its columns."
            )
        if isinstance(record, Reject):
            raise SourceError(f"The header of “{location}” (line {record.line}) cannot be read: {record.reason}.")
        line, cells = record
        self._codec = codec
        if len(cells) > MAX_FIELDS:
            raise SourceError(f"“{location}” has {len(cells):,} columns; the limit is {MAX_FIELDS:,}. Leave some out.")
        fault = self._fault_in(cells)
        if fault:
            raise SourceError(f"The header of “{location}” (line {line}) holds {fault}. Save the file as UTF-8 text.")
        names = make_unique(cells)
        for position, (written, name) in enumerate(zip(cells, names, strict=True), start=1):
            if written.strip() != name:
                self._notes.append(f"column {position} is named {name}")
        return names

    def _read_records(self) -> Iterator[tuple[int, list[str]] | Reject]:
        """Give each record that is not blank with its first line, or why it could not be read."""
        lines, parameters = self._lines, self._dialect.parameters()
        csv.field_size_limit(max(csv.field_size_limit(), MAX_CELL_CHARACTERS))  # the limit is the process's
        for _ in range(self._dialect.line_count):
            lines.skip_one()
        while True:
            try:
                for cells in csv.reader(lines.following(), **parameters):  # type: ignore[arg-type]  # checked by csv
                    if cells:
                        yield lines.first, cells
                    lines.begin_record()
            except csv.Error as error:
                yield Reject(lines.first, _reason(error, lines.first), lines.raw())
                lines.recover()
            else:
                return


class _Lines:
    """The lines of a text with a memory of the current record's, so that a broken one can be read again.

    Attributes:
        first: The line where the current record begins, from 1.
        is_suspect: Whether something undecodable or NUL was met so far; spares clean files a look at each cell.
    """

    def __init__(self, texts: Iterator[str]) -> None:
        self.first = 1
        self.is_suspect = False
        self._source = self._split(texts)
        self._current: list[str] = []
        self._again: deque[str] = deque()
        self._single_count = 0  # lines that must be records by themselves: they were read before, in vain

    def following(self) -> Iterator[str]:
        """Give lines to ``csv.reader``; afresh after each fault."""
        current, again = self._current, self._again
        keep = current.append
        while self._again:
            if self._single_count and current:
                raise csv.Error("unexpected end of data")
            line = again.popleft()
            self._single_count = max(0, self._single_count - 1)
            keep(line)
            yield line
        size = 0
        for line in self._source:
            if not current:
                size = 0
            size += len(line)
            if size > MAX_ROW_BYTES:
                keep(line)
                raise csv.Error("a record longer than the limit")
            keep(line)
            yield line

    def begin_record(self) -> None:
        """Forget the lines of the record that was read."""
        self.first += len(self._current)
        self._current.clear()

    def recover(self) -> None:
        """After a fault: go on after the line where the record began."""
        rest = self._current[1:]
        self.first += 1
        self._current.clear()
        self._again.extendleft(reversed(rest))
        self._single_count = max(self._single_count, len(rest) - 1)

    def skip_one(self) -> None:
        """Leave a line out."""
        next(self._source, None)
        self.first += 1

    def raw(self) -> str:
        """The current record as it stands."""
        return cut_raw("".join(self._current[:2_000]))

    def _split(self, texts: Iterator[str]) -> Iterator[str]:
        rest = ""
        for text in texts:
            self.is_suspect = self.is_suspect or UNDECODABLE in text or "\0" in text
            lines = split_lines(rest + text)
            rest = lines.pop()  # perhaps not whole; a CR at the very end may be half of CRLF
            if len(rest) > MAX_ROW_BYTES:
                raise SourceError(f"A line longer than {MAX_ROW_BYTES:,} characters was met. Is this a delimited text?")
            yield from lines
        if rest:
            yield rest


def split_lines(text: str) -> list[str]:
    """Split after LF, CR and CRLF, and nowhere else; the line ends are kept."""
    if any(separator in text for separator in _OTHER_SEPARATORS):
        return io.StringIO(text, newline="").readlines()
    return text.splitlines(keepends=True)  # twice as quick


def _reason(error: csv.Error, line: int) -> str:
    text = str(error)
    if "expected after" in text or "unexpected end" in text:
        return f"the quote opened in the record that begins at line {line} is not closed properly"
    if "field limit" in text:
        return f"a cell longer than {MAX_CELL_CHARACTERS:,} characters, or a quote that is not closed"
    if "longer than the limit" in text:
        return f"a record longer than {MAX_ROW_BYTES:,} characters, or a quote that is not closed"
    return text


def _sample_lines(text: str, *, is_whole: bool) -> list[str]:
    sample = text[:_DIALECT_CHARACTERS]
    lines = split_lines(sample)
    if len(lines) > 1 and not (is_whole and len(sample) == len(text)):
        lines.pop()  # cut in its middle
    return lines[:_DIALECT_LINES]
