"""A cursor over JSON text that arrives in pieces, so that an array needs no more memory than its longest element."""

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from livesearch.errors import SourceError
from livesearch.ingest.encoding import Encoding
from livesearch.ingest.json_strict import ExactDecoder
from livesearch.ingest.source import MAX_ROW_BYTES

_NOT_BLANK = re.compile(r"[^ \t\r\n]")


class JsonScanner:
    """Reads one JSON text from its beginning to its end.

    Attributes:
        line: Line of the value given last, from 1.
        repeated: A name that stood twice in it; None when none did.
        consumed: Characters behind the cursor.
    """

    def __init__(self, texts: Iterator[str], name: str) -> None:
        self.line = 1
        self.repeated: str | None = None
        self.consumed = 0
        self._name = name
        self._texts = texts
        self._text = ""
        self._at = 0
        self._counted = 0  # newlines before this position of the text are in _line_here
        self._line_here = 1
        self._decoder = ExactDecoder()

    def peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            match = _NOT_BLANK.search(self._text, self._at)
            if match:
                self._at = match.start()
                return match[0]
            self._at = len(self._text)
            if not self._read_more():
                return ""

    def take(self, character: str) -> None:
        """Go past a character.

        Raises:
            SourceError: Something else stands there.
        """
        if self.peek() != character:
            self.fail(f"expected “{character}”")
        self._at += 1

    def value(self) -> Any:  # Any: JSON values
        """Read a whole value.

        Raises:
            SourceError: None stands there, or it is too long or nested too deep.
        """
        self.peek()
        self.line = self._count_lines()
        while True:
            try:
                value, end = self._decoder.decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if not self._read_more():
                    self.fail("nested too deep" if isinstance(error, RecursionError) else _reason(error))
                continue
            # A number at the end of the piece may go on in the next.
            if end == len(self._text) and isinstance(value, int | float | str) and self._read_more():
                continue
            self._at = end
            self.repeated = self._decoder.repeated
            return value

    def elements(self) -> Iterator[Any]:
        """Read an array, one element at a time.

        Raises:
            SourceError: The array is not JSON; all elements before the fault were given.
        """
        self.take("[")
        if self.peek() == "]":
            return self.take("]")
        while True:
            yield self.value()
            if self.peek() != ",":
                return self.take("]")
            self.take(",")

    def members(self) -> Iterator[str]:
        """Read an object's names; the caller reads the value after each.

        Raises:
            SourceError: The object is not JSON.
        """
        self.take("{")
        if self.peek() == "}":
            return self.take("}")
        while True:
            if self.peek() != '"':
                self.fail("expected a name in quotes")
            name = str(self.value())
            self.take(":")
            yield name
            if self.peek() != ",":
                return self.take("}")
            self.take(",")

    def finish(self) -> None:
        """Make sure that nothing follows.

        Raises:
            SourceError: Something does.
        """
        if self.peek():
            self.fail("more text after the end; one value to a line is the jsonl format")

    def fail(self, what: str) -> NoReturn:
        """Raise the fault at the cursor."""
        raise SourceError(f"{self._name} is not JSON: {what} at line {self._count_lines()}.")

    def _read_more(self) -> bool:
        """Add text until twice as much lies ahead; False at the end."""
        self._count_lines()
        ahead = self._text[self._at :]
        self.consumed += self._at
        self._at = self._counted = 0
        if len(ahead) > MAX_ROW_BYTES:
            raise SourceError(
                f"{self._name} is not JSON, or holds a value longer than {MAX_ROW_BYTES:,} characters, "
                f"at line {self._line_here}."
            )
        pieces = [ahead]
        wanted = len(ahead)
        for text in self._texts:
            pieces.append(text)
            wanted -= len(text)
            if wanted <= 0:
                break
        self._text = "".join(pieces)
        return len(pieces) > 1

    def _count_lines(self) -> int:
        self._line_here += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line_here


def decode_strictly(chunks: Iterable[bytes], encoding: Encoding, name: str) -> Iterator[str]:
    """Decode a stream in which every byte must fit.

    Raises:
        SourceError: Bytes do not fit the encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding.codec)("strict")
    skip = encoding.mark_length
    try:
        for chunk in chunks:
            yield decoder.decode(chunk[skip:])
            skip = 0
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise SourceError(f"{name} holds bytes that are not {encoding.codec}. JSON is UTF-8; save it so.") from error


def _reason(error: Exception) -> str:
    return getattr(error, "msg", str(error)).lower()
