"""Measured states of a series, stored without outputs: one metric of one program, with planted levels and noise."""

import numpy as np

from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer


def measure(connection, level, *, boots=4, runs=5, noise=0.004, seed=0, shared=False, tags=(), labels=(), **facts):
    """Runs of `level` seconds in boots of their own (or in shared ones), at the revision that the facts name."""
    writer, rng = Writer(connection), np.random.default_rng(seed)
    name = "-".join(str(value) for value in facts.values())
    for boot in range(boots):
        shift = rng.normal(0, noise)
        for run in range(runs):
            values = level * np.exp(shift + rng.normal(0, noise, 3))
            one = NewRun(
                "kvm-selftests/dirty_log_perf_test", {"vcpus": 4}, "pass", "made", 1,
                (NewMeasurement("clear_dirty_log_time", "s", "lower", values),), labels=dict(labels),
            )  # fmt: skip
            context = CaptureContext(
                host="bm3",
                revision=RevisionFacts(**facts),
                boot_id=f"boot{boot}" if shared else f"{name}-{boot}",
                tags=dict(tags),
            )
            writer.store(context, NewCapture(f"{name}/{boot}/{run}.out", {}, runs=(one,)))
