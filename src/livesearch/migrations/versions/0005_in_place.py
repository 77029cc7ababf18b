"""Collections that follow a table of the same database: which, and the rows of it that were written.

The triggers on such a table, and their function, are made when a collection begins to follow it (`store.in_place`), and
go with the collection.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

bytewise = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

# With the functions go the triggers, whoever owns the tables.
FORGET_TABLES = """
DO $$
DECLARE
  found regprocedure;
BEGIN
  FOR found IN SELECT p.oid FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace AND p.proname ~ '^livesearch_note_table_[0-9]+$'
  LOOP
    EXECUTE format('DROP FUNCTION %s CASCADE', found);
  END LOOP;
END
$$
"""


def upgrade() -> None:
    # Not in a batch, which would make the table anew: triggers on SQLite speak of it.
    op.add_column("collections", sa.Column("source_table", sa.Text))
    op.add_column("collections", sa.Column("is_following", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "table_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("collection_id", sa.Integer, nullable=False),
        sa.Column("key", bytewise),
    )
    op.create_index("ix_table_changes_collection_id", "table_changes", ["collection_id", "id"])


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(FORGET_TABLES)
    op.drop_table("table_changes")
    op.drop_column("collections", "is_following")
    op.drop_column("collections", "source_table")
