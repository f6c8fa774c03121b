"""The first form: incidents and their log, what is owed and asked, who and where."""

import sqlalchemy as sa
from alembic import op

from dispatch.store.types import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_tables()
    if op.get_bind().dialect.name == "sqlite":
        protect_on_sqlite()
    else:
        protect_on_postgresql()


def protect_on_sqlite() -> None:
    """The log is the record people are judged by: the database itself refuses to change it."""
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER incident_event_no_{verb.lower()} BEFORE {verb} ON incident_event "
            f"BEGIN SELECT RAISE(ABORT, 'incident_event is append-only'); END"
        )
    # INSERT OR REPLACE deletes without firing the trigger above: an existing seq may not come again, nor an earlier one
    op.execute(
        "CREATE TRIGGER incident_event_in_order BEFORE INSERT ON incident_event "
        "WHEN NEW.seq <= (SELECT COALESCE(MAX(seq), 0) FROM incident_event) "
        "BEGIN SELECT RAISE(ABORT, 'incident_event is append-only'); END"
    )


def protect_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_incident_event_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'incident_event is append-only'; END $$"
    )
    op.execute(
        "CREATE FUNCTION check_incident_event_order() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.seq <= (SELECT COALESCE(MAX(seq), 0) FROM incident_event) "
        "THEN RAISE EXCEPTION 'incident_event is append-only'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER incident_event_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON incident_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_incident_event_change()"
    )
    op.execute(
        "CREATE TRIGGER incident_event_in_order BEFORE INSERT ON incident_event "
        "FOR EACH ROW EXECUTE FUNCTION check_incident_event_order()"
    )


def create_tables() -> None:
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("person_id", sa.String(length=200), nullable=True),
        sa.Column("action", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id"),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_table(
        "camera",
        sa.Column("camera_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("node_id", sa.String(length=200), nullable=False),
        sa.Column("zones", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("bearing_deg", sa.Double(), nullable=True),
        sa.Column("max_interval_s", sa.Double(), nullable=False),
        sa.Column("continuous", sa.Boolean(), nullable=False),
        sa.Column("overrides", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("camera_id"),
    )
    op.create_table(
        "cell",
        sa.Column("cell_id", sa.String(length=200), nullable=False),
        sa.Column("code", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("boundary", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("cell_id"),
    )
    op.create_table(
        "delivery",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.String(length=200), nullable=False),
        sa.Column("incident_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Moment(), nullable=True),
        sa.Column("published_at", Moment(), nullable=True),
        sa.Column("received_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("seq", "person_id"),
    )
    op.create_index("ix_delivery_incident", "delivery", ["incident_id", "person_id"], unique=False)
    op.create_index("ix_delivery_next_at", "delivery", ["next_at"], unique=False)
    op.create_table(
        "department",
        sa.Column("department_id", sa.String(length=200), nullable=False),
        sa.Column("zh", sa.String(length=200), nullable=False),
        sa.Column("en", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("department_id"),
    )
    op.create_table(
        "incident",
        sa.Column("incident_id", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("subcategory", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=200), nullable=False),
        sa.Column("camera_id", sa.String(length=200), nullable=True),
        sa.Column("cell_id", sa.String(length=200), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=False),
        sa.Column("box", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("why_zh", sa.Text(), nullable=False),
        sa.Column("why_en", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("sightings", sa.Integer(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("last_seen_at", Moment(), nullable=False),
        sa.Column("assignee_id", sa.String(length=200), nullable=True),
        sa.Column("department_id", sa.String(length=200), nullable=True),
        sa.Column("assigned_at", Moment(), nullable=True),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("reworks", sa.Integer(), nullable=False),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.Column("extensions", sa.Integer(), nullable=False),
        sa.Column("closed_at", Moment(), nullable=True),
        sa.Column("suspended_at", Moment(), nullable=True),
        sa.Column("merged_into", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("incident_id"),
        sa.UniqueConstraint("number"),
    )
    op.create_index("ix_incident_assignee_state", "incident", ["assignee_id", "state"], unique=False)
    op.create_index("ix_incident_camera_subcategory", "incident", ["camera_id", "subcategory", "state"], unique=False)
    op.create_index(op.f("ix_incident_cell_id"), "incident", ["cell_id"], unique=False)
    op.create_index(op.f("ix_incident_opened_at"), "incident", ["opened_at"], unique=False)
    op.create_index("ix_incident_state", "incident", ["state"], unique=False)
    op.create_table(
        "incident_event",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("incident_id", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor_role", sa.String(length=200), nullable=False),
        sa.Column("actor_id", sa.String(length=200), nullable=False),
        sa.Column("before", sa.String(length=200), nullable=True),
        sa.Column("after", sa.String(length=200), nullable=False),
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_incident_event_cause", "incident_event", ["cause"], unique=False)
    op.create_index("ix_incident_event_incident", "incident_event", ["incident_id", "seq"], unique=False)
    op.create_index("ix_incident_event_kind_at", "incident_event", ["kind", "at"], unique=False)
    op.create_index(
        "uq_incident_event_once",
        "incident_event",
        ["incident_id", "cause"],
        unique=True,
        sqlite_where=sa.text("cause <> ''"),
        postgresql_where=sa.text("cause <> ''"),
    )
    op.create_table(
        "node",
        sa.Column("node_id", sa.String(length=200), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("node_id"),
    )
    op.create_table(
        "node_request",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("node_id", sa.String(length=200), nullable=False),
        sa.Column("camera_id", sa.String(length=200), nullable=False),
        sa.Column("incident_id", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("give_up_at", Moment(), nullable=True),
        sa.Column("asks", sa.Integer(), nullable=False),
        sa.Column("next_at", Moment(), nullable=True),
        sa.Column("answered_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_node_request_incident", "node_request", ["incident_id"], unique=False)
    op.create_index("ix_node_request_next_at", "node_request", ["next_at"], unique=False)
    op.create_table(
        "refused_message",
        sa.Column("refused_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("refused_id"),
    )
    op.create_table(
        "person",
        sa.Column("person_id", sa.String(length=200), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.Column("department_id", sa.String(length=200), nullable=False),
        sa.Column("cells", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["department.department_id"],
        ),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "account",
        sa.Column("person_id", sa.String(length=200), nullable=False),
        sa.Column("username", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("locked_until", Moment(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("person_id"),
        sa.UniqueConstraint("username"),
    )
    op.create_table(
        "duty",
        sa.Column("place", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("cell_id", sa.String(length=200), nullable=False),
        sa.Column("person_id", sa.String(length=200), nullable=False),
        sa.Column("post", sa.String(length=200), nullable=False),
        sa.Column("department_id", sa.String(length=200), nullable=True),
        sa.Column("weekdays", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("starts", sa.String(length=200), nullable=False),
        sa.Column("ends", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["cell_id"],
            ["cell.cell_id"],
        ),
        sa.ForeignKeyConstraint(
            ["department_id"],
            ["department.department_id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_index("ix_duty_cell", "duty", ["cell_id"], unique=False)
    op.create_table(
        "login_session",
        sa.Column("token_hash", sa.String(length=200), nullable=False),
        sa.Column("person_id", sa.String(length=200), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.person_id"],
        ),
        sa.PrimaryKeyConstraint("token_hash"),
    )
    op.create_index("ix_login_session_expires_at", "login_session", ["expires_at"], unique=False)
