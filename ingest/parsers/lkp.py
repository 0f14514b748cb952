"""Reports of the kernel test robot (0day, LKP): its table of a parent and a commit, and its table of failures.

A change with `%` is relative, without it is in points of a metric that is a percentage itself; both can be computed
from the columns and are not kept. The headline is a claim: its sign is that of the metric, not of good and bad.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.parsers.lines import Line, Stripped, clean, sample, without_cut_line
from ingest.records import Better, Format, FormatError, Measurement, Output, Param, Record, Status, Unit

NAME = "lkp-report"
VERSION = 1
_NUMBER = r"-?\d{1,18}(?:\.\d{1,9})?(?:e[+-]?\d{1,3})?"
_FIRST = re.compile(rf"(?P<value>{_NUMBER})(?:\s*±\s*\d+%)?\s+(?=[+-])")
_NEXT = re.compile(rf"(?P<change>[+-][\d.]{{1,12}}%?)\s+(?P<value>{_NUMBER})(?:\s*±\s*\d+%)?\s+")
_METRIC = re.compile(r"[A-Za-z][^\s]{1,400}\Z")
_COMMITS = re.compile(r"[0-9a-f]{12,40}(?:\s+[0-9a-f]{12,40}){1,8}\Z")
_FAILURES = re.compile(
    r"(?P<fails>\d{0,9}):(?P<runs>\d{1,9})\s+-?\d{1,4}%\s+(?P<fails_after>\d{0,9}):(?P<runs_after>\d{1,9})\s+(?P<name>\S{1,200})\Z"
)
_CLAIM = re.compile(r"kernel test robot noticed (?:an? )?(?P<claim>.{1,300}?) on:\Z")
_FACT = re.compile(r"(?P<name>testcase|in testcase|test machine|compiler|config|version): (?P<value>\S.{0,200})\Z")
_PARAM = re.compile(r"(?P<name>[a-z][a-z_]{1,30}): (?P<value>[\w%./+-]{1,60})\Z")
_NOTES = (
    "A report of the kernel test robot: reported, not measured here.",
    "Units stand in the names of the metrics; only the benchmark's own rates have a direction (higher is better).",
)
_RATES = re.compile(r"(?:_ops|ops_per_sec|workload|throughput\w*|iops|_rate|\.processes|\.threads)\Z", re.IGNORECASE)
_HEADS = ("%stddev", "fail:runs")
_MOST = 20_000


@dataclass(slots=True)
class _Report:
    """What the lines say so far."""

    commits: list[str] = field(default_factory=list)
    labels: dict[str, str] = field(default_factory=dict)
    params: dict[str, Param] = field(default_factory=dict)
    columns: dict[int, list[Measurement]] = field(default_factory=dict)
    runs: dict[int, str] = field(default_factory=dict)
    mode: str = ""
    is_quoted: bool = False
    cut: str = ""


def _parse(output: Output) -> list[Record]:
    report = _Report()
    lines, report.cut = without_cut_line(clean(output.text), output.text)
    for line in lines:
        if line.text:
            _read(line, report)
    if not report.columns:
        raise FormatError(output.source, 0, "a report of the kernel test robot without a table", "pass the whole mail")
    return [_record(report, column, measured) for column, measured in sorted(report.columns.items())]


def _read(line: Line, report: _Report) -> None:
    text = line.text
    if text.startswith(_HEADS):
        report.mode = "failures" if text.startswith("fail:runs") else "values"
        report.is_quoted = report.is_quoted or Stripped.QUOTE in line.stripped
    elif _COMMITS.match(text):
        report.commits = [word[:12] for word in text.split()]
    elif report.mode == "values":
        _read_values(line, report)
    elif report.mode == "failures":
        _read_failures(line, report)
    else:
        _read_fact(text, report)


def _read_fact(text: str, report: _Report) -> None:
    if claim := _CLAIM.match(text):
        report.labels["claim"] = claim["claim"][:200]
    elif fact := _FACT.match(text):
        report.labels[fact["name"].removeprefix("in ").replace(" ", "_")] = fact["value"].strip()
    elif param := _PARAM.match(text):
        report.params[param["name"]] = param["value"]


def _read_values(line: Line, report: _Report) -> None:
    """`base [± sd%]  change  new [± sd%]  … metric`: as many values as there are commits."""
    first = _FIRST.match(line.text)
    if first is None:
        return
    values, place = [first["value"]], first.end()
    while (following := _NEXT.match(line.text, place)) is not None and len(values) < 10:
        values.append(following["value"])
        place = following.end()
    metric = _METRIC.match(line.text, place)
    if metric is None or len(values) < 2 or not all(math.isfinite(float(value)) for value in values):
        return
    if len(report.columns.get(0, ())) >= _MOST:
        return
    for column, value in enumerate(values):
        unit, better = _kind(metric[0])
        report.columns.setdefault(column, []).append(
            Measurement(metric[0][:200], unit, better, float(value), line=line.number)
        )


def _kind(metric: str) -> tuple[Unit, Better]:
    if _RATES.search(metric) and not metric.startswith(("perf", "proc", "numa", "sched", "mpstat")):
        return Unit.OPERATION_PER_SECOND, Better.HIGHER
    return Unit.COUNT, Better.NONE


def _read_failures(line: Line, report: _Report) -> None:
    match = _FAILURES.match(line.text)
    if match is None:
        return
    for column, (fails, runs) in enumerate((("fails", "runs"), ("fails_after", "runs_after"))):
        report.runs[column] = match[runs]
        failed = float(match[fails] or 0)  # ":9" is 0 of 9
        report.columns.setdefault(column, []).append(
            Measurement(match["name"], Unit.COUNT, Better.LOWER, failed, line=line.number)
        )


def _record(report: _Report, column: int, measured: Sequence[Measurement]) -> Record:
    commit = report.commits[column] if column < len(report.commits) else f"column {column + 1}"
    case = re.sub(r"[^\w.+-]", "_", report.labels.get("testcase", "")) or measured[0].metric.split(".")[0]
    params: Mapping[str, Param] = {**report.params, "variant": commit}
    labels = {**report.labels, **({"runs": report.runs[column]} if column in report.runs else {})}
    return Record(
        benchmark=f"lkp/{case[:80]}",
        format=NAME,
        status=Status.PASS,
        params=params,
        labels=labels,
        warnings=(*_NOTES, *((report.cut,) if report.cut else ())),
        measurements=tuple(measured),
        reported=True,
    )


def _recognises(output: Output) -> bool:
    text = sample(output.text)
    return any(_marks(text))


def _marks(text: str) -> Iterator[bool]:
    yield "%stddev" in text and "%change" in text
    yield "fail:runs" in text and "%reproduction" in text


FORMATS = (Format(name=NAME, version=VERSION, recognises=_recognises, parse=_parse),)
