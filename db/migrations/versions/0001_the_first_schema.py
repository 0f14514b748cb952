"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Document = sa.JSON()
Packed = sa.LargeBinary()
SUMMARY = ("mean", "median", "minimum", "maximum", "deviation")
PARTITIONS = 16  # of `measurement` on PostgreSQL


def upgrade() -> None:
    op.create_table(
        "artifact",
        sa.Column("id", Key, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_artifact"),
        sa.UniqueConstraint("sha256", name="uq_artifact_sha256"),
    )
    op.create_table(
        "benchmark",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_benchmark"),
        sa.UniqueConstraint("name", name="uq_benchmark_name"),
    )
    op.create_table(
        "host",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("machine_id_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_host"),
        sa.UniqueConstraint("name", name="uq_host_name"),
    )
    op.create_table(
        "host_state",
        sa.Column("id", Key, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("fields", Document, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_host_state"),
        sa.UniqueConstraint("digest", name="uq_host_state_digest"),
    )
    op.create_table(
        "patch_series",
        sa.Column("id", Key, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("change_id", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_patch_series"),
        sa.UniqueConstraint("name", name="uq_patch_series_name"),
    )
    op.create_table(
        "upload",
        sa.Column("id", Key, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_upload"),
    )
    op.create_table(
        "boot",
        sa.Column("id", Key, nullable=False),
        sa.Column("host_id", Key, nullable=False),
        sa.Column("boot_id", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_boot_host_id_host"),
        sa.PrimaryKeyConstraint("id", name="pk_boot"),
        sa.UniqueConstraint("host_id", "boot_id", name="uq_boot_host_id_boot_id"),
    )
    op.create_table(
        "metric",
        sa.Column("id", Key, nullable=False),
        sa.Column("benchmark_id", Key, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=False),
        sa.Column("better", sa.String(length=10), nullable=False),
        sa.CheckConstraint("better IN ('lower', 'higher', 'none')", name="ck_metric_better_known"),
        sa.CheckConstraint(
            "unit IN ('s', 'B', 'B/s', 'bit/s', 'pages', 'pages/s', 'pages/s/vcpu', 'ops/s', 'cycles', 'count', 'ratio')",
            name="ck_metric_unit_known",
        ),
        sa.ForeignKeyConstraint(["benchmark_id"], ["benchmark.id"], name="fk_metric_benchmark_id_benchmark"),
        sa.PrimaryKeyConstraint("id", name="pk_metric"),
        sa.UniqueConstraint("benchmark_id", "name", "unit", name="uq_metric_benchmark_id_name_unit"),
    )
    op.create_table(
        "series_version",
        sa.Column("id", Key, nullable=False),
        sa.Column("series_id", Key, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("base_commit", sa.String(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["series_id"], ["patch_series.id"], name="fk_series_version_series_id_patch_series"),
        sa.PrimaryKeyConstraint("id", name="pk_series_version"),
        sa.UniqueConstraint("series_id", "version", name="uq_series_version_series_id_version"),
    )
    op.create_table(
        "test_case",
        sa.Column("id", Key, nullable=False),
        sa.Column("benchmark_id", Key, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("params", Document, nullable=False),
        sa.ForeignKeyConstraint(["benchmark_id"], ["benchmark.id"], name="fk_test_case_benchmark_id_benchmark"),
        sa.PrimaryKeyConstraint("id", name="pk_test_case"),
        sa.UniqueConstraint("benchmark_id", "digest", name="uq_test_case_benchmark_id_digest"),
    )
    op.create_table(
        "patch",
        sa.Column("id", Key, nullable=False),
        sa.Column("series_version_id", Key, nullable=False),
        sa.Column("k", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("patch_id", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_version_id"], ["series_version.id"], name="fk_patch_series_version_id_series_version"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_patch"),
        sa.UniqueConstraint("series_version_id", "k", name="uq_patch_series_version_id_k"),
    )
    with op.batch_alter_table("patch", schema=None) as batch_op:
        batch_op.create_index("ix_patch_patch_id", ["patch_id"], unique=False)

    op.create_table(
        "revision",
        sa.Column("id", Key, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("kernel", sa.String(length=200), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("tree", sa.String(), nullable=False),
        sa.Column("branch", sa.String(), nullable=False),
        sa.Column("describe", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column("dirty", sa.Boolean(), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("series_version_id", Key, nullable=True),
        sa.Column("patch_k", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["series_version_id"], ["series_version.id"], name="fk_revision_series_version_id_series_version"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_revision"),
        sa.UniqueConstraint("key", name="uq_revision_key"),
    )
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index("ix_revision_commit", ["commit"], unique=False)
        batch_op.create_index("ix_revision_kernel", ["kernel"], unique=False)
        batch_op.create_index("ix_revision_label", ["label"], unique=False)

    op.create_table(
        "time_series",
        sa.Column("id", Key, nullable=False),
        sa.Column("test_case_id", Key, nullable=False),
        sa.Column("metric_id", Key, nullable=False),
        sa.Column("host_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_time_series_host_id_host"),
        sa.ForeignKeyConstraint(["metric_id"], ["metric.id"], name="fk_time_series_metric_id_metric"),
        sa.ForeignKeyConstraint(["test_case_id"], ["test_case.id"], name="fk_time_series_test_case_id_test_case"),
        sa.PrimaryKeyConstraint("id", name="pk_time_series"),
        sa.UniqueConstraint(
            "test_case_id", "metric_id", "host_id", name="uq_time_series_test_case_id_metric_id_host_id"
        ),
    )
    with op.batch_alter_table("time_series", schema=None) as batch_op:
        batch_op.create_index("ix_time_series_host_id", ["host_id"], unique=False)

    op.create_table(
        "capture",
        sa.Column("id", Key, nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("upload_id", Key, nullable=False),
        sa.Column("host_id", Key, nullable=False),
        sa.Column("boot_id", Key, nullable=True),
        sa.Column("host_state_id", Key, nullable=True),
        sa.Column("facts_id", Key, nullable=True),
        sa.Column("revision_id", Key, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("command", sa.String(), nullable=True),
        sa.Column("exit_status", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tags", Document, nullable=False),
        sa.Column("reported", sa.Boolean(), nullable=False),
        sa.Column("quarantined", sa.String(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["boot_id"], ["boot.id"], name="fk_capture_boot_id_boot"),
        sa.ForeignKeyConstraint(["facts_id"], ["artifact.id"], name="fk_capture_facts_id_artifact"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_capture_host_id_host"),
        sa.ForeignKeyConstraint(["host_state_id"], ["host_state.id"], name="fk_capture_host_state_id_host_state"),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name="fk_capture_revision_id_revision"),
        sa.ForeignKeyConstraint(["upload_id"], ["upload.id"], name="fk_capture_upload_id_upload"),
        sa.PrimaryKeyConstraint("id", name="pk_capture"),
        sa.UniqueConstraint("identity", name="uq_capture_identity"),
    )
    with op.batch_alter_table("capture", schema=None) as batch_op:
        batch_op.create_index("ix_capture_revision_id", ["revision_id"], unique=False)
        batch_op.create_index("ix_capture_upload_id", ["upload_id"], unique=False)

    op.create_table(
        "capture_file",
        sa.Column("capture_id", Key, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("artifact_id", Key, nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifact.id"], name="fk_capture_file_artifact_id_artifact"),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"], name="fk_capture_file_capture_id_capture"),
        sa.PrimaryKeyConstraint("capture_id", "name", name="pk_capture_file"),
    )
    with op.batch_alter_table("capture_file", schema=None) as batch_op:
        batch_op.create_index("ix_capture_file_artifact_id", ["artifact_id"], unique=False)

    op.create_table(
        "run",
        sa.Column("id", Key, nullable=False),
        sa.Column("capture_id", Key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("test_case_id", Key, nullable=False),
        sa.Column("revision_id", Key, nullable=False),
        sa.Column("host_id", Key, nullable=False),
        sa.Column("boot_id", Key, nullable=True),
        sa.Column("host_state_id", Key, nullable=True),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("format", sa.String(length=100), nullable=False),
        sa.Column("format_version", sa.Integer(), nullable=False),
        sa.Column("warnings", Document, nullable=False),
        sa.Column("labels", Document, nullable=False),
        sa.Column("reported", sa.Boolean(), nullable=False),
        sa.CheckConstraint("status IN ('pass', 'fail', 'skip', 'timeout', 'killed')", name="ck_run_status_known"),
        sa.ForeignKeyConstraint(["boot_id"], ["boot.id"], name="fk_run_boot_id_boot"),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"], name="fk_run_capture_id_capture"),
        sa.ForeignKeyConstraint(["host_id"], ["host.id"], name="fk_run_host_id_host"),
        sa.ForeignKeyConstraint(["host_state_id"], ["host_state.id"], name="fk_run_host_state_id_host_state"),
        sa.ForeignKeyConstraint(["revision_id"], ["revision.id"], name="fk_run_revision_id_revision"),
        sa.ForeignKeyConstraint(["test_case_id"], ["test_case.id"], name="fk_run_test_case_id_test_case"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("capture_id", "position", name="uq_run_capture_id_position"),
    )
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.create_index("ix_run_host_id", ["host_id"], unique=False)
        batch_op.create_index("ix_run_revision_id_test_case_id", ["revision_id", "test_case_id"], unique=False)
        batch_op.create_index("ix_run_test_case_id", ["test_case_id"], unique=False)

    op.create_table(
        "measurement",
        sa.Column("time_series_id", Key, nullable=False),
        sa.Column("run_id", Key, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("warmup", sa.Integer(), nullable=False),
        *_summary(),
        sa.Column("values", Packed, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_measurement_run_id_run"),
        sa.ForeignKeyConstraint(
            ["time_series_id"], ["time_series.id"], name="fk_measurement_time_series_id_time_series"
        ),
        sa.PrimaryKeyConstraint("time_series_id", "run_id", name="pk_measurement"),
        sqlite_with_rowid=False,
        postgresql_partition_by="HASH (time_series_id)",
    )
    if op.get_bind().dialect.name == "postgresql":
        for part in range(PARTITIONS):
            op.execute(
                f"CREATE TABLE measurement_p{part:02} PARTITION OF measurement"
                f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
            )
    with op.batch_alter_table("measurement", schema=None) as batch_op:
        batch_op.create_index("ix_measurement_run_id", ["run_id"], unique=False)


def _summary() -> list[sa.Column[float]]:
    """PostgreSQL was supported only when these had gone, and would keep the room of a dropped column in every row."""
    names = () if op.get_bind().dialect.name == "postgresql" else SUMMARY
    return [sa.Column(name, sa.Double(), nullable=name == "deviation") for name in names]


def downgrade() -> None:
    with op.batch_alter_table("measurement", schema=None) as batch_op:
        batch_op.drop_index("ix_measurement_run_id")

    op.drop_table("measurement")
    with op.batch_alter_table("run", schema=None) as batch_op:
        batch_op.drop_index("ix_run_test_case_id")
        batch_op.drop_index("ix_run_revision_id_test_case_id")
        batch_op.drop_index("ix_run_host_id")

    op.drop_table("run")
    with op.batch_alter_table("capture_file", schema=None) as batch_op:
        batch_op.drop_index("ix_capture_file_artifact_id")

    op.drop_table("capture_file")
    with op.batch_alter_table("capture", schema=None) as batch_op:
        batch_op.drop_index("ix_capture_upload_id")
        batch_op.drop_index("ix_capture_revision_id")

    op.drop_table("capture")
    with op.batch_alter_table("time_series", schema=None) as batch_op:
        batch_op.drop_index("ix_time_series_host_id")

    op.drop_table("time_series")
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.drop_index("ix_revision_label")
        batch_op.drop_index("ix_revision_kernel")
        batch_op.drop_index("ix_revision_commit")

    op.drop_table("revision")
    with op.batch_alter_table("patch", schema=None) as batch_op:
        batch_op.drop_index("ix_patch_patch_id")

    op.drop_table("patch")
    op.drop_table("test_case")
    op.drop_table("series_version")
    op.drop_table("metric")
    op.drop_table("boot")
    op.drop_table("upload")
    op.drop_table("patch_series")
    op.drop_table("host_state")
    op.drop_table("host")
    op.drop_table("benchmark")
    op.drop_table("artifact")
