"""A short version of benchmarks/torture.py: acknowledged uploads outlive kills of the server and of PostgreSQL."""

from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.mark.slow
def test_acknowledged_uploads_are_there_once_and_whole_after_kills_and_crashes(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import torture

    plan = torture.Plan(seconds=5, uploaders=4, kills=2, crashes=1, port=torture.free_port())

    seen, wrong = torture.torture(plan)

    assert wrong == []
    assert seen.acknowledged
    assert seen.failed > 0  # else nothing was disturbed
