"""Results of any benchmark: the checks and the schema agree, and an error names the field."""

import copy
import json
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cli.parse import as_object
from ingest import parsers
from ingest.parsers.any_run import InvalidRunError, to_record
from ingest.parsers.any_unit import UNITS
from ingest.records import Better, FormatError, Output, Record, Status, Unit

SCHEMA = json.loads((resources.files("ingest") / "schema" / "run.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
RUN: dict[str, Any] = {
    "benchmark": "mysuite/netlat",
    "params": {"queues": 4, "mode": "poll", "share": 0.5, "zero_copy": True},
    "status": "pass",
    "command": "./netlat -q 4",
    "started_at": "2026-01-31T12:00:00Z",
    "ended_at": 1769860810.5,
    "host": "bench3",
    "boot": "d3b0",
    "revision": "v6.12-17-gabc",
    "labels": {"note": "x"},
    "warnings": ["warm room"],
    "reported": False,
    "measurements": [
        {"metric": "latency", "unit": "us", "better": "lower", "values": [12.5, 11.9], "warmup": 1, "phase": "p1"},
        {"metric": "rate", "unit": "Mops/s", "better": "higher", "value": 1.25, "iteration": 3},
    ],
}
ONE = '{"benchmark": "a", "measurements": [{"metric": "m", "unit": "s", "better": "none", "value": 1.5}]}'
PATHS = [
    *[(name,) for name in RUN],
    ("nonsense",),
    ("x-mine",),
    ("params", "queues"),
    ("labels", "note"),
    ("warnings", 0),
    *[
        ("measurements", 0, name)
        for name in ("metric", "unit", "better", "value", "values", "warmup", "phase", "iteration")
    ],
    ("measurements", 0, "values", 0),
    ("measurements", 1, "value"),
    ("measurements", 1, "nonsense"),
    ("measurements", 1),
]
junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False, max_value=1e290, min_value=-1e290),
    st.text(max_size=12),
    st.sampled_from(
        ["pass", "lower", "ms", "%", "KB", "a/b", "2026-01-31 12:00+01:00", "yesterday", 10**400, [], {}, [1]]
    ),
    st.lists(st.integers(-5, 5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def is_accepted(run: object) -> bool:
    try:
        to_record(run)
    except InvalidRunError:
        return False
    return True


def changed(path: tuple[str | int, ...], value: object) -> dict[str, Any]:
    run = copy.deepcopy(RUN)
    place: Any = run
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return run


def parse(text: str, source: str = "runs.jsonl") -> list[Record]:
    return parsers.parse(Output(text, source=source))


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert VALIDATOR.is_valid(RUN)
    assert SCHEMA["$defs"]["measurement"]["properties"]["unit"]["enum"] == list(UNITS)


@given(st.sampled_from(PATHS), junk)
def test_checks_and_schema_agree(path: tuple[str | int, ...], value: object) -> None:
    run = changed(path, value)

    assert is_accepted(run) == VALIDATOR.is_valid(run), run


@pytest.mark.parametrize("path", [path for path in PATHS if path[-1] not in {"nonsense", "x-mine", "value"}])
def test_checks_and_schema_agree_on_what_is_missing(path: tuple[str | int, ...]) -> None:
    run = copy.deepcopy(RUN)
    place: Any = run
    for step in path[:-1]:
        place = place[step]
    if isinstance(path[-1], int) or path[-1] in place:
        del place[path[-1]]

    assert is_accepted(run) == VALIDATOR.is_valid(run)


@given(junk)
def test_any_document_is_survived(document: object) -> None:
    assert is_accepted(document) == VALIDATOR.is_valid(document)


def test_a_run_becomes_a_record() -> None:
    record = to_record(RUN, 7)

    assert (record.benchmark, record.status, record.command) == ("mysuite/netlat", Status.PASS, "./netlat -q 4")
    assert record.params == RUN["params"]
    assert record.labels["revision"] == "v6.12-17-gabc"
    assert [(one.metric, one.iteration, one.value, one.warmup) for one in record.measurements] == [
        ("latency", 1, 12.5e-6, True),
        ("latency", 2, 11.9e-6, False),
        ("rate", 3, 1.25e6, False),
    ]
    assert {one.line for one in record.measurements} == {7}


@pytest.mark.parametrize("name", UNITS)
def test_every_unit_ends_in_a_base_unit(name: str) -> None:
    one = {"metric": "m", "unit": name, "better": "none", "value": 1}

    (measurement,) = to_record({"benchmark": "a", "measurements": [one]}).measurements

    assert measurement.unit in Unit
    assert measurement.value > 0


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("measurements", 1, "unit"), "furlong", "line 3: measurements[1].unit: unknown unit 'furlong'"),
        (("measurements", 0, "values", 1), "fast", "line 3: measurements[0].values[1]: 'fast' is no finite number"),
        (("measurements", 0, "value"), 1, "line 3: measurements[0]: needs either value or values"),
        (("params", "queues"), None, "line 3: params.queues: None is no text, number, true or false"),
        (("status",), "ok", "line 3: status: 'ok' is none of pass, fail, skip, timeout, killed"),
        (("mesurements",), [], "line 3: mesurements: unknown field"),
        (("benchmark",), "/etc/passwd", "line 3: benchmark: '/etc/passwd' is no name"),
        (("started_at",), "yesterday", "line 3: started_at: 'yesterday' is neither"),
    ],
)
def test_an_error_names_line_and_field(path: tuple[str | int, ...], value: object, said: str) -> None:
    text = f"{json.dumps(RUN)}\n\n{json.dumps(changed(path, value))}\n"

    with pytest.raises(FormatError) as caught:
        parse(text)

    assert said in str(caught.value)
    assert caught.value.hint


