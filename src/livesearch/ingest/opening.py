"""From a parsed SOURCE to its reader."""

from collections.abc import Callable

from livesearch.ingest.csv_reader import CsvSource
from livesearch.ingest.json_reader import JsonLinesSource, JsonSource
from livesearch.ingest.postgres_reader import PostgresSource
from livesearch.ingest.source import Source
from livesearch.ingest.spec import SourceSpec
from livesearch.ingest.sqlite_reader import SqliteSource
from livesearch.ingest.stream import ByteStream


def open_source(spec: SourceSpec) -> Source:
    """Open a source for one pass. A file may be opened again for another; standard input may not.

    Raises:
        SourceError: The file is missing, empty, or cannot be told to hold rows; the message says what to do.
    """
    if spec.format == "sqlite":
        return SqliteSource(spec)
    if spec.format == "postgresql":
        return PostgresSource(spec)
    stream = ByteStream(spec)
    readers: dict[str, Callable[[SourceSpec, ByteStream], Source]] = {
        "csv": CsvSource,
        "tsv": CsvSource,
        "json": JsonSource,
        "jsonl": JsonLinesSource,
    }
    try:
        return readers[spec.format](spec, stream)
    except BaseException:
        stream.close()
        raise
