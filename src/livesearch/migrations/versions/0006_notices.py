"""PostgreSQL calls out when a collection changes, so that who waits for news need not ask again and again.

One notice a transaction, whatever it does: PostgreSQL sends equal ones once, and only when the transaction commits.
SQLite tells by itself (`PRAGMA data_version`).
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The latter two note what other programs write. Deleting their rows goes with a change of `collections`.
EVENTS = {"collections": "INSERT OR UPDATE OR DELETE", "foreign_changes": "INSERT", "table_changes": "INSERT"}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute(
        "CREATE FUNCTION livesearch_notify() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN PERFORM pg_notify('livesearch', ''); RETURN NULL; END $$"
    )
    for table, events in EVENTS.items():
        op.execute(
            f"CREATE TRIGGER {table}_notify AFTER {events} ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION livesearch_notify()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for table in EVENTS:
        op.execute(f"DROP TRIGGER {table}_notify ON {table}")
    op.execute("DROP FUNCTION livesearch_notify()")
