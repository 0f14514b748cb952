"""The noise of a host as text (at most 72 columns) and as JSON lines."""

import json
import textwrap
from collections.abc import Iterator
from itertools import groupby

from report.noise import NoiseReport, NoiseRow
from report.words import WIDTH, ascii_only, case_line, counted
from stats.variance import UNKNOWN, Component

_NAME = 27  # columns of the metric's name
_LEAST = 1e-4  # a spread that is told; smaller ones are nothing beside a margin
_NO_LOGS = "not all positive: no relative spread"


def render(report: NoiseReport) -> str:
    """A table a test case (spreads are one standard deviation), and what it means for a comparison."""
    lines: list[str] = []
    for _, rows in groupby(report.rows, key=lambda row: (row.series.host, row.series.test_case_id)):
        lines += [*_table(list(rows), report), ""]
    return "".join(f"{line.rstrip()}\n" for line in [*lines, *sentences(report)])


def sentences(report: NoiseReport) -> list[str]:
    """What the table means: at which design which change is noise, and what is not known."""
    design = f"{counted(report.boots, 'boot')} of {counted(report.runs, 'run')}"
    hosts = sorted({row.series.host for row in report.rows})
    where = f"On {hosts[0]}" if len(hosts) == 1 else f"On these {len(hosts)} hosts"
    said = []
    if report.known:
        told = f"{where}, {100 * report.margin:.3g} % at {design} a side is noise in {report.hidden} of"
        said.append(f"{told} {counted(len(report.known), 'metric')} ({100 * report.power:.0f} % power).")
        changes = sorted(row.smallest for row in report.known if row.smallest is not None)
        said.append(f"Half of them show {percent(changes[len(changes) // 2])}, all {percent(changes[-1])}.")
    unlike = sum(row.spreads is None for row in report.rows)
    unknown = len(report.rows) - len(report.known) - unlike
    if unlike:
        said.append(f"{counted(unlike, 'metric')}: {_NO_LOGS}.")
    if unknown:
        rest = "measure one revision in 3 boots or more"
        said.append(f"{counted(unknown, 'metric')}: the spread between boots is unknown; {rest}.")
    said.append("Spreads are standard deviations; in brackets the 90 % interval of that between boots.")
    return [line for text in said for line in textwrap.wrap(ascii_only(text), WIDTH)]


def to_json(report: NoiseReport) -> str:
    """One object a metric: three spreads (relative standard deviations) with intervals, and the smallest change."""
    return "".join(f"{json.dumps(_object(row, report), allow_nan=False)}\n" for row in report.rows)


def percent(share: float | None) -> str:
    """A spread or a change in per cent, `-` where unknown; what nobody needs to know closer is `<0.01%`."""
    if share is None:
        return "-"
    if 0 < share < _LEAST:
        return "<0.01%"
    if share >= 1.995:
        return f"x{1 + share:.2g}" if share < 98.5 else f"x{1 + share:.0e}"
    return f"{100 * share:.2g}%" if share < 0.0995 else f"{100 * share:.0f}%"


def _table(rows: list[NoiseRow], report: NoiseReport) -> Iterator[str]:
    series = rows[0].series
    told = f"{series.host}: {case_line(series.benchmark, sorted(series.params.items()))}"
    yield from textwrap.wrap(ascii_only(told), WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    design = f"{report.boots}x{report.runs} shows"
    yield f"{'metric':<{_NAME}} {'in run':>6} {'runs':>6} {'boots':>6}{'':>14}{design:>10}"
    for row in rows:
        name = ascii_only(row.series.metric)
        if len(name) >= _NAME:
            yield name
            name = ""
        if row.spreads is None:
            yield f"{name:<{_NAME}}  {_NO_LOGS}"
            continue
        found = (row.spreads.within_run, row.spreads.between_runs, row.spreads.between_boots)
        if all(one is UNKNOWN for one in found):
            yield f"{name:<{_NAME}}  nothing was repeated"
            continue
        cells = "".join(f" {percent(one.spread):>6}" for one in found)
        yield f"{name:<{_NAME}}{cells}{_bounds(found[-1]):>14}{percent(row.smallest):>10}"


def _bounds(one: Component) -> str:
    if one.low is None or one.high is None:
        return ""
    return f" [{percent(one.low**0.5).rstrip('%')},{percent(one.high**0.5).rstrip('%')}]"


def _object(row: NoiseRow, report: NoiseReport) -> dict[str, object]:
    series, found = row.series, row.spreads
    told: dict[str, object] = {
        "host": series.host,
        "benchmark": series.benchmark,
        "params": dict(series.params),
        "metric": series.metric,
        "unit": series.unit,
    }
    for name in ("within_run", "between_runs", "between_boots"):
        told[name] = None if found is None else _component(getattr(found, name))
    counts = ("revisions", "boots", "runs", "values")
    told["n"] = None if found is None else {name: getattr(found, name) for name in counts}
    design = {"boots": report.boots, "runs": report.runs, "power": report.power}
    return {**told, "design": design, "smallest_change": row.smallest}


def _component(one: Component) -> dict[str, float] | None:
    if one.spread is None or one.low is None or one.high is None:
        return None
    return {"spread": one.spread, "low": one.low**0.5, "high": one.high**0.5, "df": one.df}
