"""Against the corpus beside a development checkout: real outputs that are not part of the project."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

from cli.parse import as_object
from ingest import parsers
from ingest.outputs import Captured, read_outputs
from ingest.records import Status

BY_EXIT_STATUS = {0: Status.PASS, 4: Status.SKIP, 124: Status.TIMEOUT, 137: Status.KILLED, 142: Status.KILLED}


def test_every_run_of_the_gallery_has_its_status(shared: Path) -> None:
    found = list(read_outputs([shared / "corpus" / "kvm-lab" / "gallery"]))

    for captured in found:
        record, *inside = parsers.parse(captured.output)
        assert record.status is wanted(captured), captured.relative_path
        assert all("subtest" in one.params for one in inside)
        assert record.benchmark.split("/")[1] in captured.relative_path


def test_wrong_and_right_rates_are_told_apart(shared: Path) -> None:
    for captured in read_outputs([shared / "corpus" / "kvm-lab" / "ab"]):
        phase = "" if captured.relative_path.startswith("d/") else "before_fix"
        (record,) = parsers.parse(captured.output)
        assert {one.phase for one in record.measurements if "paging_rate" in one.metric} <= {phase}


def test_mmtest_rounds_are_those_of_the_manifest(shared: Path) -> None:
    folder = shared / "corpus" / "mmtests" / "mmtest"

    for run in json.loads((folder / "manifest.json").read_text())["runs"]:
        expected = run["expected"]
        (captured,) = read_outputs([folder / run["file"]])
        (record,) = parsers.parse(captured.output)
        rounds = [round(one.value * 1e9) for one in record.measurements if one.metric == "round_time"]
        assert rounds == expected["rounds_ns"], run["file"]
        is_good = expected["complete"] and expected["threads"] > 0
        assert (record.status is Status.PASS) == is_good, run["file"]


def test_mail_samples_score_full_marks(shared: Path) -> None:
    scoring = load(shared / "tools" / "score_parse.py")
    program, typed = [0, 0, 0], [0, 0, 0]

    for side in sorted((shared / "corpus" / "mail").glob("*.json")):
        sample = json.loads(side.read_text())
        is_program = sample.get("shape_kind", sample["program"]) in scoring.PROGRAM_KINDS
        wanted_values = [one for one in sample["expected"] if one.get("kind") != "claim" and not one.get("reject")]
        for text in (side.with_suffix(".txt"), side.with_suffix(".quoted.txt")):
            if text.exists():
                total = program if is_program else typed
                total[:] = [a + b for a, b in zip(total, scoring.score(wanted_values, objects(text)), strict=True)]

    assert program[0] == program[1] == program[2]
    found, expected, printed = typed
    assert found == expected
    assert found / printed > 0.99  # printed besides: failures of the parent in a robot's report


def test_every_migration_of_the_laboratory_has_its_status(shared: Path) -> None:
    by_state = {"completed": Status.PASS, "failed": Status.FAIL, "": Status.SKIP}

    for path in sorted((shared / "corpus" / "kvm-lab" / "migrate").glob("*/*.query-migrate.json")):
        state = json.loads(path.read_text())["return"].get("status", "")
        text = path.with_name(path.name.replace(".query-migrate.json", ".info-migrate.txt"))
        records = [parsers.parse(captured.output)[0] for captured in read_outputs([path, text])]
        if path.name == "02-src-active-early.query-migrate.json":  # asked at another moment than the text
            records.pop()
        assert {record.status for record in records} == {by_state.get(state, Status.KILLED)}, path


def wanted(captured: Captured) -> Status:
    if "badopt" in captured.relative_path:  # prints its usage text and leaves with 0
        return Status.FAIL
    if captured.output.exit_status is None:
        return Status.KILLED
    return BY_EXIT_STATUS.get(captured.output.exit_status, Status.FAIL)


def objects(path: Path) -> list[dict[str, object]]:
    (captured,) = read_outputs([path])
    return [as_object(record, path.name) for record in parsers.parse(captured.output)]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("score_parse", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
