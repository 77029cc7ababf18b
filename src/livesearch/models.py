"""The tables, as SQLAlchemy Core describes them; `migrations/` makes and changes them.

An index row is as much data as a document row: both are written in the same transaction.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

# Names for constraints, so that a migration can find them again on both stores.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Keys are compared byte by byte on both stores: prefix ranges and order must not depend on a locale.
BYTEWISE = Text().with_variant(Text(collation="C"), "postgresql")

# Documents of one block of numeric values: 32 KiB of float64, a cheap row to rewrite for one edit.
BLOCK_SIZE = 4096


def _owner() -> ForeignKey:
    """What belongs to a collection goes with it."""
    return ForeignKey("collections.id", ondelete="CASCADE")


collections = Table(
    "collections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("version", BigInteger, nullable=False, default=0),
    Column("document_count", BigInteger, nullable=False, default=0),
    Column("next_number", BigInteger, nullable=False, default=0),
    # [{name, type, role, weight, is_list, reason}], in the source's order
    Column("fields", JSON, nullable=False),
    Column("key_field", Text),
    Column("popularity_field", Text),
    Column("source", Text),
    # A number is never given twice: caches know a collection by it.
    sqlite_autoincrement=True,
)

documents = Table(
    "documents",
    metadata,
    Column("collection_id", Integer, _owner(), primary_key=True),
    # The internal number, from 0; postings and numeric values speak of documents by it.
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("key", BYTEWISE, nullable=False),
    # JSON object as UTF-8
    Column("body", LargeBinary, nullable=False),
    # BLAKE2b of the body, 16 bytes: tells an unchanged row without reading the body
    Column("digest", LargeBinary, nullable=False),
    Index("uq_documents_key", "collection_id", "key", unique=True),
)

postings = Table(
    "postings",
    metadata,
    Column("collection_id", Integer, _owner(), primary_key=True),
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    Column("key", BYTEWISE, primary_key=True),
    Column("cardinality", Integer, nullable=False),
    # Portable Roaring serialization of document numbers
    Column("bitmap", LargeBinary, nullable=False),
    # The key is the table on SQLite: one tree to descend, not two.
    sqlite_with_rowid=False,
)

doc_values = Table(
    "doc_values",
    metadata,
    Column("collection_id", Integer, _owner(), primary_key=True),
    Column("field", Text, primary_key=True),
    Column("block", Integer, primary_key=True, autoincrement=False),
    # BLOCK_SIZE little-endian float64; NaN where a document has no value
    Column("numbers", LargeBinary, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, _owner(), nullable=False, index=True),
    Column("source", Text, nullable=False),
    # SHA-256 of the source's bytes, hexadecimal; null for standard input
    Column("fingerprint", String(64)),
    # Hash of the options that change what an import does
    Column("options", String(64), nullable=False),
    # running | done
    Column("state", String(16), nullable=False),
    # Rows of the source that are committed; a resumed import skips as many.
    Column("rows_read", BigInteger, nullable=False, default=0),
    Column("accepted", BigInteger, nullable=False, default=0),
    Column("updated", BigInteger, nullable=False, default=0),
    Column("unchanged", BigInteger, nullable=False, default=0),
    Column("rejected", BigInteger, nullable=False, default=0),
    # The collection's version when the import ended
    Column("version", BigInteger),
    # Unix seconds, UTC
    Column("started_at", Float, nullable=False),
    Column("finished_at", Float),
)
