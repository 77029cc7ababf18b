"""Chunk versions, vocabulary, synonyms, curations, tokens, foreign changes; documents found by the hash of their key.

Every index is made anew afterwards: `index_version` 0 says so.
"""

from zlib import crc32

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

COUNT = 5_000


def _owned(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["collection_id"], ["collections.id"], name=f"fk_{table}_collection_id", ondelete="CASCADE"
    )


def _collection(*, primary_key: bool = False, nullable: bool = False) -> sa.Column[int]:
    return sa.Column("collection_id", sa.Integer, primary_key=primary_key, nullable=nullable, autoincrement=False)


def _create_documents() -> None:
    op.create_table(
        "documents",
        _collection(primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False, server_default="-1"),
        sa.Column("key", bytewise, nullable=False),
        sa.Column("key_hash", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False, server_default=""),
        _owned("documents"),
    )


def _copy(source: str) -> None:
    """Copy documents a few thousand at a time: a collection may be larger than memory."""
    conn = op.get_bind()
    read = sa.text(
        f"SELECT collection_id, number, key, body, digest FROM {source}"  # noqa: S608  # our own names
        " WHERE (collection_id, number) > (:collection_id, :number) ORDER BY collection_id, number LIMIT :count"
    )
    write = sa.text(
        "INSERT INTO documents (collection_id, number, key, key_hash, body, digest)"
        " VALUES (:collection_id, :number, :key, :key_hash, :body, :digest)"
    )
    key_fields = _key_fields(conn)
    last = {"collection_id": -1, "number": -1}
    while rows := conn.execute(read, {**last, "count": COUNT}).mappings().all():
        conn.execute(
            write,
            [
                {
                    **row,
                    "key_hash": _hash(row["key"]),
                    "body": _without_key(row["body"], key_fields.get(row["collection_id"]), row["key"]),
                }
                for row in rows
            ],
        )
        last = {name: rows[-1][name] for name in last}


def _hash(key: str) -> int:
    encoded = key.encode()
    beginning = encoded[: len(encoded) // 8 * 4 or len(encoded) // 2]
    return (crc32(beginning) & 0xFFFF) << 32 | crc32(encoded)


def _key_fields(conn: sa.Connection) -> dict[int, str]:
    """By collection, the key field where it is the first of the fields."""
    rows = conn.execute(sa.text("SELECT id, key_field, fields FROM collections"))
    found = (
        (row.id, row.key_field, orjson.loads(row.fields) if isinstance(row.fields, str) else row.fields) for row in rows
    )
    return {number: name for number, name, fields in found if name and fields[0]["name"] == name}


def _without_key(body: bytes, name: str | None, key: str) -> bytes:
    """The body without its first field, where that is the key; bodies that have it are read as well."""
    head = b"{" + orjson.dumps(name) + b":" + orjson.dumps(key) + b","
    return b"{" + body[len(head) :] if name and body.startswith(head) else body


def upgrade() -> None:
    with op.batch_alter_table("collections") as batch:
        batch.add_column(sa.Column("settings", sa.JSON, nullable=False, server_default="{}"))
        batch.add_column(sa.Column("token_count", sa.BigInteger, nullable=False, server_default="0"))
        batch.add_column(sa.Column("index_version", sa.Integer, nullable=False, server_default="0"))
        batch.add_column(sa.Column("tuning_version", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("DELETE FROM postings")

    op.drop_index("uq_documents_key", "documents")
    op.rename_table("documents", "documents_0001")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE documents_0001 RENAME CONSTRAINT pk_documents TO pk_documents_0001")
        op.execute("ALTER TABLE documents_0001 RENAME CONSTRAINT fk_documents_collection_id TO fk_documents_0001")
    _create_documents()
    _copy("documents_0001")
    op.drop_table("documents_0001")
    op.create_index("ix_documents_key_hash", "documents", ["collection_id", "key_hash"])
    if op.get_bind().dialect.name == "postgresql":
        # Bitmaps do not shrink; trying costs more than reading them.
        op.execute("ALTER TABLE postings ALTER COLUMN bitmap SET STORAGE EXTERNAL")

    op.create_table(
        "chunks",
        _collection(primary_key=True),
        sa.Column("chunk", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        _owned("chunks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "vocabulary",
        _collection(primary_key=True),
        sa.Column("term", bytewise, primary_key=True),
        sa.Column("frequency", sa.Integer, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        _owned("vocabulary"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_vocabulary_version", "vocabulary", ["collection_id", "version"])
    op.create_table(
        "synonyms",
        sa.Column("id", sa.Integer, primary_key=True),
        _collection(),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("alternatives", sa.JSON, nullable=False),
        sa.Column("is_two_way", sa.Boolean, nullable=False),
        _owned("synonyms"),
    )
    op.create_index("ix_synonyms_collection_id", "synonyms", ["collection_id"])
    op.create_table(
        "curations",
        sa.Column("id", sa.Integer, primary_key=True),
        _collection(),
        sa.Column("query", sa.Text, nullable=False),
        sa.Column("document_key", bytewise, nullable=False),
        sa.Column("position", sa.Integer),
        _owned("curations"),
    )
    op.create_index("ix_curations_collection_id", "curations", ["collection_id"])
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        _collection(nullable=True),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float),
        sa.Column("revoked_at", sa.Float),
        sa.UniqueConstraint("digest", name="uq_api_tokens_digest"),
        _owned("api_tokens"),
    )
    op.create_table(
        "foreign_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        _collection(),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("key", bytewise, nullable=False),
        sa.Column("old_body", sa.LargeBinary),
    )
    op.create_index("ix_foreign_changes_collection_id", "foreign_changes", ["collection_id", "id"])
    op.create_index("ix_foreign_changes_number", "foreign_changes", ["collection_id", "number"])


def downgrade() -> None:
    for table in ("foreign_changes", "api_tokens", "curations", "synonyms", "vocabulary", "chunks"):
        op.drop_table(table)
    op.drop_index("ix_documents_key_hash", "documents")
    op.drop_table("documents")
    op.create_table(
        "documents",
        _collection(primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", bytewise, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        _owned("documents"),
    )
    op.create_index("uq_documents_key", "documents", ["collection_id", "key"], unique=True)
    # Without documents nothing else of a collection is true; sources are imported again.
    op.execute("DELETE FROM collections")
    with op.batch_alter_table("collections") as batch:
        for name in ("settings", "token_count", "index_version", "tuning_version"):
            batch.drop_column(name)
