"""Parts of further departments, kept refused messages, limits and calendar days by the operator, leave, cell tree."""

import sqlalchemy as sa
from alembic import op

from dispatch.store.types import Moment

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME = sa.String(length=200)


def upgrade() -> None:
    add_columns()
    create_tables()
    fold_again()


def add_columns() -> None:
    added = {
        "incident": (
            sa.Column("time_limit", NAME),
            sa.Column("parts", sa.JSON(none_as_null=True), nullable=False, server_default="[]"),
            sa.Column("open_parts", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("worst_picture", NAME),
            sa.Column("worst_area", sa.Double(), nullable=False, server_default="0"),
        ),
        "refused_message": (
            sa.Column("raw", sa.LargeBinary()),
            sa.Column("outcome", NAME, nullable=False, server_default="waiting"),
            sa.Column("decided_by", NAME),
            sa.Column("decided_at", Moment()),
        ),
        "cell": (
            sa.Column("parent_id", NAME),
            sa.Column("holes", sa.JSON(none_as_null=True), nullable=False, server_default="[]"),
        ),
    }
    for table, columns in added.items():
        for column in columns:
            op.add_column(table, column)


def create_tables() -> None:
    op.create_table(
        "leave",
        sa.Column("leave_id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("person_id", NAME, sa.ForeignKey("person.person_id"), nullable=False),
        sa.Column("starts_at", Moment(), nullable=False),
        sa.Column("ends_at", Moment(), nullable=False),
        sa.Column("substitute_id", NAME, sa.ForeignKey("person.person_id")),
    )
    op.create_table(
        "department_exception",
        sa.Column("cell_id", NAME, sa.ForeignKey("cell.cell_id"), primary_key=True),
        sa.Column("subcategory", NAME, primary_key=True),
        sa.Column("department_id", NAME, sa.ForeignKey("department.department_id"), nullable=False),
    )
    op.create_table(
        "time_limit",
        sa.Column("subcategory", NAME, primary_key=True),
        sa.Column("effective_from", Moment(), primary_key=True),
        sa.Column("amount", NAME, nullable=False),
    )
    op.create_table(
        "calendar_day",
        sa.Column("day", NAME, primary_key=True),
        sa.Column("working", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
    )
    op.create_table(
        "broker_credential",
        sa.Column("identity", NAME, primary_key=True),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
    )


def fold_again() -> None:
    """The worst picture of each incident follows from its log: the fold's own code works it out, as at any event."""
    from dispatch.refold import refold

    refold(op.get_bind())
