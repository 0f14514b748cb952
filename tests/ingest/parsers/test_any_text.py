"""What must hold for every text: no parser may fall over, and a log may break off anywhere."""

import random
from pathlib import Path

import hostile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import parsers
from ingest.outputs import find_outputs, read_output
from ingest.records import FormatError, Measurement, Output, Record, Status

OUTPUTS = Path(__file__).resolve().parents[3] / "fixtures" / "outputs"
CAPTURED = [captured for found in find_outputs(OUTPUTS) if (captured := read_output(found)).output.text.strip()]
TEXTS = sorted({captured.output.text for captured in CAPTURED})
MEASURED = [
    captured.output.text
    for captured in CAPTURED
    if captured.output.exit_status in {0, None} and not {"kselftest", "any"} & set(Path(captured.output.source).parts)
]
# `>` and blanks in front of a line are quoting already
texts = st.sampled_from(TEXTS)


def records_or_nothing(text: str) -> list[Record]:
    try:
        return parsers.parse(Output(text))
    except FormatError:
        return []


def values(records: list[Record]) -> list[Measurement]:
    return [measurement for record in records for measurement in record.measurements]


def told(found: list[Measurement]) -> set[tuple[str, int | None, float]]:
    """The numbers; a migration that is cut off is a snapshot of the same."""
    return {(one.series.removesuffix(".snapshot"), one.iteration, one.value) for one in found}


@given(texts, st.floats(0, 1))
def test_any_prefix_gives_records_or_a_format_error(text: str, share: float) -> None:
    whole = told(values(records_or_nothing(text)))

    found = values(records_or_nothing(text[: int(share * len(text))]))

    described = {"beside", "unsure"}  # a rate whose time is cut off cannot be judged
    assert told([one for one in found if one.phase not in described]) <= whole


@given(texts, st.data())
def test_flipped_characters_give_records_or_a_format_error(text: str, data: st.DataObject) -> None:
    places = data.draw(st.lists(st.integers(0, len(text) - 1), max_size=20))
    characters = list(text)
    for place in places:
        characters[place] = data.draw(st.characters())

    records_or_nothing("".join(characters))


@given(texts, st.integers())
def test_shuffled_lines_give_records_or_a_format_error(text: str, seed: int) -> None:
    lines = text.splitlines()
    random.Random(seed).shuffle(lines)  # noqa: S311 - a reproducible order, no secret

    records_or_nothing("\n".join(lines))


@given(st.text())
def test_any_text_gives_records_or_a_format_error(text: str) -> None:
    records_or_nothing(text)


@pytest.mark.parametrize("prefix", ["> ", ">> ", "> > > ", "# ", "  ", ">   "])
@pytest.mark.parametrize("text", MEASURED)
def test_quoting_keeps_the_measurements(text: str, prefix: str) -> None:
    plain = values(records_or_nothing(text))

    quoted = records_or_nothing("\n".join(prefix + line for line in text.split("\n")))

    assert values(quoted) == plain
    assert all(record.reported == (">" in prefix) for record in quoted if record.measurements)


@given(texts)
def test_carriage_returns_keep_the_measurements(text: str) -> None:
    plain = text.replace("\r\n", "\n")

    assert values(records_or_nothing(plain.replace("\n", "\r\n"))) == values(records_or_nothing(plain))


@given(st.sampled_from(MEASURED))
def test_measurements_name_their_line(text: str) -> None:
    lines = text.split("\n")

    for measurement in values(records_or_nothing(text)):
        if measurement.line:
            assert any(character.isdigit() for character in lines[measurement.line - 1])


def test_too_many_lines_are_refused() -> None:
    with pytest.raises(FormatError, match="lines"):
        parsers.parse(Output("a\n" * 2_000_001))


def test_a_failed_run_promises_nothing() -> None:
    for captured in CAPTURED:
        for record in parsers.parse(captured.output):
            assert record.status is Status.PASS or record.warnings


GARBAGE = {
    "spaces": " " * 10_000_000,
    "quotes": ">" * 10_000_000,
    "letters": "a" * 10_000_000,
    "letters after a real line": "Iteration 1 dirty memory time: 0.123456789s\n" + "Iteration " * 1_000_000,
    "an endless header": "Run 1 times, Avg time: 5 ns\n" + "A:b, " * 2_000_000,
    "an endless skip": "Test iterations: 2\n1..0 # SKIP " + " -:" * 3_000_000,
    "digits after a marker": "Populate memory time: " + "1" * 10_000_000,
    "blank lines": "Populate memory time: 1.5s\n" + "\n" * 300_000,
    "a deep document": '{"benchmark": "a", "measurements": ' + "[" * 5_000_000,
    "an endless number": '{"return": {"status": "completed", "total-time": ' + "1" * 9_000_000,
    "an endless table": "| a (s) | b |\n" + "| 1.5 " * 1_500_000,
    "an endless row": "Status: active\nTime (ms): " + "total=1, " * 1_000_000,
    "commas": "benchmark,metric,unit,better,value\n" + "," * 9_000_000,
}


@pytest.mark.timeout(60)  # what is usual is measured by benchmarks/hostile_speed.py
@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE.keys())
def test_ten_megabytes_of_garbage_are_no_hang(text: str) -> None:
    for record in records_or_nothing(text):
        assert record.benchmark


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", hostile.SAMPLES)
def test_texts_that_look_like_a_format_and_are_not_are_no_hang(name: str) -> None:
    assert records_or_nothing(hostile.SAMPLES[name]) or name in {"qemu-guestperf", "assertion"}

    for _change, text in hostile.texts(hostile.SAMPLES[name], 30_000):
        for record in records_or_nothing(text):
            assert record.benchmark
