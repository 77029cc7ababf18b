"""What each user keeps in mind."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shortlists",
        sa.Column("user_id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("entries", sa.JSON, nullable=False),
        sa.Column("share_token", sa.Text),
        sa.PrimaryKeyConstraint("user_id", name="pk_shortlists"),
        sa.UniqueConstraint("share_token", name="uq_shortlists_share_token"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_shortlists_user_id", ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("shortlists")
