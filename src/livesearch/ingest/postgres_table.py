"""What a PostgreSQL server says of its tables and views, and the statement that reads their rows.

The statement is one for all readers of rows: the server itself writes each as JSON, under settings that are always the
same, so that a row read in an import and one read after a change make the same document.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from livesearch.ingest.source import MAX_ROW_BYTES

# Runs a statement with parameters ``$1`` and so on, and gives its rows, whose columns are found by place.
Fetch = Callable[..., Awaitable[Sequence[Any]]]

# What values look like as text; each until the transaction or savepoint ends. The path makes names in texts whole.
ROW_SETTINGS = (
    "SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true),"
    " set_config('IntervalStyle', 'postgres', true), set_config('extra_float_digits', '1', true),"
    " set_config('lc_monetary', 'C', true), set_config('search_path', 'pg_catalog', true)"
)
# Their text says nothing to a person: bytes, and what full-text search is made of.
_LEFT_OUT = frozenset({"bytea", "_bytea", "tsvector"})
# Types whose text is the same under all settings and comes back as the same value. Numeric only without decimals.
_KEY_TYPES = frozenset({"int2", "int4", "int8", "text", "varchar", "bpchar", "uuid"})
_KINDS = {"r": "table", "p": "partitioned table", "v": "view", "m": "materialized view", "f": "foreign table"}

# Names are looked up as the role sees them: before the settings, which change the path.
_FIND = """
SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (n.nspname || '.' || c.relname = $1::text OR c.relname = $1::text AND pg_table_is_visible(c.oid))
ORDER BY c.relname = $1::text DESC LIMIT 1
"""
_TABLE = """
SELECT n.nspname, c.relname, c.relkind::text,
  c.relhassubclass OR EXISTS (SELECT FROM pg_inherits WHERE inhrelid = c.oid),
  ARRAY(
    SELECT a.attname::text FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1
    ORDER BY i.indisprimary DESC, i.indexrelid
  ),
  (
    SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = c.oid AND i.indisprimary AND i.indnkeyatts = 1
  )
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid
"""
_COLUMNS = """
SELECT a.attname, base.typname, base.typtype::text, a.atttypmod, format_type(a.atttypid, -1)
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
JOIN pg_type base ON base.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column; ``base`` is its type's name in the catalogue, a domain's that of what it is made of."""

    name: str
    base: str
    kind: str
    modifier: int
    type: str

    @property
    def is_read(self) -> bool:
        """Whether documents hold it."""
        return self.base not in _LEFT_OUT

    @property
    def can_be_key(self) -> bool:
        """Whether a value's text tells it from any other, and the value can be looked up by it."""
        is_whole = self.base == "numeric" and self.modifier > 0 and not (self.modifier - 4) & 0xFFFF
        return self.base in _KEY_TYPES or self.kind == "e" or is_whole


@dataclass(frozen=True, slots=True)
class Table:
    """A table or view.

    Attributes:
        oid: The server's number for it; stays when it is renamed.
        kind: ``table``, ``view`` and so on.
        has_kin: It inherits, is a partition, or others inherit from it: statements that name another table write to it.
        unique: Columns that no two rows share a value of.
        primary_key: The one column of its primary key; None where there are several, or there is no such key.
    """

    oid: int
    schema: str
    name: str
    kind: str
    has_kin: bool
    columns: tuple[Column, ...]
    unique: tuple[str, ...]
    primary_key: str | None

    @property
    def label(self) -> str:
        """Its name for people."""
        return f"{self.schema}.{self.name}"

    @property
    def quoted(self) -> str:
        """Its name for a statement."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    def column(self, name: str) -> Column | None:
        """The column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def select(self) -> str:
        """The statement that gives every row as JSON, and that JSON's bytes; a row that is too large has no JSON."""
        return _as_json(f"SELECT {self._columns} FROM {self.quoted} t", "s", "NULL::text")  # noqa: S608  # names are quoted

    def select_keys(self, key: str) -> str:
        """As ``select``, of the rows whose key's text is in the array ``$1``; the text comes third."""
        column = self.column(key)
        assert column is not None  # noqa: S101  # the caller looks
        rows = (
            f"SELECT {key_text(key)} AS key, (SELECT r FROM (SELECT {self._columns}) r) AS r"  # noqa: S608
            f" FROM {self.quoted} t WHERE t.{quote(key)} = ANY(CAST($1::text[] AS {column.type}[]))"
        )
        return _as_json(rows, "s.r", "s.key")

    @property
    def _columns(self) -> str:
        return ", ".join(f"t.{quote(column.name)}" for column in self.columns if column.is_read)


def _as_json(rows: str, row: str, key: str) -> str:
    # OFFSET 0: or the JSON would be made twice.
    made = f"SELECT row_to_json({row})::text AS j, {key} AS key FROM ({rows}) s OFFSET 0"  # noqa: S608
    return f"SELECT CASE WHEN octet_length(j) <= {MAX_ROW_BYTES} THEN j END, octet_length(j), key FROM ({made}) made"  # noqa: S608


def quote(name: str) -> str:
    """A name as an identifier of a statement."""
    return '"' + name.replace('"', '""') + '"'


def key_text(column: str) -> str:
    """The text of a column of ``t``. ``format`` asks the type itself: no cast that a user made is run."""
    return f"format('%s', t.{quote(column)})"


async def find_table(fetch: Fetch, name: str) -> int | None:
    """The number of the table or view that a person means by ``table`` or ``schema.table``; letters as they are."""
    found = await fetch(_FIND, name)
    return found[0][0] if found else None


async def load_table(fetch: Fetch, oid: int) -> Table | None:
    """The table or view of that number; after ``ROW_SETTINGS``, so that types are named in full."""
    found = await fetch(_TABLE, oid)
    if not found:
        return None
    schema, name, kind, has_kin, unique, primary_key = found[0]
    columns = tuple(Column(*row) for row in await fetch(_COLUMNS, oid))
    return Table(oid, schema, name, _KINDS[kind], has_kin, columns, tuple(unique), primary_key)
