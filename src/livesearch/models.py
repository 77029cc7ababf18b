"""The tables, as SQLAlchemy Core describes them; `migrations/` makes and changes them.

An index row is as much data as a document row: both are written in the same transaction.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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

# The ids that the store gives; PostgreSQL refuses to look for a larger one.
LARGEST_ID = 2**31 - 1


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
    # CollectionSettings as an object; what is absent has its default
    Column("settings", JSON, nullable=False),
    # Pairs of a document and a word of it: the mean length that scores are relative to
    Column("token_count", BigInteger, nullable=False, default=0),
    # `store.collections.INDEX_VERSION` of the code that made the index; an older one must be made anew
    Column("index_version", Integer, nullable=False, default=0),
    # The version that last changed synonyms, curations or settings; 0: none ever did
    Column("tuning_version", BigInteger, nullable=False, default=0),
    # The table of this database whose rows the documents are, as `schema.name` was when it was named: `store.in_place`
    Column("source_table", Text),
    # Whether what becomes of that table is taken over; not while it is read for the first time, and not when it is gone
    Column("is_following", Boolean, nullable=False, default=False),
    # A number is never given twice: caches know a collection by it.
    sqlite_autoincrement=True,
)

documents = Table(
    "documents",
    metadata,
    Column("collection_id", Integer, _owner(), primary_key=True),
    # The internal number, from 0; postings and numeric values speak of documents by it. Below 0: not indexed (yet)
    Column("number", BigInteger, primary_key=True, autoincrement=False, server_default="-1"),
    Column("key", BYTEWISE, nullable=False),
    # `store.documents.hash_of` the key: what is looked up by, in a fifth of the space of the keys themselves
    Column("key_hash", BigInteger, nullable=False, server_default="0"),
    # JSON object as UTF-8, the key field left out where it holds the key's very text
    Column("body", LargeBinary, nullable=False),
    # BLAKE2b of the whole document, 16 bytes: tells an unchanged row without reading it. Of another length: written by
    # another program and not indexed as it stands; see migration 0003
    Column("digest", LargeBinary, nullable=False, server_default=""),
    Index("ix_documents_key_hash", "collection_id", "key_hash"),
    # With a rowid, though that is a second tree: without, SQLite puts what is over 1,000 bytes of a row on pages of its
    # own, and rows of 1 to 4 kB take twice their size.
)

# Which chunks have changed since a version: what a cache of an older one must read again.
chunks = Table(
    "chunks",
    metadata,
    Column("collection_id", Integer, _owner(), primary_key=True),
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    # The collection's version that the last change of the chunk made
    Column("version", BigInteger, nullable=False),
    # The documents that changed after version `since`, as places in the chunk, little-endian uint16; null where they
    # are too many to be told
    Column("since", BigInteger),
    Column("places", LargeBinary),
    sqlite_with_rowid=False,
)

# What each version of a collection has changed, so that open pages can be told; bounded, see `store.journal`.
journal = Table(
    "journal",
    metadata,
    Column("collection_id", Integer, _owner(), primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    # Unix seconds, UTC
    Column("at", Float, nullable=False),
    # Up to this version anything may have changed: nothing older is known
    Column("is_gap", Boolean, nullable=False),
    Column("created_count", Integer, nullable=False),
    Column("updated_count", Integer, nullable=False),
    Column("removed_count", Integer, nullable=False),
    # Bytes of the columns that follow
    Column("size", Integer, nullable=False),
    # Documents' numbers as portable Roaring bitmaps; null for none
    Column("created", LargeBinary),
    Column("updated", LargeBinary),
    Column("removed", LargeBinary),
    # [[number, key or null, document], …] of those updated and removed, as they were; null where that is too much
    Column("before", LargeBinary),
)

# Who changed which document, and what it was before and after: changes by people and by programs with tokens.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, _owner(), nullable=False),
    Column("key", BYTEWISE, nullable=False),
    # Unix seconds, UTC
    Column("at", Float, nullable=False),
    # In words for people: names outlive accounts
    Column("who", Text, nullable=False),
    # Whole documents as JSON in UTF-8; null where there was none
    Column("before", LargeBinary),
    Column("after", LargeBinary),
    Index("ix_audit_key", "collection_id", "key"),
)

# Words of letters alone, as corrections, stems and completions are made of; those of typo-tolerant fields only.
vocabulary = Table(
    "vocabulary",
    metadata,
    Column("collection_id", Integer, _owner(), primary_key=True),
    Column("term", BYTEWISE, primary_key=True),
    # Documents that hold it
    Column("frequency", Integer, nullable=False),
    # The collection's version that brought the term: newer ones are read by caches of an older version
    Column("version", BigInteger, nullable=False),
    Index("ix_vocabulary_version", "collection_id", "version"),
    sqlite_with_rowid=False,
)

synonyms = Table(
    "synonyms",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, _owner(), nullable=False, index=True),
    # Folded words with single spaces
    Column("words", Text, nullable=False),
    # [folded words, …]
    Column("alternatives", JSON, nullable=False),
    Column("is_two_way", Boolean, nullable=False),
)

# Documents pinned to a place, or hidden, for one query.
curations = Table(
    "curations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, _owner(), nullable=False, index=True),
    # Folded words with single spaces
    Column("query", Text, nullable=False),
    Column("document_key", BYTEWISE, nullable=False),
    # From 1; null hides the document
    Column("position", Integer),
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    # The name as names are compared: NFKC, case folded
    Column("name_key", Text, nullable=False, unique=True),
    Column("email", Text),
    # Name and address as the search of users compares them; null where an older livesearch wrote the row
    Column("search_text", BYTEWISE),
    # viewer | editor | admin
    Column("role", String(16), nullable=False),
    # Argon2id with its parameters
    Column("password_hash", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    # [name, …]: what rows can be for
    Column("groups", JSON, nullable=False, server_default="[]"),
    # Unix seconds, UTC
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    # A number is never given twice: what was one person's is never another's.
    sqlite_autoincrement=True,
)

user_sessions = Table(
    "user_sessions",
    metadata,
    Column("id", Integer, primary_key=True),
    # SHA-256 of the cookie's secret, which has 256 random bits
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    # Unix seconds, UTC
    Column("created_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("user_agent", Text, nullable=False),
)

# The link by which the first administrator is made; at most one, and none once there is a user.
setup_links = Table(
    "setup_links",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    # Unix seconds, UTC
    Column("expires_at", Float, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    # SHA-256 of the token: it has 256 random bits, so nothing slower is needed
    Column("digest", LargeBinary, nullable=False, unique=True),
    # search | edit | admin
    Column("scope", String(16), nullable=False),
    # Null: every collection
    Column("collection_id", Integer, _owner()),
    # Null: made at the command line, and nobody's
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), index=True),
    # Unix seconds, UTC
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("revoked_at", Float),
)

# What each user keeps in mind: few rows, always read and written together, so one row holds all.
shortlists = Table(
    "shortlists",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    # [[collection's name, document's key, note], …] in the user's order. Names and keys, not numbers: rows that are
    # imported anew are still meant.
    Column("entries", JSON, nullable=False),
    # The secret of the link that shows the list to whoever has it; null for no link
    Column("share_token", Text, unique=True),
)

# Searches that users come back to. Sets of documents are Roaring bitmaps of their numbers, which stay a document's own
# as long as it is there, and are never given again.
saved_searches = Table(
    "saved_searches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("collection_id", Integer, _owner(), nullable=False, index=True),
    Column("name", Text, nullable=False),
    # An object: text, filters, ranges, sort, is_verbatim
    Column("query", JSON, nullable=False),
    # What it found when it was last marked as seen
    Column("seen", LargeBinary, nullable=False),
    # What was new then
    Column("fresh", LargeBinary, nullable=False),
    # What its owner was ever written to about
    Column("told", LargeBinary, nullable=False),
    # The collection's version then, and how often it was marked
    Column("seen_version", BigInteger, nullable=False),
    Column("mark_count", Integer, nullable=False),
    # off | daily | weekly
    Column("digest", String(16), nullable=False),
    # Unix seconds, UTC
    Column("created_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("told_at", Float),
    # The secret of the link that ends the digest; null until there was one
    Column("stop_token", Text, unique=True),
    # A link to end a digest speaks of a number: it must never be another's.
    sqlite_autoincrement=True,
)

# Documents that another program wrote through plain SQL; triggers put them here, the next search indexes them.
foreign_changes = Table(
    "foreign_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("collection_id", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    # As it was before; that of a new document
    Column("key", BYTEWISE, nullable=False),
    # What the index still speaks of; null where that is nothing
    Column("old_body", LargeBinary),
    Index("ix_foreign_changes_collection_id", "collection_id", "id"),
    Index("ix_foreign_changes_number", "collection_id", "number"),
)

# Rows of users' own tables that were written; triggers on those tables put their keys here, PostgreSQL only.
table_changes = Table(
    "table_changes",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("collection_id", Integer, nullable=False),
    # The text of the key's value; null: any row may have gone
    Column("key", BYTEWISE),
    Index("ix_table_changes_collection_id", "collection_id", "id"),
)

postings = Table(
    "postings",
    metadata,
    Column("collection_id", Integer, _owner(), primary_key=True),
    Column("chunk", Integer, primary_key=True, autoincrement=False),
    Column("key", BYTEWISE, primary_key=True),
    Column("cardinality", Integer, nullable=False),
    # The numbers of its documents; see `store.bitmaps`
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

# Files that were sent to be imported, and what became of them: `services.jobs`.
import_jobs = Table(
    "import_jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    # The folder that holds the file, by the mark that stands in it
    Column("folder", String(32), nullable=False),
    # The file's name there, which is ours; and what its sender called it
    Column("file", String(80), nullable=False),
    Column("filename", Text, nullable=False),
    Column("format", String(16), nullable=False),
    # Bytes
    Column("size", BigInteger, nullable=False),
    # A user's name: a job outlives its user
    Column("created_by", Text),
    # draft | waiting | running | done | failed | cancelled
    Column("state", String(16), nullable=False, index=True),
    # compare | import
    Column("task", String(16), nullable=False),
    # JobChoices, JobResult and JobProgress as objects
    Column("choices", JSON, nullable=False),
    Column("difference", JSON),
    Column("result", JSON),
    Column("progress", JSON),
    Column("error", Text),
    Column("is_cancelling", Boolean, nullable=False),
    # Unix seconds, UTC
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    # A number is never given twice: an address means one job for ever.
    sqlite_autoincrement=True,
)
