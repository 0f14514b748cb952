"""Reports of QEMU's own migration benchmark, guestperf: the migration's progress and what the guest felt of it.

Its guest dirties memory all the time and prints how many milliseconds each GiB took; the report has those times with
their epoch seconds, so that before, during and after the migration are told apart.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ingest.parsers import jsontext
from ingest.parsers.jsontext import looks_like_json
from ingest.parsers.lines import sample
from ingest.parsers.migration import METRICS, SNAPSHOT
from ingest.records import Better, Format, FormatError, Measurement, Output, Param, Record, Status, Unit

NAME = "qemu-guestperf"
VERSION = 1
BENCHMARK = "migrate-perf/guestperf"
_LARGEST = 2.0**53
_ERRORS = {"failed": Status.FAIL, "completed": Status.PASS}
# Field of the last progress entry, the metric, and how many of its units are one base unit
_TOTALS: Mapping[str, tuple[str, float]] = {
    "duration": ("total_time", 1e3),
    "downtime": ("downtime", 1e3),
    "setup_time": ("setup_time", 1e3),
    "ram.transferred_bytes": ("transferred_ram", 1.0),
    "ram.total_bytes": ("total_ram", 1.0),
    "ram.duplicate_pages": ("duplicate", 1.0),
    "ram.normal_pages": ("normal", 1.0),
    "ram.normal_bytes": ("normal_bytes", 1.0),
    "ram.dirty_rate_pps": ("dirty_pages_rate", 1.0),
    "ram.transfer_rate_mbs": ("throughput", 1e-6),
    "ram.iterations": ("dirty_sync_count", 1.0),
    "throttle_pcent": ("cpu_throttle", 1e2),
}
_LABELS = ("binary", "dst_host", "kernel", "initrd")
_MOST = 1_000_000  # guest timings that are read


def _parse(output: Output) -> list[Record]:
    for place, report in jsontext.objects(output.text, output.source):
        history = report.get("progress_history")
        if isinstance(history, list) and isinstance(report.get("scenario"), dict):
            steps = [step for step in history if isinstance(step, dict)]
            return [_record(report, steps, output, place)]
    raise FormatError(output.source, 0, "holds no report of guestperf", "pass the JSON that `guestperf.py` wrote")


def _record(report: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], output: Output, place: int) -> Record:
    last = steps[-1] if steps else {}
    state = str(last.get("status", ""))[:40]
    status = _ERRORS.get(state, Status.KILLED)
    warnings: list[str] = []
    if status is not Status.PASS:
        warnings.append(f"The migration did not complete (last status: {state or 'none'}): nothing of it is judged.")
    measured = _totals(last, warnings)
    if status is not Status.PASS:
        measured = [one._replace(phase=SNAPSHOT, warmup=True) for one in measured]
    guest = _guest(report.get("guest_timings"), steps, is_whole=status is Status.PASS)
    return Record(
        benchmark=BENCHMARK,
        format=NAME,
        status=status,
        command=(output.command or "").strip(),
        params=_params(report),
        labels={name: str(report[name])[:200] for name in _LABELS if isinstance(report.get(name), str)},
        warnings=tuple(warnings),
        measurements=tuple(one._replace(line=place) for one in (*measured, *guest)),
        reported=jsontext.is_quoted(output.text),
    )


def _totals(last: Mapping[str, Any], warnings: list[str]) -> list[Measurement]:
    ram = last.get("ram")
    found: list[Measurement] = []
    for path, (metric, divisor) in _TOTALS.items():
        group, _, key = path.rpartition(".")
        inner = ram if group else last
        value = jsontext.number(inner.get(key)) if isinstance(inner, dict) else None
        if value is None:
            continue
        if not 0 <= value < _LARGEST:
            warnings.append(f"{metric} is {value:.20g}, which cannot be: it was left out.")
            continue
        unit, better = METRICS[metric]
        based = round(value / divisor, 9 if unit is Unit.SECOND else 3)
        found.append(Measurement(metric, unit, better, based))
    return found


def _guest(timings: object, steps: Sequence[Mapping[str, Any]], *, is_whole: bool) -> list[Measurement]:
    """How long the guest took to dirty a GiB, per repetition; while the migration ran it is another experiment.

    What came after a migration that failed has no phase of its own: the guest ran on in the source.
    """
    moments = [moment for step in steps if (moment := jsontext.number(step.get("now"))) is not None]
    begin, end = (moments[0], moments[-1]) if moments else (float("inf"), float("inf"))
    counted = {"before": 0, "during": 0, "after": 0}
    found: list[Measurement] = []
    for one in timings[:_MOST] if isinstance(timings, list) else ():
        at, value = (jsontext.number(one.get(key)) if isinstance(one, dict) else None for key in ("timestamp", "value"))
        if at is None or value is None or not 0 <= value < _LARGEST:
            continue
        phase = "before" if at < begin else "during" if at <= end else "after"
        counted[phase] += 1
        place = (counted[phase], phase, not is_whole and phase != "before")
        found.append(Measurement("guest_dirty_gib_time", Unit.SECOND, Better.LOWER, value / 1e3, *place))
    return found


def _params(report: Mapping[str, Any]) -> dict[str, Param]:
    """Everything that was asked for; guestperf's own defaults are in its report already."""
    params: dict[str, Param] = {}
    for group in ("hardware", "scenario"):
        inner = report.get(group)
        for name, value in sorted(inner.items())[:60] if isinstance(inner, dict) else ():
            if value is not None and value not in ([], ""):
                params[f"{group}.{_name(name)}"] = value if isinstance(value, bool) else _param(value)
    params["transport"] = _param(report.get("transport", ""))
    sleep = jsontext.number(report.get("sleep"))
    return params | ({"sleep_s": sleep} if sleep is not None else {})


def _name(text: str) -> str:
    return re.sub(r"\W+", "_", text)[:60]


def _param(value: object) -> Param:
    if isinstance(value, int | float) and jsontext.number(value) is not None:
        return value
    return (" ".join(str(one) for one in value[:64]) if isinstance(value, list) else str(value))[:200]


def _recognises(output: Output) -> bool:
    if not looks_like_json(output.text):
        return False
    text = sample(output.text)
    return '"progress_history"' in text and '"scenario"' in text


FORMATS = (Format(name=NAME, version=VERSION, recognises=_recognises, parse=_parse),)
