"""The commands on a tree, as a user runs them."""

import json
from pathlib import Path

from mmtests_tree import BOOT, FILES, make_run


def test_a_tree_is_parsed_uploaded_and_compared(kvmperf, tmp_path: Path) -> None:
    base = make_run(tmp_path / "log", "6.18-base", iterations=3)
    slow = {name: text.replace("0.066", "0.132") for name, text in FILES.items()}
    later = {name: text.replace(BOOT, BOOT[::-1]) for name, text in slow.items()}
    make_run(tmp_path / "log", "6.18-patch", files=later, iterations=3, first=500)

    parsed = [json.loads(line) for line in kvmperf("parse", base, "--json").stdout.splitlines()]
    first = kvmperf("upload", tmp_path / "log")
    again = kvmperf("upload", tmp_path / "log")
    compared = kvmperf("compare", "6.18-base", "6.18-patch", "--json").stdout.splitlines()

    assert {one["benchmark"] for one in parsed} == {
        f"mmtests/{one}" for one in ("run-mmtests", "hackbench-process-pipes", "trunc")
    }
    assert "18 stored" in first.stderr
    assert "as each iteration of MMTests tells" in first.stderr
    assert "18 duplicate" in again.stderr
    found = {one["metric"]: one for one in map(json.loads, compared)}
    assert found["time-1"]["effect"] > 0.9
    assert not any(metric.startswith("hackbench-process-pipes-") for metric in found)
