"""The SOURCE grammar: what a person types to say where rows are."""

import re
import sqlite3
import unicodedata
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from livesearch.errors import SourceError
from livesearch.ingest.postgres_connection import only_table, shown_url

FORMATS = ("csv", "tsv", "json", "jsonl", "sqlite")
STDIN = "-"

_FORMAT_BY_SUFFIX = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".db": "sqlite",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
}
_FORMAT_ALIASES = {"ndjson": "jsonl", "db": "sqlite", "sqlite3": "sqlite"}
_NAME_CHARACTERS = 64  # what services allow
_SERVERS = ("postgresql", "postgres", "postgresql+asyncpg")
_URL = re.compile(r"^([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A parsed SOURCE.

    Attributes:
        location: Path, ``-`` for standard input, or database URL, as given.
        format: One of ``FORMATS``, or ``postgresql``.
        table: The table or view; None for files.
        is_gzipped: Whether the name says the bytes are compressed.
        unpacked_limit: Bytes that compressed ones may become; None for any number.
    """

    location: str
    format: str
    table: str | None = None
    is_gzipped: bool = False
    unpacked_limit: int | None = None

    @property
    def shown(self) -> str:
        """An address as it may be shown and kept: without its password."""
        return f"{shown_url(self.location)}::{self.table}"


def parse_source(text: str, *, format: str | None = None) -> SourceSpec:  # noqa: A002  # the command's option is named so
    """Read a SOURCE: ``games.csv``, ``shop.db::product``, ``postgresql://user@host/shop::product``, ``-``.

    Only a database named without its table is opened here, to find the table; other files may be missing until
    ``open_source``.

    Args:
        text: What a person typed.
        format: Overrules the name's ending; ``.gz`` may follow it (``csv.gz``). Required for ``-``.

    Raises:
        SourceError: The format cannot be told or is unknown, the database's table cannot be told (the message lists the
            tables), or the source is an address of another kind.
    """
    if match := _URL.match(text):
        return _server_spec(match[1].lower(), text)
    if text == STDIN:
        return _stdin_spec(format)
    location, separator, table = text.rpartition("::")
    if not separator or not location:
        location, table = text, ""
    stem, is_gzipped = _without_gz(location.lower())
    if format is not None:
        kind, format_is_gzipped = _named_format(format)
        is_gzipped = is_gzipped or format_is_gzipped
    else:
        kind = _format_of(text, stem)
    if kind != "sqlite":
        if table:
            raise SourceError(f"“{text}” names a table, but a {kind} file has none. Leave out “::{table}”.")
        return SourceSpec(location, kind, None, is_gzipped)
    if is_gzipped:
        raise SourceError(f"“{location}” is a compressed database. Decompress it first: gunzip {location}")
    return SourceSpec(location, kind, table or _only_table(location))


def default_name(spec: SourceSpec) -> str:
    """Name the collection after its source: lower case, ``a-z 0-9 _ -`` only, 1 to 64 characters, never ``_`` first.

    ``books.jsonl.gz`` gives ``books``, a database its table's name, standard input ``stdin``.
    """
    if spec.table:
        return _slug(spec.table.rpartition(".")[2] if spec.format == "postgresql" else spec.table)
    if spec.location == STDIN:
        return "stdin"
    name, _ = _without_gz(Path(spec.location).name)
    suffix = Path(name).suffix
    if suffix.lower() in _FORMAT_BY_SUFFIX:
        name = name[: -len(suffix)]
    return _slug(name)


def format_of_name(name: str) -> str | None:
    """The format that a file's name tells, such as ``csv.gz``; None where it tells none, or one of a database."""
    stem, is_gzipped = _without_gz(name.lower())
    kind = _FORMAT_BY_SUFFIX.get(Path(stem).suffix)
    if kind is None or kind == "sqlite":
        return None
    return f"{kind}.gz" if is_gzipped else kind


def format_of_text(text: str) -> str:
    """The format that rows in a text most likely have: by its first line, or all of it."""
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("["):
        return "json"
    first_line, _, rest = start.partition("\n")
    if start.startswith("{"):
        return "jsonl" if not rest.strip() or first_line.rstrip().endswith("}") else "json"
    return "tsv" if "\t" in first_line else "csv"


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", plain).strip("-").lstrip("-_")[:_NAME_CHARACTERS] or "collection"


def _without_gz(name: str) -> tuple[str, bool]:
    return (name[:-3], True) if name.lower().endswith(".gz") else (name, False)


def _server_spec(scheme: str, text: str) -> SourceSpec:
    if scheme not in _SERVERS:
        raise SourceError(f"Rows cannot be read from {scheme}:// addresses. Download the file and name its path.")
    location, separator, table = text.rpartition("::")
    if not separator or "]" in table:  # an address of IPv6 stands in brackets
        location, table = text, ""
    return SourceSpec(location, "postgresql", table or only_table(location))


def _stdin_spec(format: str | None) -> SourceSpec:  # noqa: A002
    if format is None:
        raise SourceError(f"Standard input needs its format: --format {'|'.join(FORMATS[:4])} (.gz may follow it).")
    kind, is_gzipped = _named_format(format)
    if kind == "sqlite":
        raise SourceError("A database cannot be read from standard input. Name its file: shop.db::product")
    return SourceSpec(STDIN, kind, None, is_gzipped)


def _named_format(text: str) -> tuple[str, bool]:
    name, is_gzipped = _without_gz(text.strip().lower().removeprefix("."))
    name = _FORMAT_ALIASES.get(name, name)
    if name not in FORMATS:
        raise SourceError(f"There is no format “{text}”. Choose one of {', '.join(FORMATS)}.")
    return name, is_gzipped


def _format_of(text: str, stem: str) -> str:
    kind = _FORMAT_BY_SUFFIX.get(Path(stem).suffix)
    if kind is None:
        raise SourceError(
            f"The name “{text}” does not tell the format of its rows. Add --format {'|'.join(FORMATS)}, "
            f"or rename it to end in one of {', '.join(_FORMAT_BY_SUFFIX)}."
        )
    return kind


def sqlite_uri(location: str) -> str:
    """The URI that opens a SQLite file for reading only."""
    return f"{Path(location).absolute().as_uri()}?mode=ro"


def list_tables(location: str) -> tuple[str, ...]:
    """The tables a person made in a SQLite file, by name; views and internal tables are left out.

    Raises:
        SourceError: The file is missing or is not a SQLite database.
    """
    if not Path(location).is_file():
        raise SourceError(f"There is no file “{location}”. Check the path.")
    try:
        with closing(sqlite3.connect(sqlite_uri(location), uri=True)) as connection:
            rows = connection.execute(
                "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual')"
                " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
            ).fetchall()
    except sqlite3.Error as error:
        raise SourceError(f"“{location}” cannot be read as a SQLite database: {error}.") from error
    return tuple(str(name) for (name,) in rows)


def _only_table(location: str) -> str:
    tables = list_tables(location)
    if len(tables) == 1:
        return tables[0]
    if not tables:
        raise SourceError(f"“{location}” holds no table. Name a view, if it has one: {location}::VIEW")
    listed = ", ".join(tables[:20]) + (" …" if len(tables) > 20 else "")  # noqa: PLR2004
    raise SourceError(f"“{location}” holds {len(tables)} tables: {listed}. Choose one: {location}::{tables[0]}")
