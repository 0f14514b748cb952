import os
from dataclasses import replace
from pathlib import Path

import pytest
from handmade_report import ROWS, report, result, row
from hypothesis import given
from hypothesis import strategies as st

from report.text import WIDTH, ascii_only, case_line, change, interval, render
from report.words import bounds, counted
from stats.compare import Verdict

GOLDEN = Path(__file__).parent / "golden"


def golden(name, text):
    path = GOLDEN / name
    if os.environ.get("KVMPERF_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


def test_one_head_reads_as_a_mail():
    golden("one-head.txt", render(report()))


def test_n_heads_are_lines_under_their_metric():
    rows = [replace(r, head=head) for r in ROWS for head in ("v2", "v3")]

    golden("two-heads.txt", render(report(rows, heads=("v2", "v3"))))


def test_many_rows_without_a_change_are_counted():
    quiet = [row(f"metric{i}", result(Verdict.EQUIVALENT, 1.0, 1.0, (-0.01, 0.01)), number=i + 10) for i in range(50)]

    short, long = render(report([*ROWS, *quiet])), render(report([*ROWS, *quiet]), everything=True)

    assert "53 rows are hidden: 51 equivalent, 2 inconclusive; --all shows them." in short
    assert "metric49" not in short
    assert "metric49" in long


@pytest.mark.parametrize(
    ("base", "head", "ci", "texts"),
    [
        (3.0, 2.0, (-0.4, -0.3), ("-33.3%", "[-40,-30]")),
        (100.0, 100.5, (-0.001, 0.011), ("+0.5%", "[-0.1,+1.1]")),
        (1.0, 31.0, (28.0, 32.0), ("x31", "[+2800,+3200]")),
        (1.0, 9e6, (8e6, 1e7), ("x9e+06", "x[8e+06,1e+07]")),
        (1.0, 1.0, None, ("+0.0%", "-")),
    ],
)
def test_changes_and_intervals_keep_their_size(base, head, ci, texts):
    found = result(Verdict.REGRESSION, base, head, ci)

    assert (change(found), interval(found)) == texts


@given(name=st.text(min_size=1, max_size=90), levels=st.lists(st.floats(1e-12, 1e12), min_size=2, max_size=2))
def test_whatever_is_named_every_line_fits_a_mail(name, levels):
    found = result(Verdict.REGRESSION, *levels, (-0.5, 1e7))

    text = render(report([row(name, found, head=name[:40])], heads=(name[:40],), base=name))

    assert text.isascii()
    assert max(map(len, text.splitlines())) <= WIDTH


def test_control_characters_are_spelled_out():
    assert ascii_only("a\x1b[31m\nb\u2028\U0001f600") == "a\\x1b[31m\\nb\\u2028\\U0001f600"


@pytest.mark.parametrize(
    ("count", "word", "told"),
    [
        (1, "boot", "1 boot"),
        (0, "run", "0 runs"),
        (2, "patch", "2 patches"),
        (1.0, "run", "1 run"),
        (2.5, "run", "2.5 runs"),
    ],
)
def test_a_number_has_the_word_in_its_number(count, word, told):
    assert counted(count, word) == told


def test_a_parameter_of_zero_is_told_and_what_is_off_is_not():
    told = case_line("suite/prog", [("first", 0), ("flag", False), ("mode", "none"), ("bytes", 1 << 30)])

    assert told == "prog first=0 bytes=1G"


def test_a_bound_on_one_side_of_zero_does_not_look_like_zero():
    assert bounds((-0.12, -0.0029)) == "[-12,-0.3]"
    assert bounds((0.0, 0.12)) == "[+0,+12]"


def test_an_interval_of_one_boot_is_marked_and_explained():
    inside = replace(result(Verdict.INCONCLUSIVE, 1.0, 0.963, (-0.044, -0.031)), interval_scope="within boot only")

    text = render(report([row("time", inside)]))

    assert "[-4.4,-3.1]w ?" in text
    assert "An interval marked w is of one boot" in text
