"""Steps of time series, made up."""

from alerts.judge import interval
from alerts.steps import Step
from db.detection import StepRow
from db.values import SeriesRow
from db.words import Evidence


def step(series=1, head=20, effect=0.1, z=9.0, *, host="bm1", case=1, points=5, at_host=0.0, line="", noise=0.01):
    row = StepRow(
        head - 1,
        head,
        10.0,
        10 * (1 + effect),
        effect,
        *interval(effect, z, is_ratio=True),
        z,
        noise,
        points,
        5,
        1,
        at_host,
    )
    evidence = Evidence.CONFIRMED if points >= 3 else Evidence.CANDIDATE
    about = SeriesRow(series, host, "suite/b", case, {}, "time", "s", "lower")
    return Step(about, line, head - 1, head, row, evidence, effect > 0)


def by_series(steps):
    found = {}
    for one in steps:
        found.setdefault(one.series.id, []).append(one)
    return found
