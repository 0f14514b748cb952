"""The tables. Names are the words of the domain; every vocabulary has a CHECK, every fact is stored once."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from db import alert_models as alert_models  # noqa: PLC0414 (tables of the same schema, in a file of their own)
from db.base import Base as Base  # noqa: PLC0414
from db.base import Document, Key, one_of
from db.types import Floats, Instant, PackedFloats
from db.words import Better, Scope, Status, Unit


class Host(Base):
    """One machine under a stable name."""

    __tablename__ = "host"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    machine_id_hash: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(Instant)


class HostState(Base):
    """What of a host can change its numbers, as flat fields; equal states are one row."""

    __tablename__ = "host_state"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    fields: Mapped[dict[str, str]] = mapped_column(Document)


class Boot(Base):
    """One boot of a host: the unit of replication."""

    __tablename__ = "boot"
    __table_args__ = (UniqueConstraint("host_id", "boot_id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"))
    boot_id: Mapped[str] = mapped_column(String(200))


class PatchSeries(Base):
    """A posted patch series."""

    __tablename__ = "patch_series"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    subject: Mapped[str] = mapped_column(default="")
    change_id: Mapped[str] = mapped_column(String(200), default="")


class SeriesVersion(Base):
    """v1..vN of a patch series."""

    __tablename__ = "series_version"
    __table_args__ = (UniqueConstraint("series_id", "version"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("patch_series.id"))
    version: Mapped[int]
    subject: Mapped[str] = mapped_column(default="")
    message_id: Mapped[str] = mapped_column(default="")
    base_commit: Mapped[str] = mapped_column(default="")
    prefix: Mapped[str] = mapped_column(default="", server_default="")
    posted_at: Mapped[datetime | None] = mapped_column(Instant)


class Patch(Base):
    """Patch k of M of a version. `patch_id` (git patch-id) follows it across versions."""

    __tablename__ = "patch"
    __table_args__ = (UniqueConstraint("series_version_id", "k"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    series_version_id: Mapped[int] = mapped_column(ForeignKey("series_version.id"))
    k: Mapped[int]
    subject: Mapped[str] = mapped_column(default="")
    commit: Mapped[str] = mapped_column(String(64), default="")
    patch_id: Mapped[str] = mapped_column(String(64), default="", index=True)
    message_id: Mapped[str] = mapped_column(default="")
    author: Mapped[str] = mapped_column(default="", server_default="")
    diff: Mapped[str] = mapped_column(Text, default="", server_default="")


class Revision(Base):
    """The code that was measured. `key` is the digest of every identifying column: equal code is one row."""

    __tablename__ = "revision"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    kernel: Mapped[str] = mapped_column(String(200), default="", index=True)
    commit: Mapped[str] = mapped_column(String(64), default="", index=True)
    label: Mapped[str] = mapped_column(String(200), default="", index=True)
    tree: Mapped[str] = mapped_column(default="")
    branch: Mapped[str] = mapped_column(default="")
    describe: Mapped[str] = mapped_column(default="")
    subject: Mapped[str] = mapped_column(default="")
    config_hash: Mapped[str] = mapped_column(String(64), default="")
    dirty: Mapped[bool] = mapped_column(default=False)
    committed_at: Mapped[datetime | None] = mapped_column(Instant)
    first_seen_at: Mapped[datetime] = mapped_column(Instant)
    series_version_id: Mapped[int | None] = mapped_column(ForeignKey("series_version.id"))
    patch_k: Mapped[int | None]  # 0: the base of the version; k: after patch k


class Benchmark(Base):
    """A program: `suite/name`."""

    __tablename__ = "benchmark"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)


class TestCase(Base):
    """A program with its parameters."""

    __tablename__ = "test_case"
    __test__ = False  # not a test for pytest
    __table_args__ = (UniqueConstraint("benchmark_id", "digest"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    benchmark_id: Mapped[int] = mapped_column(ForeignKey("benchmark.id"))
    digest: Mapped[str] = mapped_column(String(64))
    params: Mapped[dict[str, Any]] = mapped_column(Document)  # Any: strings, numbers and booleans


class Metric(Base):
    """Name, base unit and direction, per benchmark."""

    __tablename__ = "metric"
    __table_args__ = (
        UniqueConstraint("benchmark_id", "name", "unit"),
        one_of("unit", Unit),
        one_of("better", Better),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    benchmark_id: Mapped[int] = mapped_column(ForeignKey("benchmark.id"))
    name: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(20))
    better: Mapped[str] = mapped_column(String(10))


class TimeSeries(Base):
    """One metric of one test case on one host."""

    __tablename__ = "time_series"
    __table_args__ = (UniqueConstraint("test_case_id", "metric_id", "host_id"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    test_case_id: Mapped[int] = mapped_column(ForeignKey("test_case.id"))
    metric_id: Mapped[int] = mapped_column(ForeignKey("metric.id"))
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"), index=True)


class Artifact(Base):
    """Raw bytes, content-addressed by the SHA-256 of the uncompressed content, gzip-compressed, kept for ever."""

    __tablename__ = "artifact"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class Upload(Base):
    """One call of `kvmperf upload`: who sent what, when.

    An upload that came as a bundle has the bundle's digest; the receipt is what its sender was told, so that the same
    bundle again gets the same answer. `token` is the public prefix of the token it was sent with.
    """

    __tablename__ = "upload"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(Instant)
    origin: Mapped[str] = mapped_column(default="")
    digest: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)
    token: Mapped[str] = mapped_column(String(16), default="", server_default="")
    receipt: Mapped[dict[str, Any] | None] = mapped_column(Document)  # Any: JSON


class Capture(Base):
    """One captured output as it was uploaded, with its context: what re-parsing starts from.

    `identity` is the digest of content and context, so that the same upload again stores nothing. `quarantined` is
    the reason why no run could be made of it, or empty. `parsed_with` is the digest of the parsers that looked at it
    last: where it is today's, re-parsing has nothing to do.
    """

    __tablename__ = "capture"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    identity: Mapped[str] = mapped_column(String(64), unique=True)
    upload_id: Mapped[int] = mapped_column(ForeignKey("upload.id"), index=True)
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"))
    boot_id: Mapped[int | None] = mapped_column(ForeignKey("boot.id"))
    host_state_id: Mapped[int | None] = mapped_column(ForeignKey("host_state.id"))
    facts_id: Mapped[int | None] = mapped_column(ForeignKey("artifact.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), index=True)
    source: Mapped[str]
    command: Mapped[str | None]
    exit_status: Mapped[int | None]
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    tags: Mapped[dict[str, str]] = mapped_column(Document, default=dict)
    reported: Mapped[bool] = mapped_column(default=False)
    quarantined: Mapped[str] = mapped_column(default="")
    parsed_with: Mapped[str] = mapped_column(String(64), default="", server_default="")
    deleted_at: Mapped[datetime | None] = mapped_column(Instant)


class CaptureFile(Base):
    """The files of a capture by name: `stdout` and `stderr`, or the paths of a tree."""

    __tablename__ = "capture_file"
    capture_id: Mapped[int] = mapped_column(ForeignKey("capture.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    artifact_id: Mapped[int] = mapped_column(ForeignKey("artifact.id"), index=True)


class Run(Base):
    """One execution of one benchmark.

    Boot, revision and host state repeat those of its capture: a comparison over hundreds of thousands of rows joins
    measurements to runs and nothing else.
    """

    __tablename__ = "run"
    __table_args__ = (
        UniqueConstraint("capture_id", "position"),
        one_of("status", Status),
        Index("ix_run_revision_id_test_case_id", "revision_id", "test_case_id"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    capture_id: Mapped[int] = mapped_column(ForeignKey("capture.id"))
    position: Mapped[int]
    test_case_id: Mapped[int] = mapped_column(ForeignKey("test_case.id"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    host_id: Mapped[int] = mapped_column(ForeignKey("host.id"), index=True)
    boot_id: Mapped[int | None] = mapped_column(ForeignKey("boot.id"))
    host_state_id: Mapped[int | None] = mapped_column(ForeignKey("host_state.id"))
    status: Mapped[str] = mapped_column(String(10))
    started_at: Mapped[datetime | None] = mapped_column(Instant)
    format: Mapped[str] = mapped_column(String(100))
    format_version: Mapped[int]
    warnings: Mapped[list[str]] = mapped_column(Document, default=list)
    labels: Mapped[dict[str, str]] = mapped_column(Document, default=dict)
    reported: Mapped[bool] = mapped_column(default=False)


class Measurement(Base):
    """The values of one metric in one run, in order; clustered by time series.

    Warm-up values come first: `warmup` of the `n` values are kept and never judged. Summaries are not stored: whoever
    reads a row has its values, and five more numbers would be two fifths of it.
    """

    __tablename__ = "measurement"
    __table_args__ = {  # noqa: RUF012 (declarative classes read it)
        "sqlite_with_rowid": False,
        "postgresql_partition_by": "HASH (time_series_id)",
    }
    time_series_id: Mapped[int] = mapped_column(ForeignKey("time_series.id"), primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True, index=True)
    n: Mapped[int]
    warmup: Mapped[int] = mapped_column(default=0)
    values: Mapped[Floats] = mapped_column(PackedFloats)


class Token(Base):
    """A key to the HTTP interface. Of the secret only its SHA-256 is kept; `prefix` is public and finds the row."""

    __tablename__ = "token"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    prefix: Mapped[str] = mapped_column(String(16), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    last_used_at: Mapped[datetime | None] = mapped_column(Instant)


class TokenScope(Base):
    """What a token may do."""

    __tablename__ = "token_scope"
    __table_args__ = (one_of("scope", Scope),)
    token_id: Mapped[int] = mapped_column(ForeignKey("token.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(String(10), primary_key=True)


class Audit(Base):
    """What was done to stored things by hand: tokens made and revoked, captures parsed anew. Only ever added to."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    actor: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200))
    detail: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)  # Any: JSON
