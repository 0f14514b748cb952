"""What differs between the runs that are stored of an output and those that are read of it now, in words. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np

from db.values import NewMeasurement, NewRun


def differences(old: Sequence[NewRun], new: Sequence[NewRun]) -> tuple[str, ...]:
    """One line a difference, in the order of the runs; none where both say the same.

    The version of a parser alone is none: what it read did not change.
    """
    found: list[str] = []
    for position, (before, after) in enumerate(zip(old, new, strict=False)):
        name = "" if len(old) == len(new) == 1 else f"run {position + 1}: "
        found += (name + line for line in _of_run(before, after))
    for position, run in enumerate(new[len(old) :], start=len(old)):
        found.append(f"run {position + 1}: new, {_short(run)}")
    for position, run in enumerate(old[len(new) :], start=len(new)):
        found.append(f"run {position + 1}: gone, {_short(run)}")
    return tuple(found)


def _of_run(before: NewRun, after: NewRun) -> list[str]:
    if before.benchmark != after.benchmark:
        return [f"benchmark {before.benchmark} -> {after.benchmark}"]
    found = []
    if before.status != after.status:
        found.append(f"status {before.status} -> {after.status}")
    if before.format != after.format:
        found.append(f"format {before.format} -> {after.format}")
    found += _of_fields("parameter", before.params, after.params)
    found += _of_fields("label", before.labels, after.labels)
    found += (f"warning gone: {one}" for one in before.warnings if one not in after.warnings)
    found += (f"warning: {one}" for one in after.warnings if one not in before.warnings)
    if before.warnings != after.warnings and sorted(before.warnings) == sorted(after.warnings):
        found.append("warnings in another order")
    return found + _of_measurements(before, after)


def _of_fields(kind: str, before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    return [
        f"{kind} {name}: {before.get(name, '(none)')} -> {after.get(name, '(none)')}"
        for name in sorted(before.keys() | after.keys())
        if repr(before.get(name)) != repr(after.get(name))  # 1 and True are equal and not the same
    ]


def _of_measurements(before: NewRun, after: NewRun) -> list[str]:
    old, new = ({(one.metric, one.unit): one for one in run.measurements} for run in (before, after))
    found = []
    for metric, unit in sorted(old.keys() | new.keys()):
        left, right = old.get((metric, unit)), new.get((metric, unit))
        if left is None and right is not None:
            found.append(f"{metric} [{unit}]: new, {right.values.size} values")
        elif right is None and left is not None:
            found.append(f"{metric} [{unit}]: gone, {left.values.size} values")
        elif left is not None and right is not None:
            found += _of_values(f"{metric} [{unit}]", left, right)
    return found


def _of_values(name: str, left: NewMeasurement, right: NewMeasurement) -> list[str]:
    found = []
    if left.better != right.better:
        found.append(f"{name}: better {left.better} -> {right.better}")
    if left.warmup != right.warmup:
        found.append(f"{name}: warm-up {left.warmup} -> {right.warmup} values")
    if left.values.size != right.values.size:
        found.append(f"{name}: {left.values.size} -> {right.values.size} values")
    elif not np.array_equal(left.values, right.values, equal_nan=True):
        first = int(np.flatnonzero(left.values != right.values)[0])
        count = int((left.values != right.values).sum())
        more = f" and {count - 1} more values" if count > 1 else ""
        found.append(f"{name}: {left.values[first]:.9g} -> {right.values[first]:.9g}{more}")
    return found


def _short(run: NewRun) -> str:
    return f"{run.benchmark}, {run.status}, {len(run.measurements)} metrics"
