"""Bytes of a source, decompressed, in bounded chunks."""

import hashlib
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from livesearch.errors import SourceError
from livesearch.ingest.spec import STDIN, SourceSpec

HEAD_BYTES = 1_000_000  # what detection of encoding and dialect may look at
CHUNK_BYTES = 262_144  # one read; also the most one step of decompression may give
_GZIP_MAGIC = b"\x1f\x8b"


class ByteStream:
    """An opened file or standard input, read once from beginning to end.

    Attributes:
        head: The first ``HEAD_BYTES`` bytes, decompressed; ``chunks`` gives them again.
        is_whole: Whether ``head`` is all there is.
        total_bytes: Size on disk; None for standard input.
        bytes_read: How far the file on disk has been read (compressed bytes where it is compressed); never falls.
    """

    def __init__(self, spec: SourceSpec) -> None:
        self._name = "Standard input" if spec.location == STDIN else f"“{spec.location}”"
        self._file, self.total_bytes = _open(spec)
        self.bytes_read = 0
        self._unpacked_limit = spec.unpacked_limit
        self._unpacked = 0
        first = self._read(CHUNK_BYTES)
        if spec.is_gzipped and first and not first.startswith(_GZIP_MAGIC):
            self.close()
            raise SourceError(f"{self._name} is named as compressed (.gz) but does not hold gzip. Rename it.")
        self.is_gzipped = first.startswith(_GZIP_MAGIC)
        self._pieces = self._gunzip(first) if self.is_gzipped else self._plain(first)
        self._fault: SourceError | None = None
        self.head, self.is_whole = self._read_head()

    def chunks(self) -> Iterator[bytes]:
        """Give all bytes, in pieces of at most ``CHUNK_BYTES`` after the first.

        Raises:
            SourceError: The file cannot be read on or its compression is damaged; raised after all good bytes.
        """
        head, self.head = self.head, b""
        if head:
            yield head
        if self._fault is not None:
            raise self._fault
        yield from self._pieces

    def close(self) -> None:
        """Close the file; standard input stays open for its owner."""
        if self._file is not sys.stdin.buffer:
            self._file.close()

    def _read_head(self) -> tuple[bytes, bool]:
        head = bytearray()
        try:
            for piece in self._pieces:
                head += piece
                if len(head) >= HEAD_BYTES:
                    return bytes(head), False
        except SourceError as error:  # the rows before the damage are still good
            self._fault = error
            return bytes(head), False
        return bytes(head), True

    def _read(self, size: int) -> bytes:
        try:
            data = self._file.read(size)
        except OSError as error:
            raise SourceError(f"{self._name} cannot be read on after byte {self.bytes_read:,}: {error}.") from error
        self.bytes_read += len(data)
        return data

    def _plain(self, first: bytes) -> Iterator[bytes]:
        data = first
        while data:
            yield data
            data = self._read(CHUNK_BYTES)

    def _gunzip(self, first: bytes) -> Iterator[bytes]:
        engine, raw = _gzip_engine(), first
        while True:
            if engine.eof:  # members may follow one another, and padding of zeros the last
                raw = engine.unused_data.lstrip(b"\0")
                while not raw:
                    data = self._read(CHUNK_BYTES)
                    if not data:
                        return
                    raw = data.lstrip(b"\0")
                engine = _gzip_engine()
            elif not raw:
                raw = self._read(CHUNK_BYTES)
            piece = self._decompress(engine.decompress, raw)
            if not piece and not raw and not engine.eof:
                raise self._damage("ends in the middle of its compressed data")
            raw = engine.unconsumed_tail
            self._unpacked += len(piece)
            if self._unpacked_limit is not None and self._unpacked > self._unpacked_limit:
                raise SourceError(
                    f"{self._name} unpacks to more than {self._unpacked_limit / 1e6:,.0f} MB, and no more is taken."
                    " The rows before that were read; split the file."
                )
            if piece:
                yield piece

    def _decompress(self, decompress: Callable[[bytes, int], bytes], raw: bytes) -> bytes:
        try:
            return decompress(raw, CHUNK_BYTES)
        except zlib.error as error:
            raise self._damage(f"holds damaged compressed data ({error})") from error

    def _damage(self, what: str) -> SourceError:
        return SourceError(
            f"{self._name} {what}, near byte {self.bytes_read:,} of the compressed file. "
            "The rows before it were read; copy the file again."
        )


def sha256_of(path: str) -> str:
    """Hash a file's bytes, in hexadecimal.

    Raises:
        SourceError: The file cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"“{path}” cannot be read: {error.strerror}.") from error


def _gzip_engine() -> "zlib._Decompress":
    return zlib.decompressobj(wbits=31)  # 31: gzip framing, checksum verified


def _open(spec: SourceSpec) -> tuple[BinaryIO, int | None]:
    if spec.location == STDIN:
        return sys.stdin.buffer, None
    path = Path(spec.location)
    if not path.exists():
        raise SourceError(f"There is no file “{spec.location}”. Check the path.")
    if path.is_dir():
        raise SourceError(f"“{spec.location}” is a folder. Name a file in it.")
    try:
        return path.open("rb", buffering=0), path.stat().st_size
    except OSError as error:
        raise SourceError(f"“{spec.location}” cannot be opened: {error.strerror}.") from error
