"""The layouts of a comparison: golden n-way tables in each of them, and numbers that come back as they went in."""

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from handmade_report import ROWS, report, result, row
from hypothesis import given
from hypothesis import strategies as st

from report import markup, text
from stats.compare import Verdict

GOLDEN = Path(__file__).parent / "golden"
HEADS = (
    "mmu-walk@v1/12",
    "mmu-walk@v2/12",
    "a-label-that-needs-a-line-of-its-own",
    "6.12.0",
    "8e929cb546ee1f00",
)
HUGE = row("pages", result(Verdict.REGRESSION, 123456789012.0, 9.87e15, (7e4, 9e4)), unit="1", number=9)
WIDE = [replace(one, head=head, pair=head) for one in (*ROWS, HUGE) for head in HEADS]
LAYOUTS = {
    "n-way.txt": lambda wide: text.render(wide, everything=True),
    "n-way.md": markup.to_markdown,
    "n-way.csv": markup.to_csv,
    "n-way.jsonl": markup.to_json,
    "n-way.html": markup.to_html,
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_five_heads_read_as_they_did(name):
    printed = LAYOUTS[name](report(WIDE, heads=HEADS))

    path = GOLDEN / name
    if os.environ.get("KVMPERF_UPDATE_GOLDEN"):
        path.write_text(printed)
    assert path.read_text() == printed


def test_wide_numbers_get_a_line_and_are_never_cut():
    printed = text.render(report(WIDE, heads=HEADS), everything=True)

    assert printed.isascii()
    assert max(map(len, printed.splitlines())) <= text.WIDTH
    assert printed.count("    1.235e+11  9.870e+15  x7.995e+04  x[7e+04,9e+04] !\n") == len(HEADS)


numbers = st.floats(1e-300, 1e300)


@given(base=numbers, head=numbers, low=st.floats(-1, 1e6), high=st.floats(-1, 1e6), p=st.floats(0, 1))
def test_numbers_come_back_to_the_last_bit(base, head, low, high, p):
    found = replace(result(Verdict.REGRESSION, 1.0, 2.0, (low, high), p=p, q=p), base=base, head=head, effect=low)
    printed = report([row("m", found)])

    from_json = json.loads(markup.to_json(printed))
    from_csv = next(csv.DictReader(io.StringIO(markup.to_csv(printed))))

    wanted = (base, head, low, p, p)
    names = ("base_value", "head_value", "effect", "p", "q")
    assert tuple(from_json[name] for name in names) == wanted
    assert tuple(float(from_csv[name]) for name in names) == wanted
    assert from_json["ci"] == json.loads(from_csv["ci"]) == [low, high]


names = st.text(min_size=1, max_size=80)


@given(
    heads=st.lists(names, min_size=2, max_size=4, unique=True),
    host=names,
    params=st.dictionaries(
        names,
        st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), names),
        max_size=6,
    ),
    why=names,
)
def test_whatever_things_are_called_every_line_of_an_n_way_table_fits(heads, host, params, why):
    rows = [
        replace(one, series=replace(one.series, host=host, params=params), head=head, pair=head)
        for one in ROWS[:2]
        for head in heads
    ]
    rows[0] = replace(rows[0], result=replace(rows[0].result, warnings=(why,)))
    whole = replace(report(rows, heads=tuple(heads)), hosts={host: {}, "other": {}}, told=(why,))

    printed = text.render(whole, everything=True)

    assert printed.isascii()
    assert max(map(len, printed.split("\n"))) <= text.WIDTH
    for write in (markup.to_json, markup.to_csv, markup.to_markdown, markup.to_html):
        assert write(whole)
