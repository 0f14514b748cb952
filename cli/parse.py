"""`kvmperf parse`: shows what the parsers see in outputs; stores nothing."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from db.errors import UserError
    from ingest.outputs import Captured
    from ingest.records import Measurement, Record

# Display only: what is stored and printed with --json stays in base units.
_SCALES: dict[str, tuple[tuple[str, float], ...]] = {
    "s": (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)),
    "B": (("GiB", 2.0**30), ("MiB", 2.0**20), ("KiB", 2.0**10), ("B", 1.0)),
}
_SHOWN = 6


def parse(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Outputs, folders of outputs, or - for stdin.")],
    format_name: Annotated[str, typer.Option("--format", help="Read as this format instead of looking.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per run and line.")] = False,
) -> None:
    """Show what the parsers see; nothing is stored.

    NAME.cmd, NAME.rc, NAME.time and NAME.err beside NAME.out are taken for what they are.

    Example: kvmperf parse out/ --json
    """
    failures = _parse_all(paths, format_name, as_json=as_json)
    if len(failures) == 1 and _is_alone(paths):
        raise failures[0]
    if failures:
        raise typer.Exit(1)


def _parse_all(paths: Sequence[Path], format_name: str, *, as_json: bool) -> list["UserError"]:
    """Print every run of every output; what could not be read is reported and returned, and the rest goes on."""
    from db.errors import UserError
    from ingest import parsers

    failures: list[UserError] = []
    is_alone = _is_alone(paths)
    for captured in _each(paths):
        try:
            if isinstance(captured, UserError):
                raise captured
            _print(captured.output.source, parsers.parse(captured.output, format_name), as_json=as_json)
        except UserError as error:
            failures.append(error)
            if not is_alone:
                sys.stderr.write(f"kvmperf: {error}\n")
    return failures


def _each(paths: Sequence[Path]) -> Iterator["Captured | UserError"]:
    """Every captured output under the paths, or why there is none."""
    from db.errors import UserError
    from ingest.bundle import is_bundle
    from ingest.outputs import read_each

    for path in paths:
        if is_bundle(path) and path.is_file():
            hint = f"`tar -xf {path}` in an empty folder, and parse that; `kvmperf upload` reads bundles as they are"
            yield UserError(f"{path}: a bundle of outputs, and no output", hint)
        else:
            yield from read_each([path])


def _is_alone(paths: Sequence[Path]) -> bool:
    return len(paths) == 1 and not os.path.isdir(paths[0])  # noqa: PTH112 (that of Path raises in a closed folder)


def _print(source: str, records: Iterable["Record"], *, as_json: bool) -> None:
    for record in records:
        text = json.dumps(as_object(record, source)) if as_json else "\n".join(as_lines(record, source))
        sys.stdout.write(text + "\n")


def as_object(record: "Record", source: str) -> dict[str, object]:
    """The record as other programs read it: base units, the names that the documentation promises."""
    return {
        "benchmark": record.benchmark,
        "format": record.format,
        "status": str(record.status),
        "command": record.command,
        "params": dict(record.params),
        "labels": dict(record.labels),
        "warnings": list(record.warnings),
        "measurements": [_measurement(measurement) for measurement in record.measurements],
        "source": source,
        "reported": record.reported,
    }


def as_lines(record: "Record", source: str) -> list[str]:
    """The record as a person reads it: what ran, how it ended, what to know, and a line per time series."""
    params = " ".join(f"{name}={value}" for name, value in record.params.items() if value != "")
    heading = [f"{record.benchmark}  {record.status}  ({source})", f"  {params}" if params else ""]
    warnings = [f"  ! {warning}" for warning in record.warnings]
    in_order = sorted(record.measurements, key=lambda one: one.line)
    order = {name: place for place, name in reversed(list(enumerate(one.series for one in in_order)))}
    by_series = groupby(sorted(in_order, key=lambda one: order[one.series]), key=lambda one: one.series)
    rows = [_row(series, list(group)) for series, group in by_series]
    width = max((len(series) for series, _values in rows), default=0)
    return (
        [line for line in heading if line] + warnings + [f"  {name:<{width}}  {values}" for name, values in rows] + [""]
    )


def _measurement(measurement: "Measurement") -> dict[str, object]:
    return {
        "metric": measurement.metric,
        "unit": str(measurement.unit),
        "better": str(measurement.better),
        "iteration": measurement.iteration,
        "value": measurement.value,
        "phase": measurement.phase,
        "warmup": measurement.warmup,
        "line": measurement.line,
    }


def _row(series: str, measurements: Sequence["Measurement"]) -> tuple[str, str]:
    unit, factor = _scale(measurements)
    values = [f"{measurement.value / factor:.6g}" for measurement in measurements[:_SHOWN]]
    more = f" … ({len(measurements)} values)" if len(measurements) > _SHOWN else ""
    return series, f"{'  '.join(values)} {unit}{more}"


def _scale(measurements: Sequence["Measurement"]) -> tuple[str, float]:
    """The unit in which the largest value has digits before the point."""
    base = str(measurements[0].unit)
    largest = max(abs(measurement.value) for measurement in measurements)
    scales = _SCALES.get(base, ((base, 1.0),))
    return next((scale for scale in scales if largest >= scale[1]), scales[-1])
