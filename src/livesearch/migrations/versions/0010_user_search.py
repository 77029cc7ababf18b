"""Users are found by parts of their names and addresses, without case and diacritics."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BYTEWISE = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _fold(text: str) -> str:
    """As `livesearch.search.analysis.fold` was then, in the main."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", "".join(c for c in decomposed if not "\u0300" <= c <= "\u036f")).casefold()


def upgrade() -> None:
    op.add_column("users", sa.Column("search_text", _BYTEWISE))
    users = sa.table("users", *(sa.column(name) for name in ("id", "name", "email", "search_text")))
    connection = op.get_bind()
    for row in connection.execute(sa.select(users.c.id, users.c.name, users.c.email)).all():
        text = _fold(f"{row.name}\n{row.email or ''}")
        connection.execute(users.update().where(users.c.id == row.id).values(search_text=text))


def downgrade() -> None:
    with op.batch_alter_table("users") as batch:
        batch.drop_column("search_text")
