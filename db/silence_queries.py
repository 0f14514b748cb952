"""What was measured lately and what was not: questions about hosts, test cases and metrics that fell silent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from db.alert_models import Detection
from db.models import Benchmark, Capture, Host, Metric, Run, TestCase, TimeSeries, Upload


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A test case in words."""

    id: int
    benchmark: str
    params: Mapping[str, Any]  # Any: strings, numbers and booleans


def received(connection: Connection) -> dict[str, list[datetime]]:
    """When each host's uploads came, oldest first."""
    wanted = (
        select(Host.name, Upload.received_at)
        .select_from(Upload)
        .join(Capture, Capture.upload_id == Upload.id)
        .join(Host, Capture.host_id == Host.id)
        .where(Capture.reported.is_(False), Capture.deleted_at.is_(None))
        .group_by(Host.name, Upload.id, Upload.received_at)
        .order_by(Upload.received_at)
    )
    found: dict[str, list[datetime]] = {}
    for host, at in connection.execute(wanted):
        found.setdefault(host, []).append(at)
    return found


def measured(connection: Connection, revision_ids: Collection[int]) -> list[tuple[str, int, int]]:
    """Host, test case and revision of what ran at these revisions, each once."""
    listed: Any = bindparam(None, sorted(revision_ids), expanding=True, literal_execute=True)  # Any: a bound list
    wanted = (
        select(Host.name, Run.test_case_id, Run.revision_id)
        .select_from(Run)
        .join(Host, Run.host_id == Host.id)
        .where(Run.revision_id.in_(listed), Run.reported.is_(False))
        .distinct()
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(wanted)]


def last_values(connection: Connection) -> list[tuple[str, int, str, int]]:
    """Host, test case, metric, and the revision at which each judged time series was measured last."""
    wanted = (
        select(Host.name, TimeSeries.test_case_id, Metric.name, Run.revision_id)
        .select_from(Detection)
        .join(TimeSeries, Detection.time_series_id == TimeSeries.id)
        .join(Run, Run.id == Detection.newest_run)
        .join(Host, TimeSeries.host_id == Host.id)
        .join(Metric, TimeSeries.metric_id == Metric.id)
        .where(func.length(Detection.points) > 0)
    )
    return [(row[0], row[1], row[2], row[3]) for row in connection.execute(wanted)]


def cases(connection: Connection) -> dict[int, CaseRow]:
    """Every test case in words."""
    wanted = select(TestCase.id, Benchmark.name, TestCase.params).join(Benchmark)
    return {row.id: CaseRow(*row) for row in connection.execute(wanted)}
