"""Outputs as people paste them: wrapped by a mail program, behind margins, with remarks and blanks of the web."""

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import parsers
from ingest.outputs import find_outputs, read_output
from ingest.parsers.margins import without_margin
from ingest.records import FormatError, Measurement, Output

OUTPUTS = Path(__file__).resolve().parents[3] / "fixtures" / "outputs"
PROGRAMS = ("dirty_log_perf_test", "demand_paging_test", "memslot_perf_test", "kvm_page_table_test", "mmtest")
TEXTS = [
    captured.output.text
    for program in PROGRAMS
    for found in find_outputs(OUTPUTS / program)
    if (captured := read_output(found)).output.exit_status == 0 and "usage:" not in captured.output.text
]
PATCHED = """Populating memory             : 1.500000000s
lru_gen avg pass duration     : 0.012345678s, (passes:12, total:0.148148136s)
vCPU0: idle pages: 1000 out of 262144, failed to mark idle: 3 no pfn: 4
Reading from idle memory      : 0.400000000s
"""
STRESS = "run1 = 13.543469513s, reset = 0.000018763s, run2 = 0.020533896s, ro = 81.063504438s, rw = 14.967504024s\n"
TABLE = """Amean     1        0.0290 (   0.00%)      0.0300 (  -3.45%)
Amean     4        0.0840 (   0.00%)      0.0640 *  23.81%*
"""
VMEXIT = "cpuid 1098\nvmcall 1559\nnewer_than_this_list 77\ninl_from_qemu 10430\n"
ALL = [*TEXTS, PATCHED, STRESS, TABLE, VMEXIT]


def values(text: str) -> list[Measurement]:
    """The numbers without their lines."""
    try:
        found = parsers.parse(Output(text))
    except FormatError:
        return []
    return [one._replace(line=0) for record in found for one in record.measurements]


def wrapped(text: str, width: int, prefix: str) -> str:
    options = {"break_long_words": False, "break_on_hyphens": False}
    return "\n".join(
        prefix + part
        for line in text.split("\n")
        for part in (textwrap.wrap(line, width, **options) if len(line) > width else [line]) or [""]
    )


def test_all_samples_hold_numbers() -> None:
    assert len(TEXTS) > 10
    assert all(values(text) for text in ALL)


@given(st.sampled_from([text for text in ALL if "Mem:" not in text]), st.integers(60, 80), st.sampled_from(["", "> "]))
def test_lines_that_a_mail_program_broke_keep_their_numbers(text: str, width: int, prefix: str) -> None:
    assert values(wrapped(text, width, prefix)) == values(text)


@pytest.mark.parametrize(
    ("margin", "is_mail"),
    [
        ("[   12.345678] ", False),
        ("2026-11-20T10:00:01.123456Z ", False),
        ("[2026-11-20 10:00:01] ", False),
        ("10:00:01.123 ", False),
        ("| ", True),
        ("DM> ", True),
    ],
)
@pytest.mark.parametrize("text", [text for text in TEXTS if "Thread:" not in text])
def test_what_a_logger_writes_in_front_is_taken_off(text: str, margin: str, is_mail: bool) -> None:
    found = parsers.parse(Output("\n".join(margin + line if line else line for line in text.split("\n"))))

    assert [one._replace(line=0) for record in found for one in record.measurements] == values(text)
    assert all(record.reported == is_mail for record in found)
    assert all("taken off the front" in " ".join(record.warnings) for record in found)


@pytest.mark.parametrize("text", ALL)
def test_remarks_and_the_blanks_of_web_pages_change_nothing(text: str) -> None:
    remarked = "\n".join(f"{line}   <--- better" if line.strip() else line for line in text.split("\n"))

    assert values(remarked) == values(text)
    assert values(text.replace("  ", "\xa0 ")) == values(text)


@given(st.text(alphabet="[]0123456789.: |>abTZ-\n", max_size=300))
def test_a_margin_is_taken_off_line_by_line(text: str) -> None:
    assert without_margin(text).text.count("\n") == text.count("\n")


def test_a_test_that_is_newer_than_the_list_stands_among_known_ones() -> None:
    assert [one.metric for one in values(VMEXIT)] == ["cpuid", "vmcall", "newer_than_this_list", "inl_from_qemu"]
    assert [one.metric for one in values("cpuid 1098\n\nelsewhere 77\n")] == ["cpuid"]
