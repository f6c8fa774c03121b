"""A word that changes with people and places, so that they can be kept in memory between messages."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "directory_revision",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )
    op.bulk_insert(table, [{"place": 1, "revision": "first"}])
