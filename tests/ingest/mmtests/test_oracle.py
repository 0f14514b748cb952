"""Captured trees against what MMTests' own programs print of them."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any  # JSON of MMTests

import pytest
from mmtests_tree import printed

from ingest import parsers
from ingest.mmtests.finding import Part, read_part
from ingest.parsers.mmtests.rows import tables
from ingest.records import Output, Record, Status
from stats import mmtests_summary

Key = tuple[str, int, str]
# Where MMTests is known to be wrong: it takes what was sent for received and dies; and calls 0 what is missing.
WRONG = {"oracle/netperf-ipv4-udp", "edge/oracle/netperf-ipv4-udp", "edge/oracle/netperf-ipv4-tcp"}
SAMPLES = {"oracle": 12_290, "edge/oracle": 450}


def record_of(corpus: Path, key: Key) -> Record:
    """The record of run, iteration and benchmark."""
    run, iteration, benchmark = key
    place = next(found for folder in ("logs", "edge/logs") if (found := corpus / folder / run).is_dir())
    (record,) = parsers.parse(read_part(Part(place / f"iter-{iteration}", benchmark)))
    return record


def samples(file: Path) -> dict[Key, dict[str, list[float]]]:
    """What parse-results of MMTests printed: operations with their numbers, per run, iteration and benchmark."""
    found: dict[Key, dict[str, list[float]]] = {}
    for line in file.read_text().splitlines()[1:]:
        run, iteration, metric, *factors, _interval, value, _extra = line.split("\t")
        operation = "-".join([metric, *(one for one in factors if one not in {"", "_"})])
        if value:
            found.setdefault((run, int(iteration), file.parent.name), {}).setdefault(operation, []).append(float(value))
    return found


def as_mmtests_prints(benchmark: str, values: list[float]) -> list[float]:
    """Values in MMTests' digits and order: for redis awk prints six digits, and equal intervals are sorted as text."""
    if benchmark != "redis":
        return values
    return [float(f"{value:.6g}") for value in values]


@pytest.mark.parametrize("folder", SAMPLES)
def test_samples_are_those_of_mmtests(shared: Path, folder: str) -> None:
    corpus = shared / "corpus" / "mmtests"
    compared = 0
    for file in sorted((corpus / folder).glob("*/samples*.tsv")):
        if f"{folder}/{file.parent.name}" in WRONG:
            continue
        for key, operations in samples(file).items():
            found = printed(record_of(corpus, key))
            for operation, values in operations.items():
                mine = as_mmtests_prints(key[2], found[operation])
                told = sorted(values) if key[2] == "redis" else values
                mine = sorted(mine) if key[2] == "redis" else mine
                assert mine == pytest.approx(told, rel=1e-9), (key, operation)
                compared += len(values)

    assert compared == SAMPLES[folder]


def test_operations_come_in_the_order_of_mmtests(shared: Path) -> None:
    corpus = shared / "corpus" / "mmtests"
    compared = 0
    for file in sorted((corpus / "oracle").glob("*/extract-6*.json")):
        export = json.loads(file.read_text())
        order = [name for name in export["_GeneratedOperations"] if name in export["_ResultData"]]
        if f"oracle/{file.parent.name}" in WRONG or not order:
            continue

        found = list(printed(record_of(corpus, (export["_TestName"], 0, file.parent.name))))

        assert [name for name in found if name in order] == order
        compared += 1
    assert compared == 41


def test_received_is_read_apart_from_sent(shared: Path) -> None:
    corpus = shared / "corpus" / "mmtests"
    truth = json.loads((corpus / "oracle/netperf-ipv4-udp/truth.json").read_text())
    compared = 0
    for run, iterations in truth.items():
        for iteration, sizes in iterations.items():
            found = printed(record_of(corpus, (run, int(iteration[5:]), "netperf-ipv4-udp")))
            for size, tries in sizes.items():
                for side in ("send", "recv"):
                    told = [tries[number][side] for number in sorted(tries)]
                    assert found[f"udpstream-{side}-{size}"] == pytest.approx(told, rel=1e-9)
                    compared += len(told)
    assert compared == 72


