"""Rows of JSON: an array of objects, an object around one, or an object to a line (JSON Lines)."""

import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO

import orjson

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest.encoding import Encoding, byte_order_mark
from livesearch.ingest.json_document import DocumentBuilder
from livesearch.ingest.json_scanner import JsonScanner, decode_strictly
from livesearch.ingest.source import MAX_ROW_BYTES, FileSource, cut_raw
from livesearch.ingest.spec import STDIN, SourceSpec
from livesearch.ingest.stream import CHUNK_BYTES, ByteStream

# A file is checked to its end before its first row is given, so that a broken one gives none. The check costs about a
# second for each 50 MB; past this many characters it stops, and rows before a fault are given.
CHECKED_CHARACTERS = 64_000_000
_SPOOL_BYTES = 16_000_000


class JsonLinesSource(FileSource):
    """One JSON object to a line; blank lines are skipped, and a broken line rejects itself only."""

    def __init__(self, spec: SourceSpec, stream: ByteStream) -> None:
        super().__init__(spec, stream)
        if not stream.head and stream.is_whole:
            raise SourceError(f"“{spec.location}” is empty. It needs a JSON object to a line.")
        self._encoding = byte_order_mark(stream.head) or Encoding("utf-8")
        self._notes.append(f"encoding {self._encoding.codec}")

    def rows(self) -> Iterator[Row | Reject]:
        """Give each line's object."""
        document_of = DocumentBuilder().from_bytes
        for number, line in enumerate(_lines(self._utf8_chunks()), start=1):
            try:
                if len(line) > MAX_ROW_BYTES:
                    raise SourceError(f"a line longer than {MAX_ROW_BYTES:,} bytes")  # noqa: TRY301
                yield Row(number, document_of(line))
            except SourceError as error:
                if line and not line.isspace():
                    yield Reject(number, str(error), cut_raw(line[:8_000].decode(errors="backslashreplace")))

    def _utf8_chunks(self) -> Iterator[bytes]:
        chunks = self._stream.chunks()
        if self._encoding.codec == "utf-8":
            skip = self._encoding.mark_length
            return chain((next(chunks, b"")[skip:],), chunks)
        return (text.encode() for text in decode_strictly(chunks, self._encoding, f"“{self.spec.location}”"))


class JsonSource(FileSource):
    """An array of objects, an object with exactly one list of objects among its values, or one object that is one row.

    The text is read twice (see ``CHECKED_CHARACTERS``); standard input is kept in a temporary file for that.
    """

    def __init__(self, spec: SourceSpec, stream: ByteStream) -> None:
        super().__init__(spec, stream)
        self._name = "Standard input" if spec.location == STDIN else f"“{spec.location}”"
        if not stream.head.strip() and stream.is_whole:
            raise SourceError(f"{self._name} is empty. It needs a JSON array of objects.")
        self._encoding = byte_order_mark(stream.head) or Encoding("utf-8")
        self._notes.append(f"encoding {self._encoding.codec}")
        self._spool = _spooled(stream.chunks()) if spec.location == STDIN else None
        self._position = 0
        self._rows_name = self._check(self._scanner(stream))
        if self._rows_name is not None:
            self._notes.append(f"rows from “{self._rows_name}”")

    @property
    def bytes_read(self) -> int:
        """Position in the file on disk, of the pass that gives rows."""
        return self._position

    def rows(self) -> Iterator[Row | Reject]:
        """Give each object."""
        if self._spool is None:
            self._stream.close()
            self._stream = ByteStream(self.spec)
        scanner, builder = self._scanner(self._stream), DocumentBuilder()
        for value in self._values(scanner):
            self._position = max(self._position, self._stream.bytes_read)
            try:
                yield Row(scanner.line, builder.from_value(value, repeated=scanner.repeated))
            except SourceError as error:
                yield Reject(scanner.line, str(error), _raw(value))
        self._position = self.total_bytes or self._stream.bytes_read

    def close(self) -> None:
        """Let go of the file and of the temporary one."""
        super().close()
        if self._spool is not None:
            self._spool.close()

    def _scanner(self, stream: ByteStream) -> JsonScanner:
        chunks = stream.chunks() if self._spool is None else _respooled(self._spool)
        return JsonScanner(decode_strictly(chunks, self._encoding, self._name), self._name)

    def _check(self, scanner: JsonScanner) -> str | None:
        """Check the syntax; give the name of the list that holds the rows of an object around them."""
        first = scanner.peek()
        lists: list[str] = []
        if first == "[":
            for _ in scanner.elements():
                if scanner.consumed > CHECKED_CHARACTERS:
                    return None
        elif first == "{":
            lists = [name for name in scanner.members() if _is_list_of_objects(scanner)]
        else:
            scanner.value()
            scanner.finish()
            raise SourceError(f"{self._name} is valid JSON but holds no rows. It needs an array of objects.")
        scanner.finish()
        return lists[0] if len(lists) == 1 else None

    def _values(self, scanner: JsonScanner) -> Iterator[object]:
        if scanner.peek() == "[":
            yield from scanner.elements()
        elif self._rows_name is None:
            yield scanner.value()
        else:
            for name in scanner.members():
                if name == self._rows_name:
                    yield from scanner.elements()
                else:
                    _pass_over(scanner)
        scanner.finish()


def _is_list_of_objects(scanner: JsonScanner) -> bool:
    if scanner.peek() != "[":
        scanner.value()
        return False
    kinds = {type(value) for value in scanner.elements()}
    return kinds == {dict}


def _pass_over(scanner: JsonScanner) -> None:
    if scanner.peek() == "[":
        for _ in scanner.elements():
            pass
    else:
        scanner.value()


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split at LF; of a line that is too long only the beginning is kept, still too long."""
    rest = b""
    for chunk in chunks:
        if len(rest) > MAX_ROW_BYTES and b"\n" not in chunk:
            continue
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield from lines
    if rest:
        yield rest


def _spooled(chunks: Iterable[bytes]) -> IO[bytes]:
    spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115  # the source closes it
    for chunk in chunks:
        spool.write(chunk)
    return spool


def _respooled(spool: IO[bytes]) -> Iterator[bytes]:
    spool.seek(0)
    while chunk := spool.read(CHUNK_BYTES):
        yield chunk


def _raw(value: object) -> str:
    try:
        return cut_raw(orjson.dumps(value).decode())
    except TypeError:  # lone surrogates
        return cut_raw(ascii(value))
