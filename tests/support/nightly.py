"""Databases of nightly measurements with levels of the test's choice: one revision a day, one run a host and case."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from db.engine import writing
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer

START = datetime(2026, 1, 1, tzinfo=UTC)
BETTER = {"s": "lower", "ops/s": "higher"}


def at(day):
    """The evening of a day."""
    return START + timedelta(days=day, hours=20)


def levels(days, seed=1, noise=0.01, steps: Sequence[tuple[int, float]] = (), base=10.0):
    """A level a day: white noise, and steps as (day, ratio minus one)."""
    values = np.full(days, np.log(base)) + np.random.default_rng(seed).normal(0, noise, days)
    for day, size in steps:
        values[day:] += np.log1p(size)
    return np.exp(values)


def store(engine, day, told: Mapping[tuple[str, str], Mapping[str, float]], *, state=None, status="pass", boot=""):
    """Store what hosts measured on a day: (host, benchmark) -> metric (`time` in s, else ops/s) -> value."""
    facts = RevisionFacts(kernel="6.14", commit=f"{day:04x}{'c' * 36}", committed_at=START + timedelta(days=day))
    with writing(engine) as connection:
        writer = Writer(connection, now=at(day))
        for (host, benchmark), values in told.items():
            fields = (state or {}).get(host, {"cpu.model": "made up"})
            context = CaptureContext(host=host, revision=facts, state=fields, boot_id=f"{host}-{day}{boot}")
            measured = tuple(_measurement(name, value) for name, value in values.items()) if status == "pass" else ()
            run = NewRun(f"suite/{benchmark}", {}, status, "made-up", 1, measured)
            text = f"{day} {host} {benchmark} {status} {boot} {values}".encode()
            writer.store(context, NewCapture("x.out", {"stdout": text}, started_at=at(day), runs=(run,)))


def _measurement(name, value):
    unit = "s" if name.startswith("time") else "ops/s"
    return NewMeasurement(name, unit, BETTER[unit], np.array([value, value, value]))
