"""Comparisons built from a database: what counts, and what is said of what does not."""

import pytest
import sample_databases

from db.engine import connect, reading
from db.queries import Filters
from report.comparison import Request, build
from report.text import render


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    url = sample_databases.build(tmp_path_factory.mktemp("comparison") / "k.db")
    with reading(connect(url)) as found:
        yield found


def test_the_geometric_mean_is_over_what_was_judged(connection):
    found = build(connection, Request("split-on", ("split-off",), vary=("kvm.*",)))
    times = [row for row in found.rows if row.is_judged and row.series.unit == "s"]

    assert found.geomeans["split-off"].metrics == len(times) > 2
    said = " ".join(render(found).split())
    assert f"Geometric mean of split-off over the {len(times)} times judged: x" in said


def test_there_is_no_mean_where_hosts_differ(connection):
    found = build(connection, Request("split-on", ("split-off",), Filters(host="bm3")))

    assert found.geomeans == {}
    assert "Geometric mean" not in render(found)
