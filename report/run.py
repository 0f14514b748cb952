"""Answers "what exactly was measured?": one run with its context, its numbers, and the runs around it."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from db import queries, run_queries, runs
from db.errors import UserError
from db.run_queries import RunFacts, RunLine
from db.runs import Measured
from db.values import RevisionRow
from report.scales import axis_scale, with_unit

_LISTED = 12  # values of one metric


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run. `files` are names with the SHA-256 of their bytes; `same_boot` and `same_point` hold this run too."""

    run: RunFacts
    revision: RevisionRow
    measured: tuple[Measured, ...]
    files: dict[str, str]
    same_boot: tuple[RunLine, ...]
    same_point: tuple[RunLine, ...]


def build(connection: Connection, run_id: int) -> RunReport:
    """Everything about one run. Raises UserError where there is none of this number."""
    found = run_queries.facts(connection, run_id)
    if not found:
        raise UserError(f"there is no run {run_id}", "it may have been deleted; the newest runs are listed without one")
    (run,) = found
    return RunReport(
        run=run,
        revision=next(one for one in queries.revisions(connection) if one.id == run.revision_id),
        measured=runs.measured(connection, run_id),
        files=runs.files(connection, run.capture_id),
        same_boot=run_queries.beside(connection, run),
        same_point=run_queries.same_point(connection, run),
    )


def raw(connection: Connection, report: RunReport) -> dict[str, bytes]:
    """The bytes of the run's files as they were uploaded, by name."""
    return {name: queries.artifact(connection, sha256) for name, sha256 in report.files.items()}


@dataclass(frozen=True, slots=True)
class Summary:
    """One metric of a run in words, every number with its unit. `listed` has them in order, warm-up in brackets."""

    metric: str
    better: str
    median: str
    spread: str
    n: str
    listed: str


def summaries(report: RunReport) -> tuple[Summary, ...]:
    """What the run measured, by metric."""
    return tuple(_summary(one) for one in report.measured)


def told(metric: str, value: float, unit: str, iteration: int | None) -> str:
    """One number as it is shown beside the line that it was read from."""
    factor, name = axis_scale((value,), unit)
    which = "" if iteration is None else f" #{iteration}"
    return f"{metric}{which} = {with_unit(value, factor, name)}"


def _summary(one: Measured) -> Summary:
    judged = one.values[one.warmup :] if one.warmup < one.values.size else one.values
    factor, unit = axis_scale(one.values.tolist(), one.unit)
    shown = [with_unit(value, factor, "") for value in one.values[:_LISTED].tolist()]
    texts = [f"({text})" if at < one.warmup else text for at, text in enumerate(shown)]
    more = f" and {one.values.size - _LISTED} more" if one.values.size > _LISTED else ""
    warmup = f", {one.warmup} of them warm-up" if one.warmup else ""
    low, high = (with_unit(float(bound), factor, unit) for bound in (judged.min(), judged.max()))
    return Summary(
        metric=one.metric,
        better=one.better,
        median=with_unit(float(np.median(judged)), factor, unit),
        spread=f"{low} to {high}" if judged.size > 1 else "one value",
        n=f"{one.values.size} {'value' if one.values.size == 1 else 'values'}{warmup}",
        listed=f"{' '.join(texts)}{more} {unit}",
    )
