"""Re-parsing on real bytes: an older parser is played by stored rows that say something else."""

from dataclasses import replace
from pathlib import Path

import bundles
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db import captures
from db import engine as engines
from db.captures import Pending
from db.values import NewMeasurement, NewRun
from db.writes import Writer
from ingest import captures as parsing
from ingest import reparse as reparsing
from ingest.accept import accept_given
from ingest.captures import PARSERS
from ingest.context import Given
from ingest.differences import differences

GIVEN = Given(host="bm1", label="a")
TODAY = Pending(PARSERS)


@pytest.fixture
def outputs(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    for number in (1, 2, 3):
        for name, content in bundles.output(number).items():
            (folder / Path(name).name).write_bytes(content)
    return folder


@pytest.fixture
def engine(tmp_path):
    return engines.connect(f"sqlite:///{tmp_path / 'r.db'}", create=True)


def store(engine, path, monkeypatch=None, older=None):
    """Upload; `older` is what an older parser made of each capture."""
    with engines.writing(engine) as connection:
        if older is None:
            return list(accept_given(Writer(connection), GIVEN, [path]))
        with monkeypatch.context() as patch:
            real = parsing.capture
            patch.setattr("ingest.accept.capture", lambda one: replace(older(real(one)), parsed_with="older"))
            return list(accept_given(Writer(connection), GIVEN, [path]))


def reparse(engine, wanted=TODAY, **more):
    return list(reparsing.reparse(engine, wanted, **more))


def rows(engine, query):
    with engines.reading(engine) as connection:
        return connection.exec_driver_sql(query).all()


def content(engine):
    """Everything that questions are answered from."""
    return [
        rows(engine, query)
        for query in (
            "SELECT id, capture_id, position, test_case_id, status, format, format_version FROM run ORDER BY id",
            'SELECT run_id, time_series_id, n, "values" FROM measurement ORDER BY 1, 2',
            "SELECT id, quarantined FROM capture ORDER BY id",
        )
    ]


def only(run, **changes):
    return lambda new: replace(new, runs=tuple(replace(one, **changes) for one in new.runs)) if run else new


def without_clearing(new):
    runs = tuple(
        replace(run, measurements=tuple(m for m in run.measurements if not m.metric.startswith("clear")))
        for run in new.runs
    )
    return replace(new, runs=runs)


def held(new):
    return replace(new, runs=(), quarantined="no parser knew it then")


def doubled(new):
    runs = tuple(
        replace(run, measurements=tuple(replace(m, values=m.values * 2) for m in run.measurements)) for run in new.runs
    )
    return replace(new, runs=runs)


OLDER = {
    "status": only(True, status="fail"),
    "warnings": only(True, warnings=("odd",)),
    "params": only(True, params={"vcpus": 7}),
    "benchmark": only(True, benchmark="kvm-selftests/other"),
    "metrics": without_clearing,
    "values": doubled,
    "held": held,
    "more runs": lambda new: replace(new, runs=new.runs * 3),
    "no runs": lambda new: replace(new, runs=()),
}


@pytest.mark.parametrize("name", OLDER)
def test_afterwards_the_database_is_as_if_uploaded_today(engine, outputs, monkeypatch, tmp_path, name):
    fresh = engines.connect(f"sqlite:///{tmp_path / 'fresh.db'}", create=True)
    store(fresh, outputs)
    store(engine, outputs, monkeypatch, OLDER[name])

    changes = reparse(engine)

    words = (
        'SELECT r.position, b.name, t.params, r.status, r.format_version, r.warnings, x.name, h.name, m."values"'
        " FROM run r JOIN test_case t ON t.id = r.test_case_id JOIN benchmark b ON b.id = t.benchmark_id"
        " JOIN measurement m ON m.run_id = r.id JOIN time_series s ON s.id = m.time_series_id"
        " JOIN metric x ON x.id = s.metric_id JOIN host h ON h.id = s.host_id ORDER BY r.capture_id, 1, 7"
    )
    assert rows(engine, words) == rows(fresh, words)
    assert rows(engine, "SELECT count(*) FROM time_series") == rows(fresh, "SELECT count(*) FROM time_series")
    assert [one.what for one in changes] == ["readable" if name == "held" else "changed"] * 3
    assert reparse(engine) == []


def test_runs_keep_their_ids_where_position_and_benchmark_stay(engine, outputs, monkeypatch):
    store(engine, outputs, monkeypatch, OLDER["params"])
    before = rows(engine, "SELECT id, capture_id FROM run ORDER BY id")

    reparse(engine)

    assert rows(engine, "SELECT id, capture_id FROM run ORDER BY id") == before


def test_parsing_again_with_the_same_parsers_changes_nothing(engine, outputs):
    store(engine, outputs)
    (outputs / "letter.txt").write_text("no benchmark")
    store(engine, outputs)
    before = content(engine)

    changes = reparse(engine, Pending())

    assert [one.what for one in changes] == ["unchanged"] * 4
    assert content(engine) == before


def test_a_dry_run_shows_the_same_and_stores_nothing(engine, outputs, monkeypatch):
    store(engine, outputs, monkeypatch, OLDER["values"])
    before = content(engine)

    shown = reparse(engine, dry_run=True)

    assert content(engine) == before
    assert shown == reparse(engine)
    assert "dirty_memory_time.round2 [s]: 0.04 -> 0.02" in shown[0].details


def test_an_interrupted_run_goes_on_where_it_stopped(engine, outputs, monkeypatch):
    store(engine, outputs, monkeypatch, OLDER["status"])
    steps = reparsing.reparse(engine, TODAY)
    first, _second = next(steps), next(steps)
    steps.close()

    rest = reparse(engine)

    assert first.capture_id == 1
    assert [one.capture_id for one in rest] == [2, 3]
    assert rows(engine, "SELECT DISTINCT status FROM run") == [("pass",)]


def test_what_cannot_be_read_any_more_keeps_its_runs(engine, outputs, monkeypatch):
    (outputs / "letter.txt").write_text("no benchmark")
    run = NewRun("suite/letter", {}, "pass", "letter", 1, (NewMeasurement("t", "s", "lower", np.ones(2)),))
    store(engine, outputs, monkeypatch, lambda new: replace(new, runs=new.runs or (run,), quarantined=""))
    before = content(engine)

    changes = {one.source: one for one in reparse(engine)}

    assert changes["letter.txt"].what == "unreadable"
    assert "no parser recognises" in changes["letter.txt"].details[0]
    assert content(engine) == before
    assert reparse(engine) == []


def test_an_output_with_a_broken_side_file_waits_for_a_parser_that_understands_it(engine, outputs, monkeypatch):
    (outputs / "001.rc").write_text("zero\n")
    store(engine, outputs)
    held_before = rows(engine, "SELECT quarantined FROM capture WHERE quarantined != ''")

    unchanged = reparse(engine, Pending())
    monkeypatch.setattr("ingest.outputs._exit_status", lambda *_words: 0)
    changed = reparse(engine, Pending())

    assert "001.rc" in held_before[0][0]
    assert [one.what for one in unchanged] == ["unchanged"] * 3
    assert [one.what for one in changed] == ["readable", "unchanged", "unchanged"]


def test_binary_files_stay_held(engine, tmp_path):
    (tmp_path / "x.out").write_bytes(bytes(range(256)))
    store(engine, tmp_path / "x.out")

    assert [one.what for one in reparse(engine, Pending())] == ["unchanged"]


def test_reported_runs_stay_reported(engine, outputs):
    with engines.writing(engine) as connection:
        list(accept_given(Writer(connection), replace(GIVEN, reported=True), [outputs]))
        captures.mark(connection, [1, 2, 3], "older")
        connection.exec_driver_sql("UPDATE run SET status = 'fail'")
    reparse(engine)

    assert rows(engine, "SELECT DISTINCT reported, status FROM run") == [(1, "pass")]


def test_captures_are_chosen_by_date_and_format(engine, outputs, monkeypatch):
    from datetime import UTC, datetime, timedelta

    store(engine, outputs, monkeypatch, OLDER["status"])
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    chosen = [
        len(reparse(engine, wanted, dry_run=True))
        for wanted in (
            Pending(PARSERS, tomorrow),
            Pending(PARSERS, tomorrow - timedelta(days=2)),
            Pending(PARSERS, format="mmtest"),
            Pending(PARSERS, format="dirty_log_perf_test"),
        )
    ]

    assert chosen == [0, 3, 0, 3]


def test_what_was_changed_is_written_down(engine, outputs, monkeypatch):
    store(engine, outputs, monkeypatch, OLDER["status"])

    reparse(engine, actor="cli:alice")

    trail = rows(engine, "SELECT actor, action, subject, detail FROM audit ORDER BY id")
    assert [row[:3] for row in trail] == [("cli:alice", "reparse", str(number)) for number in (1, 2, 3)]
    assert "status fail -> pass" in trail[0][3]


RUN = NewRun("s/p", {"a": 1}, "pass", "p", 1, (NewMeasurement("t", "s", "lower", np.array([1.0, 2.0])),))


@pytest.mark.parametrize(
    ("after", "says"),
    [
        ([], "run 1: gone, s/p, pass, 1 metrics"),
        ([RUN, RUN], "run 2: new, s/p, pass, 1 metrics"),
        ([replace(RUN, benchmark="s/q")], "benchmark s/p -> s/q"),
        ([replace(RUN, params={"a": True})], "parameter a: 1 -> True"),
        ([replace(RUN, params={})], "parameter a: 1 -> (none)"),
        ([replace(RUN, labels={"x": "y"})], "label x: (none) -> y"),
        ([replace(RUN, warnings=("careful",))], "warning: careful"),
        ([replace(RUN, measurements=())], "t [s]: gone, 2 values"),
        ([replace(RUN, measurements=(replace(RUN.measurements[0], warmup=1),))], "t [s]: warm-up 0 -> 1 values"),
        (
            [replace(RUN, measurements=(replace(RUN.measurements[0], better="higher"),))],
            "t [s]: better lower -> higher",
        ),
        (
            [replace(RUN, measurements=(replace(RUN.measurements[0], values=np.array([3.0, 4.0])),))],
            "t [s]: 1 -> 3 and 1 more values",
        ),
    ],
)
def test_a_difference_is_told_in_words(after, says):
    assert differences([RUN], after) == (says,)


@given(st.integers(0, 9))
def test_a_newer_version_that_reads_the_same_is_no_difference(version):
    assert differences([RUN], [replace(RUN, format_version=version)]) == ()


def test_times_are_read_as_they_were_when_they_came(engine, tmp_path):
    """`date +%s.%N` writes nanoseconds; the database keeps microseconds."""
    fixture = Path(__file__).resolve().parents[2] / "fixtures" / "outputs" / "memslot_modification_stress_test"
    output = next(path for path in sorted(fixture.glob("*.out")) if path.with_suffix(".time").exists())
    for suffix in (".out", ".cmd"):
        (tmp_path / f"x{suffix}").write_bytes(output.with_suffix(suffix).read_bytes())
    (tmp_path / "x.rc").write_text("0\n")
    (tmp_path / "x.time").write_text("1766000000.123456789 1766000001.068948103\n")
    store(engine, tmp_path / "x.out")
    assert rows(engine, "SELECT count(*) FROM measurement")[0][0] > 0

    (change,) = reparse(engine, Pending())

    assert (change.what, change.details) == ("unchanged", ())
