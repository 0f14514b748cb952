"""Alerts for tests: a regression on two hosts, an improvement that is closed, a notice of silent hosts."""

from datetime import UTC, datetime, timedelta

from measured_series import measure

from db import alert_queries, alert_writes, outbox, queries
from db.engine import writing
from db.queries import Filters

AT = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
LEVELS = ((1.0, "v1"), (1.01, "v2"), (1.3, "v3"), (1.29, "v4"))


def fill(engine, *, measured=False, at=AT):
    """Store them; the ids of the regression, the improvement, and the notice. `measured`: a series is there already."""
    with writing(engine) as connection:
        if not measured:
            for seed, (level, label) in enumerate(LEVELS):
                measure(connection, level, boots=2, runs=2, seed=seed, label=label, kernel="6.13.0")
        revisions = queries.revisions(connection)
        base, head = revisions[1].id, revisions[2].id
        series = queries.series(connection, Filters(metric="*_time*"))[:2]
        step = {"kind": "regression", "line": "master", "base_revision_id": base, "head_revision_id": head}
        shown = {"evidence": "confirmed", "opened_at": at, "announced_at": at}
        regression = alert_writes.add_group(connection, {**step, **shown})
        alert_writes.set_members(connection, regression, [_member(one.id, base, head) for one in series])
        improvement = alert_writes.add_group(
            connection,
            {**step, **shown, "kind": "improvement", "closed_at": at, "closed_because": "recovered", "owner": "bob"},
        )
        alert_writes.set_members(connection, improvement, [_member(series[0].id, base, head, effect=-0.2)])
        items = [{"host": "bm7", "since": "2026-02-25"}, {"host": "bm8", "since": "2026-02-26"}]
        silent = alert_writes.add_group(
            connection, {"kind": "missing data", **shown, "detail": {"items": items}, "announced_at": at}
        )
        for number in (regression, improvement, silent):
            event = alert_writes.add_event(connection, number, at, ("detect", "announced"), {})
            outbox.enqueue(connection, f"opened:{number}:{event}", "opened", {}, at=at, group_id=number)
        alert_writes.add_event(connection, improvement, at + timedelta(days=1), ("detect", "recovered"), {})
    return regression, improvement, silent


def only(connection, group_id):
    """The group with this id."""
    (found,) = alert_queries.group(connection, group_id)
    return found


def _member(series_id, base, head, effect=0.287):
    return {
        "time_series_id": series_id, "base_revision_id": base, "head_revision_id": head, "before": 1.005,
        "after": 1.005 * (1 + effect), "effect": effect, "low": effect - 0.01, "high": effect + 0.01, "z": 9.0,
        "noise": 0.004, "points": 2, "boots": 4, "worse": effect > 0, "recovered": effect < 0,
        "evidence": "confirmed",
    }  # fmt: skip
