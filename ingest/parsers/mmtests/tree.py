"""A tree of work/log as records: one per benchmark and iteration, and one for the iteration itself.

The files of an output are named relative to `iter-N`: `hackbench-process-pipes/logs/hackbench-1`, `tests-timestamp`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ingest.parsers.mmtests import TREE, commands, timestamps
from ingest.parsers.mmtests.catalog import GNU_TIME, NETPERF_UNITS, Benchmark, Family, known
from ingest.parsers.mmtests.logs import Logs
from ingest.parsers.mmtests.scan import Operation, Sample, Scan
from ingest.records import Better, FormatError, Measurement, Output, Param, Record, Status, Unit

SUITE = "mmtests"
DRIVER = "run-mmtests"
_PLACE = re.compile(r"(?:^|/)(?P<run>[^/]{1,200})/iter-(?P<iteration>\d{1,9})(?:/[^/]{0,200})?\Z")
_TIMED = re.compile(r"time-.+-\d+(?:\.gz|\.xz)?\Z")
_KINDS = ("user", "system", "elapsed")
FOLDERS = "folders.txt"  # of an iteration: which folders lie beside tests-timestamp, one a line


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a benchmark ended, and what a reader should know of it."""

    status: Status
    warnings: tuple[str, ...] = ()


def parse(output: Output) -> list[Record]:
    """One record: of the iteration when its list of folders is here, else of the benchmark whose files these are."""
    if FOLDERS in output.files:
        return [_iteration(output)]
    names = {name.partition("/")[0] for name in output.files if "/" in name}
    if len(names) != 1:
        raise FormatError(
            output.source, 0, f"files of {len(names)} benchmarks in one output", "name the folder of a run"
        )
    return [_benchmark(output, names.pop())]


def measurements(benchmark: Benchmark, scan: Scan) -> tuple[Measurement, ...]:
    """The samples of complete operations in base units, in the order of operations and samples."""
    return tuple(
        measurement
        for operation, samples in scan.samples.items()
        if operation.name not in scan.incomplete
        for measurement in in_base_units(_family(benchmark, scan, operation.name), operation, samples)
    )


def in_base_units(family: Family, operation: Operation, samples: Iterable[Sample]) -> list[Measurement]:
    """Printed samples of one operation as measurements."""
    unit, better = family.unit, family.better
    return [
        Measurement(operation.name, unit, better, family.base(text), interval, operation.phase)
        for text, interval in samples
    ]


def told_by_mmtests(benchmark: Benchmark, families: Mapping[str, Family]) -> dict[str, str]:
    """Labels that lead back to what MMTests prints: direction, kind of summary, and the factor from its unit to ours.

    Operations with another factor are told by a word of theirs: `mmtests.factor RPS`, `mmtests.factor latency`.
    """
    first = next(
        (family for name, family in families.items() if not benchmark.key(name)), next(iter(families.values()))
    )
    labels = {"mmtests.preferred": benchmark.preferred, "mmtests.summary": benchmark.summary}
    labels |= {"mmtests.unit": first.printed, "mmtests.factor": f"{first.factor:g}"}
    for operation, family in families.items():
        if family != first:
            word = benchmark.key(operation).strip("-") or operation.partition("-")[0]
            labels[f"mmtests.unit {word}"] = family.printed
            labels[f"mmtests.factor {word}"] = f"{family.factor:g}"
    return labels


def place(source: str) -> dict[str, str]:
    """Run and iteration by the path of a tree."""
    match = _PLACE.search(source)
    return {"mmtests.run": match["run"], "mmtests.iteration": match["iteration"]} if match else {}


def _benchmark(output: Output, name: str) -> Record:
    verdict = _verdict(output, name)
    benchmark = known(name) or _timed(output, name)
    logs = Logs(name, output.files, output.source)
    scan = Scan(output.source)
    if verdict.status is Status.PASS:
        benchmark.read(logs, scan)
        verdict = _after_reading(verdict, scan)
    families = {operation.name: _family(benchmark, scan, operation.name) for operation in scan.samples}
    written = logs.text("commands.log")
    configuration = commands.template(written)
    params: dict[str, Param] = {"command": configuration} if configuration else {}
    return Record(
        benchmark=f"{SUITE}/{name}",
        format=TREE,
        status=verdict.status,
        command=output.command or "; ".join(commands.unique(written))[:4000],
        params=params,
        labels=place(output.source) | (told_by_mmtests(benchmark, families) if families else {}),
        warnings=(*verdict.warnings, *scan.warnings),
        measurements=measurements(benchmark, scan),
    )


