"""The file of rows that could not be taken: one JSON object a line, with line number and reason."""

from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from livesearch.domain import Reject
from livesearch.errors import SourceError


class RejectsFile:
    """Made when the first row is rejected; one left by an earlier import is removed.

    Attributes:
        path: Where it is; None only counts.
        count: Rows written.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.count = 0
        self._file: TextIOWrapper | None = None

    def __enter__(self) -> Self:
        if self.path:
            try:
                # On a read-only disk even the removal of what is not there fails.
                if self.path.exists():
                    self.path.unlink(missing_ok=True)
            except OSError as error:
                raise self._unwritable(error) from error
        return self

    def write(self, rejects: Iterable[Reject]) -> None:
        """Append rows.

        Raises:
            SourceError: The file cannot be written.
        """
        for reject in rejects:
            self.count += 1
            if not self.path:
                continue
            try:
                self._file = self._file or self.path.open("w", encoding="utf-8")
                line = {"line": reject.line, "reason": reject.reason, "row": reject.raw}
                self._file.write(orjson.dumps(line).decode() + "\n")
            except OSError as error:
                raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> SourceError:
        return SourceError(f"The rejected rows cannot be written to {self.path}: {error.strerror}.")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()
