import csv
import io
import json

from handmade_report import ROWS, report, result, row

from report import markup
from report.junit import of_comparison
from stats.compare import Replication, Verdict

HOSTILE = "<script>alert(1)</script>|**x**`\n"


def test_json_and_csv_carry_full_precision():
    found = result(Verdict.REGRESSION, 0.1 + 0.2, 1 / 3, (1e-17, 2 / 3))

    as_json = json.loads(markup.to_json(report([row("m", found)])))
    as_csv = next(csv.DictReader(io.StringIO(markup.to_csv(report([row("m", found)])))))

    assert as_json["base_value"] == 0.1 + 0.2 == float(as_csv["base_value"])
    assert as_json["ci"] == [1e-17, 2 / 3] == json.loads(as_csv["ci"])
    assert json.loads(as_csv["params"])["vcpus"] == 64


def test_every_row_is_in_every_layout():
    for write in (markup.to_json, markup.to_csv, markup.to_markdown, markup.to_html):
        text = write(report()).replace("\\_", "_")
        assert [r.series.metric in text for r in ROWS] == [True] * len(ROWS), write


def test_hostile_text_stays_text():
    hostile = report([row(HOSTILE, result(Verdict.REGRESSION, 1.0, 2.0, (0.5, 1.5), why=HOSTILE))], base=HOSTILE)

    page, table = markup.to_html(hostile), markup.to_markdown(hostile)

    assert "<script>alert" not in page
    assert "<script>" not in table
    (line,) = [line for line in table.splitlines() if "alert" in line and line.startswith("|")]
    assert line.count(" | ") == table.splitlines()[4].count(" | ")


def test_head_is_against_base_in_every_layout():
    found = report()

    assert markup.to_markdown(found).startswith("**v2 (")
    assert "<title>v2 against v6.12-rc3</title>" in markup.to_html(found)
    assert "v2 against v6.12-rc3" in of_comparison(found)


def test_one_of_a_thing_is_told_in_the_singular():
    once = result(Verdict.INCONCLUSIVE, 1.0, 1.0, None, n=(Replication(1, 1, 1), Replication(1, 4, 8)))

    text = markup.to_markdown(report([row("m", once)]))

    assert "| 1 boot, 1 run, 1 value | 1 boot, 4 runs, 8 values |" in text


def test_no_rows_is_an_empty_table():
    assert markup.to_csv(report([])) == "\n"