def _timed(output: Output, name: str) -> Benchmark:
    """The reader of GNU time for a benchmark that is not in the catalog and leaves its files."""
    if any(_TIMED.search(path.rpartition("/")[2]) for path in output.files):
        return GNU_TIME
    raise FormatError(
        output.source, 0, f"kvmperf cannot read the MMTests benchmark {name}", "its logs are kept for a later version"
    )


def _verdict(output: Output, name: str) -> Verdict:
    """What tests-timestamp says of the benchmark; an end with status 0 is what makes its logs a result."""
    raw = output.files.get(timestamps.FILE)
    if raw is None:
        return Verdict(Status.PASS, ("tests-timestamp is not here: whether the benchmark ended well is not known.",))
    test = timestamps.read(raw.decode("utf-8", errors="replace")).tests.get(name, timestamps.Test())
    if test.exit_status is None:
        return Verdict(Status.KILLED, (f"{name} began and never ended: its logs are no result.",))
    if test.exit_status:
        status = Status.KILLED if test.exit_status > 128 else Status.FAIL
        return Verdict(status, (f"{name} ended with exit status {test.exit_status}: its logs are no result.",))
    return Verdict(Status.PASS, _odd_events(test, name))


def _odd_events(test: timestamps.Test, name: str) -> tuple[str, ...]:
    if len(test.begins) == len(test.ends) == 1:
        return ()
    events = f"{name} began {len(test.begins)} times and ended {len(test.ends)} times in this iteration"
    return (f"{events}: two run-mmtests at once, or a second try; the logs may hold more than one run.",)


def _after_reading(verdict: Verdict, scan: Scan) -> Verdict:
    """The verdict with what the logs lacked: a log without its result is missing, never a zero."""
    if not scan.samples:
        return Verdict(Status.FAIL, (*verdict.warnings, "It ended with status 0 and its logs hold no result."))
    if scan.missing:
        shown = ", ".join(scan.missing[:5]) + (f" and {len(scan.missing) - 5} more" if len(scan.missing) > 5 else "")
        sentence = f"No result in {shown}: the operations these belong to were left out."
        return Verdict(Status.FAIL, (*verdict.warnings, sentence))
    return verdict


def _family(benchmark: Benchmark, scan: Scan, operation: str) -> Family:
    printed = scan.printed_units.get(operation.partition("-")[0])
    return NETPERF_UNITS[printed] if printed else benchmark.family(operation)


def _iteration(output: Output) -> Record:
    """What the driver itself tells: how long each benchmark took (never judged), what is left over, what is cut off."""
    raw = output.files.get(timestamps.FILE)
    if raw is None:
        raise FormatError(output.source, 0, "no tests-timestamp: nothing says what ran", "name the folder of a run")
    stamps = timestamps.read(raw.decode("utf-8", errors="replace"))
    if not stamps.tests and stamps.started_at is None:
        raise FormatError(output.source, 0, "tests-timestamp holds no events", "name the folder of a run")
    is_whole = stamps.finished_at is not None
    warnings = () if is_whole else ("tests-timestamp has no finish line: the run was cut short.",)
    return Record(
        benchmark=f"{SUITE}/{DRIVER}",
        format=TREE,
        status=Status.PASS if is_whole else Status.KILLED,
        labels=place(output.source),
        warnings=(*warnings, *_beside_the_authority(output, stamps)),
        measurements=tuple(_durations(stamps)),
    )


def _durations(stamps: timestamps.Timestamps) -> Iterable[Measurement]:
    for name, test in stamps.tests.items():
        for kind in _KINDS if test.seconds and test.exit_status == 0 else ():
            metric = f"{name}-{kind.capitalize()}"
            yield Measurement(metric[:200], Unit.SECOND, Better.NONE, test.seconds[-1][kind])


def _beside_the_authority(output: Output, stamps: timestamps.Timestamps) -> Iterable[str]:
    """Sentences on folders that tests-timestamp does not name, and on names that have no folder."""
    listed = output.files[FOLDERS].decode("utf-8", errors="replace").split("\n")
    folders = {folder for folder in listed if folder}
    for folder in sorted(folders - set(stamps.tests))[:20]:
        yield f"{folder} is not named in tests-timestamp: a leftover, ignored."
    bare = [name for name in stamps.tests if name not in folders]
    if folders and bare:
        yield f"Named in tests-timestamp and without logs here: {', '.join(bare[:30])}."
