"""The journal: what each version of a collection has changed. Of versions before it nothing is known."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


# TRUNCATE tells no trigger which documents there were. Triggers fire by name: migration 0003's has moved the versions.
POSTGRESQL = (
    """CREATE FUNCTION livesearch_note_gap() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  DELETE FROM journal;
  INSERT INTO journal (collection_id, version, at, is_gap, created_count, updated_count, removed_count, size)
    SELECT id, version, extract(epoch FROM now()), TRUE, 0, 0, 0, 0 FROM collections;
  RETURN NULL;
END $$""",
    """CREATE TRIGGER documents_journal_truncate AFTER TRUNCATE ON documents
FOR EACH STATEMENT EXECUTE FUNCTION livesearch_note_gap()""",
)


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("collection_id", sa.Integer, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("is_gap", sa.Boolean, nullable=False),
        sa.Column("created_count", sa.Integer, nullable=False),
        sa.Column("updated_count", sa.Integer, nullable=False),
        sa.Column("removed_count", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("created", sa.LargeBinary),
        sa.Column("updated", sa.LargeBinary),
        sa.Column("removed", sa.LargeBinary),
        sa.Column("before", sa.LargeBinary),
        sa.PrimaryKeyConstraint("collection_id", "version", name="pk_journal"),
        sa.ForeignKeyConstraint(
            ["collection_id"], ["collections.id"], name="fk_journal_collection_id", ondelete="CASCADE"
        ),
    )
    op.execute(
        "INSERT INTO journal (collection_id, version, at, is_gap, created_count, updated_count, removed_count, size)"
        " SELECT id, version, 0, TRUE, 0, 0, 0, 0 FROM collections"
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in POSTGRESQL:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER documents_journal_truncate ON documents")
        op.execute("DROP FUNCTION livesearch_note_gap()")
    op.drop_table("journal")
