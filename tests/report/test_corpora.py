"""Everything that was ever captured, in a mail: no name, no parameter and no number makes a line too long."""

import csv
import io
import json
from pathlib import Path

import pytest
from handmade_report import report, result

from db.values import SeriesRow
from ingest import parsers
from ingest.errors import FormatError
from ingest.outputs import find_outputs, read_output
from report import markup, text
from report.comparability import Comparability
from report.comparison import Row
from stats.compare import Verdict

SHARED = Path(__file__).resolve().parents[3] / "shared"
HEADS = ("walk@v1/6", "walk@v2/6")


def captured(folder):
    """One row for each time series of a corpus and head, with a value that was printed."""
    seen = {}
    for found in find_outputs(folder):
        try:
            records = parsers.parse(read_output(found).output)
        except FormatError:
            continue
        for record in records:
            for one in record.measurements:
                key = (record.benchmark, json.dumps(dict(record.params), sort_keys=True), one.series, one.unit.value)
                seen.setdefault(key, (record, one))
    for number, (record, one) in enumerate(seen.values(), start=1):
        series = SeriesRow(
            number, "bm3", record.benchmark, number, record.params, one.series, one.unit.value, one.better.value
        )
        level = one.value or 1.0
        found = result(Verdict.REGRESSION, level, level * 1.0731, (0.06, 0.08))
        for head in HEADS:
            yield Row(head, series, found, Comparability(None, ()), "walk@v1~base", head)


@pytest.fixture(scope="module", params=["kvm-lab", "mail", "mmtests", "series-lab/runs"])
def reports(request):
    folder = SHARED / "corpus" / request.param
    if not folder.is_dir():
        pytest.skip("the corpus ../shared is not here: this test renders all of it")
    rows = list(captured(folder))
    assert rows
    return [report(rows[i : i + 500], heads=HEADS) for i in range(0, len(rows), 500)]


def test_every_line_of_text_fits_a_mail(reports):
    for one in reports:
        printed = text.render(one, everything=True)
        assert printed.isascii()
        assert max(map(len, printed.splitlines())) <= text.WIDTH


def test_json_and_csv_bring_every_number_back(reports):
    for one in reports:
        as_json = [json.loads(line) for line in markup.to_json(one).splitlines()]
        as_csv = list(csv.DictReader(io.StringIO(markup.to_csv(one))))
        wanted = [(row.result.base, row.result.head, row.result.effect) for row in one.rows]
        assert [(row["base_value"], row["head_value"], row["effect"]) for row in as_json] == wanted
        assert [tuple(float(row[name]) for name in ("base_value", "head_value", "effect")) for row in as_csv] == wanted
        assert [json.loads(row["params"]) for row in as_csv] == [dict(row.series.params) for row in one.rows]
