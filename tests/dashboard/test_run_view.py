import re

import pytest
from sample_databases import HOSTILE, OUTPUTS
from sqlalchemy import select

from dashboard import loaders
from db.engine import connect, reading
from db.models import Capture, Run


@pytest.fixture(scope="module")
def numbers(databases):
    """The number of a run by the source of its capture and the label of its revision."""
    with reading(connect(databases.sample)) as connection:
        rows = connection.execute(select(Capture.source, Run.id).join(Run).order_by(Run.id.desc()))
        return {source: str(run_id) for source, run_id in rows}


def _raw(app):
    return "".join(element.proto.body for element in app.get("html"))


def test_a_run_says_what_was_measured_where_and_how(open_page, databases, words, numbers):
    app = open_page(databases.sample, "run", run=numbers["five-rounds-6.12.out"])

    assert not app.exception
    said = words(app)
    assert "$ ./dirty_log_perf_test" in said
    assert "Revision: real-outputs (6.12.0), committed 2023-11-09" in said
    assert "Host: bm9 (Xeon Gold 6248, 2x20x2, microcode 0x5003604, THP madvise)" in said
    assert "Exit status: 0" in said
    assert "bench: rack 3" in said
    metrics = next(table.value for table in app.dataframe if "median" in table.value)
    assert metrics["median"].str.contains(r"\d (?:s|ms|us|ns|B|pages|count)", regex=True).all()


def test_the_lines_that_numbers_were_read_from_are_marked(open_page, databases, numbers):
    app = open_page(databases.sample, "run", run=numbers["five-rounds-6.12.out"], metric="dirty_memory_time.round1")

    shown = _raw(app)
    assert shown.count('class="read meant"') == 1
    marked = shown.split('class="read meant"')[1].split("</div>")[0]
    assert "Iteration 1 dirty memory time" in marked
    assert "dirty_memory_time.round1 #1 = " in marked


def test_a_killed_run_says_that_it_has_no_measurements_and_printed_nothing(open_page, databases, words, numbers):
    app = open_page(databases.sample, "run", run=numbers["killed-6.1.out"])

    assert not app.exception
    assert "killed" in words(app)
    assert "Missing is never zero." in words(app)
    assert "The program printed nothing." in words(app)


def test_the_host_state_is_there_field_by_field(open_page, databases, numbers, unfold):
    app = unfold(open_page(databases.sample, "run", run=numbers["five-rounds-6.12.out"]), "state of the host")

    state = next(table.value for table in app.dataframe if "field" in table.value)
    told = dict(zip(state["field"], state["value"], strict=True))
    assert told["microcode"] == "0x5003604"
    assert dict(zip(state["field"], state["a difference"], strict=True))["microcode"] == "forbids a verdict"


def test_runs_of_the_same_boot_and_of_the_same_point_are_listed(open_page, databases, numbers, unfold):
    app = unfold(open_page(databases.sample, "run", run=numbers["split-on/0/0.out"]), "same point", "same boot")

    same_point, same_boot = (table.value for table in app.dataframe if "run" in table.value)
    assert len(same_point) == 12
    assert same_point["boot"].nunique() == 4
    assert same_boot["boot"].nunique() == 1
    assert f"▶ {numbers['split-on/0/0.out']}" in same_boot["run"].tolist()


def test_without_a_number_the_newest_runs_are_listed(open_page, databases):
    app = open_page(databases.sample, "run")

    listed = app.dataframe[0].value
    assert listed["run"].astype(int).is_monotonic_decreasing
    assert len(listed) == 200


def test_the_list_can_be_narrowed_to_what_did_not_pass(open_page, databases):
    app = open_page(databases.sample, "run", status="not pass")

    assert set(app.dataframe[0].value["ended"]) == {"fail", "killed"}


@pytest.mark.parametrize("number", ["999999999", "abc", "-1", "9" * 40])
def test_a_number_that_is_no_run_is_an_error_in_plain_words(open_page, databases, number):
    app = open_page(databases.sample, "run", run=number)

    assert not app.exception
    assert "run" in app.error[0].value
    assert "What to do" in app.error[0].value


def test_hostile_output_is_text(open_page, databases, words, numbers):
    source = next(name for name in numbers if name.startswith(HOSTILE))
    app = open_page(databases.sample, "run", run=numbers[source])

    assert not app.exception
    shown = _raw(app)
    tags = set(re.findall(r"</?(\w+)", shown))
    assert tags == {"style", "div", "span", "pre"}
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert r"\x1b[31mred\x00\x07" in shown
    assert len(shown) < 20_000
    assert "today" not in words(app)
    assert all("<script>" not in element.value for element in app.markdown)
    assert max(len(line) for line in words(app).splitlines()) < 5000


def test_downloads_are_the_bytes_that_were_uploaded(databases, numbers):
    source = (databases.sample, loaders.token(databases.sample))

    files = loaders.raw_files(*source, int(numbers["five-rounds-6.12.out"]))

    assert files == {"stdout": (OUTPUTS / "dirty_log_perf_test" / "five-rounds-6.12.out").read_bytes()}
