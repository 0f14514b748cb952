"""Measurements lose their summaries: nothing read them, and they took two fifths of a row.

SQLite rebuilds the table, in its order: rows that go in one after another fill their pages. Nothing refers to it.
On PostgreSQL, where dropped columns go on taking room in every row, the first schema is without them.
"""

from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SUMMARY = ("mean", "median", "minimum", "maximum", "deviation")
KEPT = 'time_series_id, run_id, n, warmup, "values"'
BATCH = 10_000


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuilt(())


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _rebuilt(SUMMARY)
        _summarise()


def _rebuilt(more: tuple[str, ...]) -> None:
    """The table anew with these further columns, filled for the moment with what satisfies them."""
    op.drop_index("ix_measurement_run_id", "measurement")
    op.rename_table("measurement", "measurement_before")
    columns: list[sa.Column[Any]] = [  # Any: numbers and bytes
        sa.Column("time_series_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("warmup", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Double(), nullable=name == "deviation") for name in more),
        sa.Column("values", sa.LargeBinary(), nullable=False),
    ]
    op.create_table(
        "measurement",
        *columns,
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_measurement_run_id_run"),
        sa.ForeignKeyConstraint(
            ["time_series_id"], ["time_series.id"], name="fk_measurement_time_series_id_time_series"
        ),
        sa.PrimaryKeyConstraint("time_series_id", "run_id", name="pk_measurement"),
        sqlite_with_rowid=False,
    )
    names, zeros = "".join(f", {name}" for name in more), ", 0" * len(more)
    op.execute(
        f"INSERT INTO measurement ({KEPT}{names}) SELECT {KEPT}{zeros} FROM measurement_before"  # noqa: S608 (constants)
        " ORDER BY time_series_id, run_id"
    )
    op.drop_table("measurement_before")
    op.create_index("ix_measurement_run_id", "measurement", ["run_id"])


def _summarise() -> None:
    """Fill the columns that the schema before knows; warm-up is left out unless there is nothing else."""
    bind = op.get_bind()
    last = (0, 0)
    while rows := bind.execute(
        sa.text(
            f"SELECT {KEPT} FROM measurement WHERE (time_series_id, run_id) > (:series, :run)"  # noqa: S608 (constants)
            " ORDER BY time_series_id, run_id LIMIT :batch"
        ),
        {"series": last[0], "run": last[1], "batch": BATCH},
    ).all():
        last = (rows[-1][0], rows[-1][1])
        bind.execute(
            sa.text(
                f"UPDATE measurement SET {', '.join(f'{name} = :{name}' for name in SUMMARY)}"  # noqa: S608 (constants)
                " WHERE time_series_id = :series AND run_id = :run"
            ),
            [{"series": row[0], "run": row[1], **_summary(row[4], row[3])} for row in rows],
        )


def _summary(packed: bytes, warmup: int) -> dict[str, float | None]:
    values = np.frombuffer(packed, dtype="<f8")
    judged = values[warmup:] if warmup < values.size else values
    return {
        "mean": float(judged.mean()),
        "median": float(np.median(judged)),
        "minimum": float(judged.min()),
        "maximum": float(judged.max()),
        "deviation": float(judged.std(ddof=1)) if judged.size > 1 else None,
    }
