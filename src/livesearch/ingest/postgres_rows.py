"""From what a PostgreSQL server wrote of a row to the row."""

from livesearch.domain import Reject, Row
from livesearch.errors import SourceError
from livesearch.ingest.json_document import DocumentBuilder
from livesearch.ingest.source import MAX_ROW_BYTES, cut_raw
from livesearch.ingest.values import clean_text


class RowMaker:
    """Makes rows of the JSON that ``Table.select`` gives.

    Args:
        key: The column whose value must be the document's key to the letter, so that a changed row finds its document;
            None where no changes are followed.
    """

    def __init__(self, key: str | None = None) -> None:
        self._builder = DocumentBuilder()
        self._key = key

    def row(self, line: int, text: str | None, size: int) -> Row | Reject:
        """Make one.

        Args:
            line: What the row is called when it is rejected.
            text: None where the row is too large.
            size: The JSON's bytes.
        """
        if text is None:
            return Reject(line, f"{size:,} bytes; a row has {MAX_ROW_BYTES:,} at most", "")
        try:
            document = self._builder.from_bytes(text.encode())
        except SourceError as error:
            return Reject(line, str(error), cut_raw(text))
        key = document.get(self._key) if self._key else None
        if isinstance(key, str) and clean_text(key) != key:
            return Reject(line, f"the key {self._key} holds characters that nobody can see", cut_raw(text))
        return Row(line, document)
