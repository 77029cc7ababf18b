"""Which documents of a chunk have changed, where they are few: a cache then reads those, not the whole chunk."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("chunks") as batch:
        batch.add_column(sa.Column("since", sa.BigInteger, nullable=True))
        batch.add_column(sa.Column("places", sa.LargeBinary, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("chunks") as batch:
        batch.drop_column("places")
        batch.drop_column("since")
