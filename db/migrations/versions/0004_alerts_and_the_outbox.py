"""Alerts: progress of detection, groups with members and history; the outbox of notifications."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Document = sa.JSON()
Packed = sa.LargeBinary()
Time = sa.DateTime(timezone=True)
KINDS = ("regression", "improvement", "host change", "missing data", "failing test", "newly skipped")
EVIDENCE = ("candidate", "confirmed", "transient", "noisy", "withdrawn")
TRIAGE = ("new", "acknowledged", "expected", "fixed", "invalid", "reopened")
DELIVERY = ("pending", "sent", "dead")


def upgrade() -> None:
    _detection()
    _groups()
    _members()
    _events()
    _notifications()


def downgrade() -> None:
    for table in ("notification", "alert_event", "alert_member", "alert_group", "detection_mark", "detection"):
        op.drop_table(table)


def _detection() -> None:
    op.create_table(
        "detection",
        sa.Column("time_series_id", Key, nullable=False),
        sa.Column("measurements", sa.Integer(), nullable=False),
        sa.Column("newest_run", sa.BigInteger(), nullable=False),
        sa.Column("points", Packed, nullable=False),
        sa.Column("steps", Packed, nullable=False),
        sa.PrimaryKeyConstraint("time_series_id", name="pk_detection"),
        _refers("detection", "time_series_id", "time_series", "CASCADE"),
    )
    op.create_table(
        "detection_mark",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_detection_mark"),
    )


def _groups() -> None:
    op.create_table(
        "alert_group",
        sa.Column("id", Key, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("evidence", sa.String(length=20), nullable=False),
        sa.Column("line", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("base_revision_id", Key, nullable=True),
        sa.Column("head_revision_id", Key, nullable=True),
        sa.Column("detail", Document, nullable=False),
        sa.Column("opened_at", Time, nullable=False),
        sa.Column("announced_at", Time, nullable=True),
        sa.Column("closed_at", Time, nullable=True),
        sa.Column("closed_because", sa.Text(), nullable=False),
        sa.Column("reverts_id", Key, nullable=True),
        sa.Column("triage", sa.String(length=20), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("muted_until", Time, nullable=True),
        sa.Column("mute_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_group"),
        _known("alert_group", "kind", KINDS),
        _known("alert_group", "evidence", EVIDENCE),
        _known("alert_group", "triage", TRIAGE),
        _refers("alert_group", "base_revision_id", "revision"),
        _refers("alert_group", "head_revision_id", "revision"),
        _refers("alert_group", "reverts_id", "alert_group"),
    )
    op.create_index("ix_alert_group_closed_at_kind", "alert_group", ["closed_at", "kind"])
    op.create_index("ix_alert_group_head_revision_id", "alert_group", ["head_revision_id"])
    op.create_index("ix_alert_group_reverts_id", "alert_group", ["reverts_id"])


def _members() -> None:
    numbers = ("before", "after", "effect", "low", "high", "z", "noise")
    op.create_table(
        "alert_member",
        sa.Column("group_id", Key, nullable=False),
        sa.Column("time_series_id", Key, nullable=False),
        sa.Column("base_revision_id", Key, nullable=False),
        sa.Column("head_revision_id", Key, nullable=False),
        *(sa.Column(name, sa.Double(), nullable=False) for name in numbers),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("boots", sa.Integer(), nullable=False),
        sa.Column("worse", sa.Boolean(), nullable=False),
        sa.Column("recovered", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("group_id", "time_series_id", name="pk_alert_member"),
        _known("alert_member", "evidence", EVIDENCE),
        _refers("alert_member", "group_id", "alert_group", "CASCADE"),
        _refers("alert_member", "time_series_id", "time_series", "CASCADE"),
        _refers("alert_member", "base_revision_id", "revision"),
        _refers("alert_member", "head_revision_id", "revision"),
    )
    op.create_index("ix_alert_member_time_series_id", "alert_member", ["time_series_id"])


def _events() -> None:
    op.create_table(
        "alert_event",
        sa.Column("id", Key, nullable=False),
        sa.Column("group_id", Key, nullable=False),
        sa.Column("at", Time, nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("detail", Document, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_alert_event"),
        _refers("alert_event", "group_id", "alert_group", "CASCADE"),
    )
    op.create_index("ix_alert_event_group_id", "alert_event", ["group_id"])


def _notifications() -> None:
    op.create_table(
        "notification",
        sa.Column("id", Key, nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("sink", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("group_id", Key, nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created", Time, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt", Time, nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("sent", Time, nullable=True),
        sa.Column("message_id", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notification"),
        sa.UniqueConstraint("key", name="uq_notification_key"),
        _known("notification", "state", DELIVERY),
        _refers("notification", "group_id", "alert_group", "SET NULL"),
    )
    op.create_index("ix_notification_group_id", "notification", ["group_id"])
    op.create_index("ix_notification_state_next_attempt", "notification", ["state", "next_attempt"])


def _known(table: str, column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"ck_{table}_{column}_known")


def _refers(table: str, column: str, other: str, on_delete: str | None = None) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}_{other}"
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=on_delete)
