"""Links by which digests are ended."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("saved_searches") as batch:
        batch.add_column(sa.Column("stop_token", sa.Text))
        batch.create_unique_constraint("uq_saved_searches_stop_token", ["stop_token"])


def downgrade() -> None:
    with op.batch_alter_table("saved_searches") as batch:
        batch.drop_constraint("uq_saved_searches_stop_token", type_="unique")
        batch.drop_column("stop_token")