def test_an_unknown_unit_lists_the_known_ones() -> None:
    with pytest.raises(FormatError) as caught:
        parse(json.dumps(changed(("measurements", 1, "unit"), "KB")))

    assert "known units: s, ms, us, ns" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"benchmark": "a", "benchmark": "b", "measurements": []}', "stands twice"),
        ('{"benchmark": "a", "measurements": [{"metric": "m", "unit": "s", "better": "none", "value": NaN}]}', "NaN"),
        (
            '{"benchmark": "a", "measurements": [{"metric": "m", "unit": "s", "better": "none", "value": 1e999}]}',
            "finite",
        ),
        ('{"benchmark": "a", "measurements": [}', "no valid JSON"),
        ('{"benchmark": "a", "measurements": ' + "[" * 200_000, "nested too deeply"),
        ('{"benchmark": "a", "measurements": [], "ended_at": 1' + "0" * 10_000 + "}", "far too large"),
        ('{"benchmark": "a", "measurements": [], "ended_at": 1' + "0" * 4_000 + "}", "ended_at"),
        (
            '{"benchmark": "a", "measurements": [], "params": {'
            + ",".join(f'"k{n}": 1' for n in range(100_000))
            + "}}",
            "100000 fields, more than 200",
        ),
    ],
    ids=["twice", "nan", "overflow", "syntax", "deep", "digits", "big", "fields"],
)
def test_hostile_json_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        parse(text)


def test_a_document_over_several_lines_is_one_run() -> None:
    assert len(parse(json.dumps(RUN, indent=2))) == 1
    assert len(parse(json.dumps([RUN, RUN]))) == 2


def test_what_parse_prints_can_be_uploaded_again() -> None:
    text = "Populate memory time: 1.500000000s\nIteration 1 dirty memory time: 0.250000000s\n"
    (first,) = parsers.parse(Output(text))

    (again,) = parse(json.dumps(as_object(first, "x")))

    assert [one._replace(line=0) for one in again.measurements] == [one._replace(line=0) for one in first.measurements]
    assert (again.benchmark, again.params, again.status) == (first.benchmark, first.params, first.status)


CSV = """benchmark,metric,unit,better,iteration,value,vcpus,mode,share,run
a/b,lat,us,lower,1,12.5,4,poll,0.5,1
a/b,lat,us,lower,2,11,4,poll,0.5,1
a/b,rate,ops/s,higher,,1e3,4,poll,0.5,1
a/b,lat,us,lower,1,13,8,007,,1
a/b,lat,us,lower,1,14,8,007,,2
"""


def test_csv_rows_are_grouped_by_case_and_run() -> None:
    records = parse(CSV, "x.csv")

    assert [dict(record.params) for record in records] == [
        {"vcpus": 4, "mode": "poll", "share": 0.5},
        {"vcpus": 8, "mode": "007"},
        {"vcpus": 8, "mode": "007"},
    ]
    assert [(one.metric, one.iteration, one.value, one.better) for one in records[0].measurements] == [
        ("lat", 1, 12.5e-6, Better.LOWER),
        ("lat", 2, 11e-6, Better.LOWER),
        ("rate", None, 1000.0, Better.HIGHER),
    ]
    assert records[0].measurements[0].line == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lat,us,lower,2", "lat,parsec,lower,2", "line 3: unit: unknown unit 'parsec'"),
        ("lat,us,lower,2", "lat,us,sideways,2", "line 3: better: 'sideways'"),
        (",11,", ",eleven,", "line 3: value: 'eleven' is no number"),
        (",11,", ",nan,", "line 3: value: 'nan' is no finite number"),
        ("lower,2", "lower,-2", "line 3: iteration"),
        (",vcpus,", ",mode,", "line 1: mode: the column stands twice"),
        ("better,", "worse,", "line 1: better: the column is missing"),
        ("poll,0.5,1\na/b,rate", "poll,0.5\na/b,rate", "line 3: 9 cells under 10 columns"),
        ("a/b,lat,us,lower,2", '"a/b,lat,us,lower,2', "no valid CSV"),
        ("a/b,lat,us,lower,2", ",lat,us,lower,2", "line 3: benchmark"),
    ],
)
def test_a_wrong_row_names_its_line_and_column(old: str, new: str, said: str) -> None:
    with pytest.raises(FormatError) as caught:
        parse(CSV.replace(old, new, 1), "x.csv")

    assert said in str(caught.value)


@given(st.integers(0, len(CSV)), st.integers(0, len(CSV) - 1), st.characters())
def test_damaged_csv_gives_records_or_a_format_error(end: int, place: int, character: str) -> None:
    text = CSV[:place] + character + CSV[place + 1 :]
    for one in (CSV[:end], text):
        try:
            parse(one, "x.csv")
        except FormatError:
            continue
