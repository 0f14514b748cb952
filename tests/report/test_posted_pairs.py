"""Before and after as kernel developers posted them: what their numbers allow to say, and no more."""

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingest import parsers
from ingest.outputs import read_outputs
from ingest.records import Record
from report.samples_csv import compare_csv
from stats.compare import Policy

WORDS = {
    "base": ("before", "without", "write lock", "one notifier"),
    "head": ("after", "with series", "read lock", "two"),
}
LEGACY = "legacy"  # a third configuration in two of the mails
FIVE_RUNS = ("067", "069", "070")


def one_run_pairs(mails: Path) -> dict[str, dict[str, Path]]:
    """Return the pairs that have one mail, so one run, a side: pair, then side, then output."""
    found: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in sorted(mails.glob("*.json")):
        told = json.loads(path.read_text())
        label = str(told.get("label", "")).lower()
        if not told.get("pair") or LEGACY in label:
            continue
        for side, words in WORDS.items():
            if any(word in label for word in words) and " columns" not in label and "block" not in label:
                found[told["pair"]].setdefault(side, path.with_suffix(".txt"))
                break
    return {pair: sides for pair, sides in found.items() if len(sides) == 2 and sides["base"] != sides["head"]}


def records(path: Path) -> list[Record]:
    (captured,) = read_outputs([path])
    return parsers.parse(captured.output)


def one_run_rows(sides: dict[str, Path]) -> list[tuple[object, ...]]:
    """Return rows of a CSV: rounds of one phase are iterations of the one run."""
    return [
        (f"{one.metric} {one.phase}".strip(), side, "", 1, number, one.value)
        for side, path in sides.items()
        for number, one in enumerate(records(path)[0].measurements)
    ]


def written(path: Path, rows: Sequence[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows([("metric", "side", "boot", "run", "iteration", "value"), *rows])
    return path


def test_one_posted_run_a_side_is_inconclusive_and_shows_its_effect(shared: Path, tmp_path: Path) -> None:
    pairs = one_run_pairs(shared / "corpus" / "mail")
    shown = 0

    for pair, sides in pairs.items():
        rows = one_run_rows(sides)
        for answer in compare_csv(written(tmp_path / "pair.csv", rows), Policy()):
            assert answer["verdict"] in {"inconclusive", "not comparable"}, (pair, answer)
            assert answer["q"] is None
            shown += answer["effect"] is not None and answer["verdict"] == "inconclusive"

    assert len(pairs) >= 7
    assert shown >= 20


def test_the_effects_of_one_posted_pair_are_those_of_its_numbers(shared: Path, tmp_path: Path) -> None:
    sides = one_run_pairs(shared / "corpus" / "mail")["vipin-clear-v2"]

    answers = {one["metric"]: one for one in compare_csv(written(tmp_path / "pair.csv", one_run_rows(sides)), Policy())}

    assert answers["clear_dirty_log_time round1"]["effect"] == pytest.approx(2.384343157 / 3.638543593 - 1)
    assert answers["dirty_memory_time round2"]["effect"] == pytest.approx(0.290414476 / 0.192226071 - 1)


@pytest.mark.parametrize("mail", FIVE_RUNS)
def test_five_posted_runs_a_side_are_judged(shared: Path, tmp_path: Path, mail: str) -> None:
    (path,) = (shared / "corpus" / "mail").glob(f"{mail}-*[a-z0-9].txt")
    rows = [
        (f"{block // 2} {one.metric}", side, "", one.iteration, 1, one.value)
        for block, record in enumerate(found for found in records(path) if "variant" in found.params)
        for side in [{"before": "base", "after": "head"}[str(record.params["variant"])]]
        for one in record.measurements
    ]

    answers = compare_csv(written(tmp_path / "five.csv", rows), Policy())

    assert len(answers) >= 4
    for answer in answers:
        assert answer["q"] is not None, answer
        if abs(answer["effect"]) > 0.2:
            assert answer["verdict"] == "improvement", answer
