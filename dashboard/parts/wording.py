"""How pages say things: test cases, directions, replication, and what tells one time series from another."""

from collections.abc import Mapping, Sequence

from dashboard.parts.plain import shortened
from db.hoststate import Severity
from db.values import RevisionRow, SeriesRow
from report import words
from report.comparison import Row
from report.text import case_line

counted = words.counted
SEVERITIES = {
    Severity.BLOCK: "forbids a verdict",
    Severity.DOWNGRADE: "weakens a verdict to inconclusive",
    Severity.NOTE: "is only mentioned",
}
_DIRECTIONS = {"lower": "lower is better", "higher": "higher is better", "none": "no better direction"}


def direction(better: str) -> str:
    """The direction of a metric in words."""
    return _DIRECTIONS.get(better, better)


def case(series: SeriesRow) -> str:
    """A test case in words."""
    return case_line(series.benchmark, sorted(series.params.items()))


def parameters(series: SeriesRow) -> str:
    """The parameters of a test case in words: what the Trends page picks by."""
    return parameters_text(series.params)


def parameters_text(params: Mapping[str, object]) -> str:
    """The same of parameters alone."""
    return " ".join(f"{name}={value}" for name, value in sorted(params.items())) or "(no parameters)"


def dated(revision: RevisionRow) -> str:
    """When a revision was committed, or else first measured."""
    kind = "committed" if revision.committed_at else "first measured"
    return f"{kind} {revision.committed_at or revision.first_seen_at:%Y-%m-%d}"


def signed(effect: float) -> str:
    """A relative change in per cent; without a sign where rounding leaves nothing."""
    told = f"{100 * effect:+.1f}%"
    return "0.0%" if told in ("+0.0%", "-0.0%") else told


def replication(boots: int, runs: int, values: int) -> str:
    """How often something was measured: boots, runs and values of one side."""
    return ", ".join((counted(boots, "boot"), counted(runs, "run"), counted(values, "value")))


def measured(row: Row, side: int) -> str:
    """How often base (0) or head (1) of a row was measured."""
    n = row.result.n[side]
    return replication(n.boots, n.runs, n.values)


def common_and_own(series: Sequence[SeriesRow]) -> tuple[str, list[str]]:
    """What all test cases and hosts have in common, in words, and for each what is its own."""
    names = sorted({name for one in series for name in one.params})
    differing = {name for name in names if len({str(one.params.get(name)) for one in series}) > 1}
    programs, hosts = {one.benchmark for one in series}, {one.host for one in series}
    shared = [(name, series[0].params[name]) for name in names if name not in differing]
    told = case_line(series[0].benchmark if len(programs) == 1 else "", shared)
    common = f"{told} on {series[0].host}".strip() if len(hosts) == 1 else told
    return common, [_own(one, differing, has_program=len(programs) > 1) for one in series]


def _own(one: SeriesRow, differing: set[str], *, has_program: bool) -> str:
    """The program and the differing parameters; what is off is said here, because elsewhere it is on."""
    told = [_parameter(name, one.params[name]) for name in sorted(differing) if name in one.params]
    return " ".join([one.benchmark.rsplit("/", 1)[-1]] * has_program + told)


def _parameter(name: str, value: object) -> str:
    return case_line("", [(name, value)]) or f"{name}={value}"


def titles(series: Sequence[SeriesRow]) -> list[str]:
    """A name for each time series: the metric, then only what differs among them."""
    hosts = {one.host for one in series}
    programs = {one.benchmark for one in series}
    names = {name for one in series for name in one.params}
    differing = {name for name in names if len({str(one.params.get(name)) for one in series}) > 1}
    return [_title(one, len(programs) > 1, differing, len(hosts) > 1) for one in series]


def _title(one: SeriesRow, has_programs: bool, differing: set[str], has_hosts: bool) -> str:
    params = " ".join(_parameter(name, one.params[name]) for name in sorted(differing) if name in one.params)
    program = one.benchmark.rsplit("/", 1)[-1] if has_programs else ""
    return shortened(" · ".join(part for part in (one.metric, program, params, one.host if has_hosts else "") if part))
