"""The tables of alerts: what was judged up to where, groups with members and history, notifications to be sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Document, Key, one_of
from db.types import Floats, Instant, PackedFloats
from db.words import AlertKind, Delivery, Evidence, Triage


class Detection(Base):
    """How far detection has come on a time series: the level of each revision that was judged, and the steps seen.

    `points` and `steps` are tables of floats, row after row (columns: `db.detection.PointRow`, `StepRow`).
    `measurements` and `newest_run` tell whether something came in since. No row: to be judged from the beginning.
    """

    __tablename__ = "detection"
    time_series_id: Mapped[int] = mapped_column(ForeignKey("time_series.id", ondelete="CASCADE"), primary_key=True)
    measurements: Mapped[int]
    newest_run: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[Floats] = mapped_column(PackedFloats)
    steps: Mapped[Floats] = mapped_column(PackedFloats)


class DetectionMark(Base):
    """What detection has seen of the whole database, by name: the newest run, the rules that were in force."""

    __tablename__ = "detection_mark"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class AlertGroup(Base):
    """One change of the world: what changed between two revisions, in how many time series so ever.

    `line` is the tree and branch whose revisions were followed. `subject` names what a notice without a step is about
    (a host, a revision) and is unique among open notices of a kind. A group is an alert once it is announced; before,
    the evidence is too thin to disturb anyone. `reverts_id`: the group that this one takes back.
    """

    __tablename__ = "alert_group"
    __table_args__ = (
        one_of("kind", AlertKind),
        one_of("evidence", Evidence),
        one_of("triage", Triage),
        Index("ix_alert_group_closed_at_kind", "closed_at", "kind"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    evidence: Mapped[str] = mapped_column(String(20))
    line: Mapped[str] = mapped_column(String(200), default="")
    subject: Mapped[str] = mapped_column(String(400), default="")
    base_revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"))
    head_revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)  # Any: JSON; what a notice lists
    opened_at: Mapped[datetime] = mapped_column(Instant)
    announced_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_because: Mapped[str] = mapped_column(Text, default="")
    reverts_id: Mapped[int | None] = mapped_column(ForeignKey("alert_group.id"), index=True)
    triage: Mapped[str] = mapped_column(String(20), default=Triage.NEW.value)
    owner: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    link: Mapped[str] = mapped_column(Text, default="")
    muted_until: Mapped[datetime | None] = mapped_column(Instant)
    mute_reason: Mapped[str] = mapped_column(Text, default="")


class AlertMember(Base):
    """The step of one time series that belongs to a group. `low` and `high` bound the effect with 95 % confidence.

    `noise` is a standard deviation on the scale of the effect; `points` are the revisions at the new level so far.
    """

    __tablename__ = "alert_member"
    __table_args__ = (one_of("evidence", Evidence),)
    group_id: Mapped[int] = mapped_column(ForeignKey("alert_group.id", ondelete="CASCADE"), primary_key=True)
    time_series_id: Mapped[int] = mapped_column(
        ForeignKey("time_series.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    base_revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    head_revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    before: Mapped[float]
    after: Mapped[float]
    effect: Mapped[float]
    low: Mapped[float]
    high: Mapped[float]
    z: Mapped[float]
    noise: Mapped[float]
    points: Mapped[int]
    boots: Mapped[int]
    worse: Mapped[bool]
    recovered: Mapped[bool] = mapped_column(default=False)
    evidence: Mapped[str] = mapped_column(String(20))


class AlertEvent(Base):
    """The history of a group: who did what when, with what stood there before. Only ever added to."""

    __tablename__ = "alert_event"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("alert_group.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(Instant)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)  # Any: JSON


class Notification(Base):
    """The outbox: what is to be told to whom. Written in the transaction that decides, sent after it.

    `key` makes telling twice impossible: the same decision has the same key. `message_id` is what a mail was sent as,
    for answers to it. A row without a sink is news that has not been handed to the sinks yet.
    """

    __tablename__ = "notification"
    __table_args__ = (
        one_of("state", Delivery),
        Index("ix_notification_state_next_attempt", "state", "next_attempt"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(300), unique=True)
    sink: Mapped[str] = mapped_column(String(100), default="")
    kind: Mapped[str] = mapped_column(String(40))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("alert_group.id", ondelete="SET NULL"), index=True)
    payload: Mapped[str] = mapped_column(Text)
    created: Mapped[datetime] = mapped_column(Instant)
    state: Mapped[str] = mapped_column(String(10), default=Delivery.PENDING.value)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt: Mapped[datetime | None] = mapped_column(Instant)
    last_error: Mapped[str] = mapped_column(Text, default="")
    sent: Mapped[datetime | None] = mapped_column(Instant)
    message_id: Mapped[str] = mapped_column(String(300), default="")