def test_cyclictest_is_read_where_mmtests_fails(shared: Path) -> None:
    corpus = shared / "corpus" / "mmtests"
    truth = json.loads((corpus / "oracle/cyclictest/truth.json").read_text())
    compared = 0
    for run, iterations in truth.items():
        for iteration, kinds in iterations.items():
            found = printed(record_of(corpus, (run, int(iteration[5:]), "cyclictest")))
            told = {f"{kind}-{cpu}": [value] for kind, values in kinds.items() for cpu, value in enumerate(values)}
            assert found == {name: pytest.approx(values, rel=1e-9) for name, values in told.items()}
            compared += len(told)
    assert compared == 48


def test_failed_netperf_is_a_failure_and_no_zero(shared: Path) -> None:
    record = record_of(shared / "corpus" / "mmtests", ("6.18-nonetperf", 0, "netperf-ipv4-tcp"))

    assert (record.status, record.measurements) == (Status.FAIL, ())


def oracles(shared: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for file in sorted((shared / "corpus" / "mmtests").glob("**/*oracle.json")):
        yield file, json.loads(file.read_text())


def pooled(iterations: list[Any]) -> list[float]:
    return [value for one in iterations if one for _, value in one]


def test_summaries_are_those_of_mmtests(shared: Path) -> None:
    figures = 0
    for file, oracle in oracles(shared):
        for run in oracle["runs"]:
            for operation, told in oracle["summary"][run].items():
                values = pooled(oracle["samples"][run].get(operation, []))

                found = mmtests_summary.summarise(values, oracle["preferred"], oracle["summary_type"])

                assert list(found) == oracle["stats"]
                assert found == {name: near(value) for name, value in told.items()}, (file, run, operation)
                figures += len(told)
    assert figures == 1136


def test_intervals_percents_and_stars_are_those_of_mmtests(shared: Path) -> None:
    compared = {"interval": 0, "percent": 0, "stars": 0}
    for _file, oracle in oracles(shared):
        direction, runs = oracle["preferred"], oracle["runs"]
        for operation, rows in oracle["compare_percent"].items():
            values = {run: pooled(oracle["samples"][run].get(operation, [])) for run in runs}
            has_mean = oracle["summary_type"] != "Singleops"
            intervals = {run: mmtests_summary.interval(values[run], direction) if has_mean else None for run in runs}
            for place, run in enumerate(runs):
                compared["interval"] += check_interval(intervals[run], oracle["ci95"][run].get(operation))
                ratio = mmtests_summary.significance(intervals[run], intervals[runs[0]])
                assert ratio == pytest.approx(oracle["significance_ratio"][operation][place] or 0, rel=1e-6)
                assert mmtests_summary.is_significant(ratio) == bool(oracle["significant"][operation][place])
                compared["stars"] += 1
                for name, told in rows.items():
                    both = [oracle["summary"][one][operation][name] for one in (run, runs[0])]
                    value, base = (math.nan if one is None else one for one in both)
                    found = mmtests_summary.percent(name, value, base, direction)
                    assert found == pytest.approx(told[place] or 0, rel=1e-9, abs=1e-12)
                    compared["percent"] += 1
    assert compared == {"interval": 136, "percent": 1136, "stars": 442}


def check_interval(found: mmtests_summary.Interval | None, told: list[float] | None) -> int:
    if told is None or told[0] is None:
        assert found is None
        return 0
    assert found is not None
    assert [found.low, found.high] == pytest.approx(told, rel=1e-6)
    return 1


def near(value: float | None) -> object:
    return pytest.approx(value, rel=1e-9, abs=1e-12) if value is not None else pytest.approx(math.nan, nan_ok=True)


def test_summaries_of_what_is_stored_are_those_of_mmtests(shared: Path) -> None:
    """From the trees to the printed figures, in one go: base units, labels, factors, summaries."""
    corpus = shared / "corpus" / "mmtests"
    figures = 0
    for file, oracle in oracles(shared):
        if file.parent.name in {"netperf-ipv4-udp", "redis"}:  # MMTests' samples are not the logs'
            continue
        for run in oracle["runs"]:
            records = [
                record_of(corpus, (run, number, oracle["benchmark"])) for number in range(iterations(oracle, run))
            ]
            for operation, told in oracle["summary"][run].items():
                values = [value for record in records for value in printed(record).get(operation, [])]

                found = mmtests_summary.summarise(values, oracle["preferred"], records[0].labels["mmtests.summary"])

                assert found == {name: near(value) for name, value in told.items()}, (file, run, operation)
                figures += len(told)
    assert figures == 796


def iterations(oracle: Mapping[str, Any], run: str) -> int:
    return max(len(found) for found in oracle["samples"][run].values())


def test_exports_hold_the_same_samples_as_the_trees(shared: Path) -> None:
    corpus = shared / "corpus" / "mmtests"
    compared = 0
    for file in sorted(
        [*(corpus / "oracle").glob("*/extract-6*.json"), *(corpus / "oracle").glob("*/compare-export.json")]
    ):
        text = file.read_text()
        if file.parent.name in {"netperf-ipv4-udp", "cyclictest", "redis"}:
            continue
        for record in parsers.parse(Output(text, str(file))):
            run, iteration = record.labels["mmtests.run"], int(record.labels["mmtests.iteration"])
            same = record_of(corpus, (run, iteration, file.parent.name))

            assert record.benchmark == same.benchmark
            assert record.params == same.params or "compare-export" in file.name
            tree = printed(same)
            assert printed(record) == {name: pytest.approx(tree[name], rel=1e-9) for name in printed(record)}
            compared += len(record.measurements)
    assert compared > 20_000


def test_posted_reports_are_read_cell_by_cell(shared: Path) -> None:
    reports = sorted((shared / "corpus" / "mmtests" / "reports").glob("*.expected.json"))
    assert len(reports) == 17
    for file in reports:
        told = json.loads(file.read_text())
        found = tables((file.parent / told["file"]).read_text())

        cells = [
            {
                "stat": row.stat,
                "operation": row.operation,
                "cells": [
                    {
                        "col": column,
                        "value": cell.value,
                        "percent": cell.percent,
                        "significant": None if cell.percent is None else cell.is_significant,
                    }
                    for column, cell in enumerate(row.cells)
                ],
            }
            for table in found
            for row in table.rows
        ]
        assert cells == told["rows"], told["file"]
        named = [list(table.columns) for table in found if table.columns]
        for columns in told["columns_per_table"]:
            assert columns in named or not columns, told["file"]


def test_reports_in_mails_are_read_cell_by_cell(shared: Path) -> None:
    mails = sorted((shared / "corpus" / "mail").glob("*mmtests_compare*.json"))
    assert len(mails) == 6
    for file in mails:
        told = [
            (one["stat"], one["metric"], one["column"], one["value"], one["change_pct"], one["significant"])
            for one in json.loads(file.read_text())["expected"]
        ]
        found = [
            (row.stat, row.operation, column, *cell)
            for table in tables(file.with_suffix(".txt").read_text())
            for row in table.rows
            for column, cell in enumerate(row.cells)
        ]

        assert found == told


def test_what_is_printed_is_reported_and_never_measured(shared: Path) -> None:
    texts = [
        *(shared / "corpus/mmtests/reports").glob("*.txt"),
        *(shared / "corpus/mail").glob("*mmtests_compare*.txt"),
    ]
    for file in texts:
        records = parsers.parse(Output(file.read_text(), str(file)))

        assert records
        assert all(record.reported and record.measurements for record in records), file
        assert all(record.format == "mmtests-table" for record in records), file
