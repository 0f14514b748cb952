"""docs/format.md is what the parsers and the schema do: its examples, its fields, its units, its error."""

import csv
import io
import json
import re
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from ingest import parsers
from ingest.parsers.any_unit import UNITS
from ingest.records import FormatError, Output, Record, Unit

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "format.md").read_text()
SCHEMA = json.loads((resources.files("ingest") / "schema" / "run.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
BLOCKS = [re.sub(r"(?m)^    ", "", block) for block in re.findall(r"(?m)(?:^    .*\n)+", PAGE)]
JSON = " ".join(next(block for block in BLOCKS if block.startswith("{")).split("\n"))
CSV = next(block for block in BLOCKS if block.startswith("benchmark,"))
ERROR = next(block for block in BLOCKS if "measurements[2].unit" in block).strip()
PRINTED = {"format", "source", "line"}  # what `kvmperf parse --json` adds, taken back and passed over


def parsed(text: str) -> list[Record]:
    return parsers.parse(Output(text, "runs.jsonl"))


def named(section: str) -> set[str]:
    """The fields in the first column of a section's table."""
    table = PAGE.split(section, 1)[1].split("\n\n")[1]
    return {name for row in table.splitlines()[2:] for name in re.findall(r"`([\w-]+)`", row.split("|")[1])}


def test_the_example_is_valid_and_read_as_it_says() -> None:
    VALIDATOR.validate(json.loads(JSON))
    (record,) = parsed(JSON)

    assert (record.benchmark, dict(record.params)) == ("net/latency", {"queues": 4, "mode": "poll"})
    assert [one.value for one in record.measurements] == [12.5e-6, 11.9e-6, 12.1e-6]


def test_the_tables_name_the_fields_of_the_schema() -> None:
    assert named("is in this form, and can be uploaded again.") == set(SCHEMA["properties"]) - PRINTED
    assert named("A measurement:") == set(SCHEMA["$defs"]["measurement"]["properties"]) - PRINTED


def test_the_units_are_those_that_are_read() -> None:
    table = PAGE.split("## Units", 1)[1]
    words = set(re.findall(r"`([^`]+)`", table)) - {"/s", "KB"}
    by_rule = {f"{name}/s" for name in words if name.endswith("B")}  # "the same with `/s`"

    assert words | by_rule >= set(UNITS)
    assert set(UNITS) >= words
    assert {str(unit) for unit in Unit} - words == set(), "a base unit that the page does not name"


def test_the_error_is_the_one_that_is_printed() -> None:
    line, _, said = ERROR.removeprefix("runs.jsonl: line ").partition(": ")
    bad = json.loads(JSON)
    bad["measurements"] = [*bad["measurements"] * 2, {**bad["measurements"][0], "metric": "other", "unit": "furlong"}]
    other = {**json.loads(JSON), "params": {}}
    text = "\n".join([JSON, json.dumps(other), json.dumps(bad)]) + "\n"

    assert not VALIDATOR.is_valid(bad)
    with pytest.raises(FormatError) as caught:
        parsed(text)
    assert line == "3"
    assert said in str(caught.value)
    assert f"line {line}" in str(caught.value)


def test_the_csv_example_is_two_runs() -> None:
    first, second = parsers.parse(Output(CSV, "values.csv"))

    assert [one.value for one in first.measurements] == [12.5e-6, 11.9e-6]
    assert [one.value for one in second.measurements] == pytest.approx([12.8e-6])
    assert dict(first.params) == dict(second.params) == {"vcpus": 4, "mode": "poll"}


names = st.text("abcdefgh_", min_size=1, max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)
measurements = st.fixed_dictionaries(
    {
        "metric": names,
        "unit": st.sampled_from(sorted(UNITS)),
        "better": st.sampled_from(["lower", "higher", "none"]),
        "value": numbers,
    }
)


@given(st.lists(measurements, min_size=1, max_size=5, unique_by=lambda one: one["metric"]), names)
def test_the_same_run_is_read_from_all_three_forms(rows: list[dict[str, object]], mode: str) -> None:
    """JSON Lines, one document, CSV: the same numbers, and the schema agrees."""
    run = {"benchmark": "a/b", "params": {"mode": mode}, "measurements": rows}
    table = io.StringIO()
    writer = csv.DictWriter(table, ["benchmark", "metric", "unit", "better", "value", "mode"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({"benchmark": "a/b", "mode": mode, **row, "value": repr(row["value"])} for row in rows)

    VALIDATOR.validate(run)
    forms = [json.dumps(run) + "\n", json.dumps(run, indent=1) + "\n", table.getvalue()]
    found = [parsed(form) for form in forms]

    assert [len(records) for records in found] == [1, 1, 1]
    told = [[one._replace(line=0) for one in records[0].measurements] for records in found]
    assert told[0] == told[1] == told[2]


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("head", "fields"),
    [
        ('{"benchmark": "a", "measurements": [], "params": ', 1_000_000),
        ('{"return": {"status": "completed", "total-time": 1}, "more": ', 100_000),
        ('{"event": "MIGRATION", "data": {"status": "setup"}, "more": ', 100_000),
        ('{"progress_history": [], "more": ', 100_000),
        ('{"_ResultData": {}, "more": ', 100_000),
    ],
)
def test_a_million_fields_are_refused_or_passed_over(head: str, fields: int) -> None:
    text = head + "{" + ",".join(f'"k{number}":1' for number in range(fields)) + "}}"

    assert len(told(text)) < 500


def told(text: str) -> str:
    """The refusal, or the few numbers that were read."""
    try:
        return repr([record.measurements for record in parsed(text)])
    except FormatError as error:
        return str(error)
