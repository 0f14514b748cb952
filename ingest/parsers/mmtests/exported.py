"""JSON of extract-mmtests.pl and compare-mmtests.pl: samples per run, operation and iteration.

One object for one run, an array for several, or a comparison that holds such an array. Numbers may be texts.
"""

import json
import math
from collections.abc import Iterator

from ingest.parsers.mmtests import EXPORT, commands
from ingest.parsers.mmtests.catalog import Benchmark, Family, known, plain
from ingest.parsers.mmtests.scan import MAX_OPERATIONS, Operation, Sample, is_number
from ingest.parsers.mmtests.tree import SUITE, in_base_units, told_by_mmtests
from ingest.records import Better, FormatError, Measurement, Output, Param, Record, Status

_MODULE = "ExtractShellpack"
_OLD_MODULE = "Extract"
_MOST_ITERATIONS = 10_000
_DIRECTIONS = {"Lower": Better.LOWER, "Higher": Better.HIGHER}
_SINGLE_NUMBERS = ("SampleNrs", "Values")


def parse(output: Output) -> list[Record]:
    """One record per run and iteration; an iteration that has no data for any operation gives none."""
    try:
        found = json.loads(output.text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        hint = "it was cut off: export it again"
        raise FormatError(output.source, line, f"JSON of MMTests that cannot be read ({error})"[:200], hint) from error
    records = [record for module in _modules(found, output.source) for record in _run(module, output.source)]
    if not records:
        raise FormatError(output.source, 0, "an export of MMTests without a single sample", "did the benchmark run?")
    return records


def _modules(found: object, source: str) -> list[dict[str, object]]:
    """The runs in an export: the object itself, an array, or `_ExtractModules` of a comparison."""
    if isinstance(found, dict) and isinstance(found.get("_ExtractModules"), list):
        found = found["_ExtractModules"]
    runs = found if isinstance(found, list) else [found]
    modules = [run for run in runs if isinstance(run, dict) and isinstance(run.get("_ResultData"), dict)]
    if not modules:
        raise FormatError(source, 0, "JSON without the samples of MMTests", "use --print-json or --json-export")
    return modules


def _run(module: dict[str, object], source: str) -> Iterator[Record]:
    name = _benchmark_name(module, source)
    preferred = str(module.get("_PreferredVal", ""))
    benchmark = known(name)
    results = _results(module, source)
    families = {
        operation: benchmark.family(operation)
        if benchmark
        else plain(operation, _DIRECTIONS.get(preferred, Better.NONE))
        for operation in results
    }
    labels = _labels(module, benchmark, families, preferred)
    params = _params(module)
    for iteration, found in sorted(_by_iteration(results, families).items()):
        yield Record(
            benchmark=f"{SUITE}/{name}",
            format=EXPORT,
            status=Status.PASS,
            params=params,
            labels={**labels, "mmtests.iteration": str(iteration)},
            warnings=_warnings(module, benchmark),
            measurements=tuple(found),
        )


def _by_iteration(results: dict[str, list[list[Sample]]], families: dict[str, Family]) -> dict[int, list[Measurement]]:
    """The measurements of all operations in each iteration that has any."""
    found: dict[int, list[Measurement]] = {}
    for operation, iterations in results.items():
        for iteration, samples in enumerate(iterations):
            if samples:
                measured = in_base_units(families[operation], Operation(operation), samples)
                found.setdefault(iteration, []).extend(measured)
    return found


def _warnings(module: dict[str, object], benchmark: Benchmark | None) -> tuple[str, ...]:
    unknown = () if benchmark else ("kvmperf does not know this benchmark: units are as printed.",)
    silent = "The export does not tell the benchmark's configuration: it is no test case of a tree."
    return unknown if "_Cmd" in module else (*unknown, silent)


def _benchmark_name(module: dict[str, object], source: str) -> str:
    name = str(module.get("_ModuleName", ""))
    name = name.removeprefix(_MODULE) if name.startswith(_MODULE) else name.removeprefix(_OLD_MODULE).lower()
    if not name or len(name) > 100 or not name.isprintable() or "/" in name:
        raise FormatError(source, 0, f"_ModuleName {name[:40]!r} names no benchmark", "export it again")
    return name


def _results(module: dict[str, object], source: str) -> dict[str, list[list[Sample]]]:
    """Samples per operation and iteration, in the order in which MMTests made the operations."""
    data = module["_ResultData"]
    assert isinstance(data, dict)  # noqa: S101 (chosen for it by `_modules`)
    if len(data) > MAX_OPERATIONS:
        raise FormatError(source, 0, f"more than {MAX_OPERATIONS} operations", "this is no export of MMTests")
    generated = module.get("_GeneratedOperations")
    first = [name for name in generated if isinstance(name, str)] if isinstance(generated, list) else []
    order = dict.fromkeys([*(name for name in first if name in data), *sorted(data)])
    return {name: [_samples(one) for one in _iterations(data[name], source)] for name in order}


def _iterations(value: object, source: str) -> list[object]:
    if isinstance(value, list) and len(value) > _MOST_ITERATIONS:
        raise FormatError(source, 0, f"more than {_MOST_ITERATIONS} iterations", "this is no export of MMTests")
    return value if isinstance(value, list) else []


def _samples(iteration: object) -> list[Sample]:
    """The samples of one operation in one iteration; null where there are none."""
    if not isinstance(iteration, dict):
        return []
    numbers, values = (iteration.get(name) for name in _SINGLE_NUMBERS)
    if not isinstance(values, list):
        return []
    intervals = numbers if isinstance(numbers, list) and len(numbers) == len(values) else [None] * len(values)
    pairs = zip(values, intervals, strict=True)
    return [Sample(text, _interval(at)) for value, at in pairs if (text := _number(value))]


def _number(value: object) -> str:
    """A JSON number, or a text that is one, as text; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return ""
    if isinstance(value, int) and abs(value) >= 10**30:
        return ""
    text = repr(value) if isinstance(value, float) and math.isfinite(value) else str(value)
    return text if is_number(text) else ""


def _interval(value: object) -> int | None:
    text = _number(value)
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None


def _labels(
    module: dict[str, object], benchmark: Benchmark | None, families: dict[str, Family], preferred: str
) -> dict[str, str]:
    labels = {"mmtests.preferred": preferred}
    if families:
        labels |= told_by_mmtests(benchmark or Benchmark(_never, {"": next(iter(families.values()))}), families)
    if preferred:  # what this very export says goes before what MMTests does today
        labels["mmtests.preferred"] = preferred
    run = module.get("_TestName")
    return labels | ({"mmtests.run": run[:200]} if isinstance(run, str) else {})


def _params(module: dict[str, object]) -> dict[str, Param]:
    """The configuration as the commands of the first iteration show it: the same test case as from the tree."""
    command = module.get("_Cmd")
    first = command[0] if isinstance(command, list) and command else ""
    configuration = commands.template(first) if isinstance(first, str) else ""
    return {"command": configuration} if configuration else {}


def _never(*_: object) -> None:
    """Nothing is read from logs here."""
