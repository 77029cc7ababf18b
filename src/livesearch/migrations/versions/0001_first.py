"""Collections, documents, postings, numeric values, imports."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _owner() -> sa.Column[int]:
    return sa.Column("collection_id", sa.Integer, primary_key=True)


def _owned(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["collection_id"], ["collections.id"], name=f"fk_{table}_collection_id", ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "collections",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("document_count", sa.BigInteger, nullable=False),
        sa.Column("next_number", sa.BigInteger, nullable=False),
        sa.Column("fields", sa.JSON, nullable=False),
        sa.Column("key_field", sa.Text),
        sa.Column("popularity_field", sa.Text),
        sa.Column("source", sa.Text),
        sa.UniqueConstraint("name", name="uq_collections_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "documents",
        _owner(),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", bytewise, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        _owned("documents"),
    )
    op.create_index("uq_documents_key", "documents", ["collection_id", "key"], unique=True)
    op.create_table(
        "postings",
        _owner(),
        sa.Column("chunk", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", bytewise, primary_key=True),
        sa.Column("cardinality", sa.Integer, nullable=False),
        sa.Column("bitmap", sa.LargeBinary, nullable=False),
        _owned("postings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "doc_values",
        _owner(),
        sa.Column("field", sa.Text, primary_key=True),
        sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("numbers", sa.LargeBinary, nullable=False),
        _owned("doc_values"),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("collection_id", sa.Integer, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(64)),
        sa.Column("options", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("rows_read", sa.BigInteger, nullable=False),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        sa.Column("updated", sa.BigInteger, nullable=False),
        sa.Column("unchanged", sa.BigInteger, nullable=False),
        sa.Column("rejected", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("finished_at", sa.Float),
        _owned("imports"),
    )
    op.create_index("ix_imports_collection_id", "imports", ["collection_id"])


def downgrade() -> None:
    for table in ("imports", "doc_values", "postings", "documents", "collections"):
        op.drop_table(table)
