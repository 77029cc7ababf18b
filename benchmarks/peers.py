"""The peers: plain SQLite FTS5 as most people would set it up, and the texts that every peer gets."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

from livesearch.domain import Collection, Row
from livesearch.ingest import infer, open_source, parse_source
from livesearch.search.analysis import words
from livesearch.search.indexing import IndexSchema
from livesearch.search.values import display_text

_BATCH = 1000

# From a query and a number to the keys of so many documents at most, best first.
Rank = Callable[[str, int], list[str]]
# A key, and the searched texts in the order of a peer's columns.
KeyedRow = tuple[str, Sequence[str]]


def searched_rows(source: str) -> tuple[Collection, Iterable[tuple[str, ...]]]:
    """The columns that livesearch would search, and every row's texts for them: title, then the others as one text."""
    sample = [row.document for row in islice(open_source(parse_source(source)).rows(), 2000) if isinstance(row, Row)]
    inference = infer(sample)
    collection = Collection(0, "peer", 0, 0, inference.fields, inference.key_field)
    return collection, (texts for _, texts in keyed_rows(source, collection))


def keyed_rows(source: str, collection: Collection) -> Iterable[tuple[str, tuple[str, str]]]:
    """Key, and title and body as the collection's roles make them, of every row."""
    schema = IndexSchema.of(collection)
    for row in open_source(parse_source(source)).rows():
        if isinstance(row, Row):
            title, body = (
                separator.join(display_text(row.document.get(name)) for name in names)
                for separator, names in ((" ", schema.title_names), ("\n", schema.text_names))
            )
            yield display_text(row.document.get(collection.key_field or "")), (title, body)


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


class Fts5:
    """Rows in an FTS5 table, found by its own bm25."""

    def __init__(
        self, rows: Iterable[KeyedRow], weights: Sequence[float], *, options: str = "", path: Path | None = None
    ) -> None:
        """Index rows.

        Args:
            weights: One a column, for bm25.
            options: What follows the columns, as ``, tokenize='porter'``.
            path: A file that is not there yet; in memory without one.
        """
        self._connection = sqlite3.connect(path or ":memory:")
        columns = ", ".join(f"c{at}" for at in range(len(weights)))
        self._connection.execute(f"CREATE VIRTUAL TABLE rows USING fts5(key UNINDEXED, {columns}{options})")
        places = ", ".join("?" * (len(weights) + 1))
        self._connection.executemany(
            f"INSERT INTO rows VALUES ({places})",  # noqa: S608  # question marks
            ((key, *texts) for key, texts in rows),
        )
        self._connection.commit()
        self._order = f"bm25(rows, 0, {', '.join(map(str, weights))})"

    def rank(self, match: str, limit: int) -> list[str]:
        """Keys of the best rows for an FTS5 expression; none for an empty one."""
        if not match:
            return []
        statement = f"SELECT key FROM rows(?) ORDER BY {self._order} LIMIT ?"  # noqa: S608  # numbers
        return [key for (key,) in self._connection.execute(statement, (match, limit))]


def any_word(text: str) -> str:
    """An FTS5 expression for documents that hold any word of a text."""
    return " OR ".join(f'"{word}"' for word in words(text))


def every_word(text: str, *, is_prefix: bool) -> str:
    """An FTS5 expression for documents that hold every word of a text.

    Args:
        is_prefix: The last word may be unfinished, unless a blank follows it.
    """
    quoted = [f'"{word}"' for word in words(text)]
    return " ".join(quoted) + ("*" if quoted and is_prefix and not text.endswith(" ") else "")
