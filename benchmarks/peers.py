"""The peers: plain SQLite FTS5 as most people would set it up."""

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from livesearch.domain import Collection, Row
from livesearch.ingest import infer, open_source, parse_source
from livesearch.search.indexing import IndexSchema
from livesearch.search.values import display_text

_BATCH = 1000


def searched_rows(source: str) -> tuple[Collection, Iterable[tuple[str, ...]]]:
    """The columns that livesearch would search, and every row's texts for them: title, then the others as one text."""
    sample = [row.document for row in islice(open_source(parse_source(source)).rows(), 2000) if isinstance(row, Row)]
    inference = infer(sample)
    collection = Collection(0, "peer", 0, 0, inference.fields, inference.key_field)
    schema = IndexSchema.of(collection)

    def rows() -> Iterable[tuple[str, ...]]:
        for row in open_source(parse_source(source)).rows():
            if isinstance(row, Row):
                title = " ".join(display_text(row.document.get(name)) for name in schema.title_names)
                yield title, "\n".join(display_text(row.document.get(name)) for name in schema.text_names)

    return collection, rows()


def load_fts5(path: Path, rows: Iterable[Sequence[str]], *, options: str) -> int:
    """Index rows with FTS5.

    Args:
        options: What follows the columns, as ``prefix='1 2 3'``.

    Returns:
        Rows indexed.
    """
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"CREATE VIRTUAL TABLE rows USING fts5(title, body{options})")
    remaining, count = iter(rows), 0
    while some := list(islice(remaining, _BATCH)):
        with connection:
            connection.executemany("INSERT INTO rows VALUES (?, ?)", some)
        count += len(some)
    connection.close()
    return count
