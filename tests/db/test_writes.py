from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from db import engine as engines
from db import queries
from db.errors import DatabaseError
from db.queries import Filters
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer

T0 = datetime(2026, 11, 1, tzinfo=UTC)


def measurement(values, metric="time", **more):
    return NewMeasurement(metric, "s", "lower", np.array(values, dtype=float), **more)


def capture(source="01.out", content=b"raw", minute=0, values=(1.0, 2.0), **more):
    run = NewRun("suite/prog", {"vcpus": 2}, "pass", "prog", 1, (measurement(values),))
    started = T0 + timedelta(minutes=minute) if minute is not None else None
    return NewCapture(source, {"stdout": content}, started_at=started, runs=(run,), **more)


def context(label="a", boot="boot1", host="bm1", **more):
    return CaptureContext(host, RevisionFacts(kernel="6.12.0", label=label), boot, **more)


@pytest.fixture
def engine(database):
    found = engines.connect(database)
    yield found
    found.dispose()


def store(engine, *pairs):
    with engines.writing(engine) as connection:
        writer = Writer(connection)
        return [writer.store(*pair) for pair in pairs]


def test_a_capture_comes_back_as_samples(engine):
    store(engine, (context(), capture(values=(3.0, 1.0, 2.0))))

    with engines.reading(engine) as connection:
        (series,) = queries.series(connection)
        table = queries.samples(connection, [series.id])
    assert (series.benchmark, series.params, series.metric, series.host) == ("suite/prog", {"vcpus": 2}, "time", "bm1")
    assert table.values.tolist() == [3.0, 1.0, 2.0]
    assert table.counts.tolist() == [3]


def test_the_same_upload_again_stores_nothing(engine):
    first = store(engine, (context(), capture()))
    again = store(engine, (context(), capture()))

    with engines.reading(engine) as connection:
        runs = queries.counts(connection)["runs"]
    assert [first[0].outcome, again[0].outcome, runs] == ["stored", "duplicate", 1]


def test_equal_outputs_are_different_runs_where_start_or_place_differ(engine):
    """Deterministic clocks and killed runs print the same bytes twice."""
    outcomes = store(
        engine,
        (context(), capture(minute=0)),
        (context(), capture(minute=1)),
        (context(), capture("a/01.out", minute=None)),
        (context(), capture("b/01.out", minute=None)),
        (context(boot="boot2"), capture(minute=0)),
        (context(label="b"), capture(minute=0)),
    )

    assert [one.outcome for one in outcomes] == ["stored"] * 6


def test_the_same_output_from_another_folder_is_one_run_where_its_start_is_known(engine):
    outcomes = store(engine, (context(), capture("a/01.out")), (context(), capture("elsewhere/01.out")))

    assert [one.outcome for one in outcomes] == ["stored", "duplicate"]


def test_a_failure_stores_nothing_of_an_upload(engine):
    def store_and_fail():
        with engines.writing(engine) as connection:
            Writer(connection).store(context(), capture())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        store_and_fail()

    with engines.reading(engine) as connection:
        assert sum(queries.counts(connection).values()) == 0


def test_warm_up_is_stored_and_never_judged(engine):
    run = NewRun("suite/prog", {}, "pass", "prog", 1, (measurement([9.0, 1.0, 3.0], warmup=1),))
    store(engine, (context(), replace(capture(), runs=(run,))))

    with engines.reading(engine) as connection:
        (series,) = queries.series(connection)
        assert queries.samples(connection, [series.id]).values.tolist() == [1.0, 3.0]
        assert queries.counts(connection)["values"] == 3


def test_quarantined_captures_are_listed_with_reason_and_size(engine):
    held = NewCapture("odd.txt", {"stdout": b"?" * 42}, started_at=T0, quarantined="no parser knows it")
    (receipt,) = store(engine, (context(), held))

    with engines.reading(engine) as connection:
        (found,) = queries.quarantine(connection)
    assert receipt.outcome == "quarantined"
    assert (found.source, found.reason, found.size) == ("odd.txt", "no parser knows it", 42)


def test_raw_bytes_are_kept_once(engine):
    content = bytes(range(256)) * 10
    store(engine, (context(), capture(content=content)), (context(), capture(content=content, minute=5)))

    import hashlib

    with engines.reading(engine) as connection:
        assert queries.artifact(connection, hashlib.sha256(content).hexdigest()) == content
        assert connection.exec_driver_sql("SELECT count(*) FROM artifact").scalar() == 1


def test_reported_numbers_never_mix_with_measured_ones(engine):
    told = replace(context(), reported=True)
    run = replace(capture().runs[0], reported=True)
    store(engine, (context(), capture()), (told, replace(capture(minute=9), runs=(run,))))

    with engines.reading(engine) as connection:
        ids = [s.id for s in queries.series(connection)]
        measured, reported = (queries.samples(connection, ids, reported=flag) for flag in (False, True))
    assert [measured.run.size, reported.run.size] == [1, 1]


def test_a_series_without_version_is_refused(engine):
    facts = RevisionFacts(series="mmu")
    with pytest.raises(DatabaseError, match="no version"), engines.writing(engine) as connection:
        Writer(connection).revision(facts)


def test_revisions_of_a_series_are_in_the_order_of_the_patches(engine):
    states = [
        RevisionFacts(kernel="6.12", series="mmu", version=v, patch=k) for v, k in ((2, 0), (1, 10), (1, 2), (1, 0))
    ]
    store(engine, *((CaptureContext("bm1", facts, "b"), capture(minute=i)) for i, facts in enumerate(states)))

    with engines.reading(engine) as connection:
        names = [revision.name for revision in queries.revisions(connection)]
    assert names == ["mmu@v1~base", "mmu@v1/2", "mmu@v1/10", "mmu@v2~base"]


def test_filters_take_metrics_with_or_without_their_phase(engine):
    rounds = (
        measurement([1.0], "dirty.round1"),
        measurement([2.0], "dirty.round2"),
        measurement([3.0], "clear.round1"),
    )
    store(engine, (context(), replace(capture(), runs=(NewRun("suite/prog", {}, "pass", "prog", 1, rounds),))))

    with engines.reading(engine) as connection:
        names = {
            glob: [s.metric for s in queries.series(connection, Filters(metric=glob))]
            for glob in ("dirty", "*.round1", "x*")
        }
        by_program = queries.series(connection, Filters(benchmark="prog"))
    assert names == {"dirty": ["dirty.round1", "dirty.round2"], "*.round1": ["dirty.round1", "clear.round1"], "x*": []}
    assert len(by_program) == 3


@settings(max_examples=20)
@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(-1e150, 1e150)))
def test_values_survive_storage_to_the_last_bit(values):
    engine = engines.connect("sqlite:///:memory:", create=True)
    with engines.writing(engine) as connection:
        Writer(connection).store(context(), capture(values=values))
        (series,) = queries.series(connection)
        table = queries.samples(connection, [series.id])

    assert np.array_equal(table.values, values)
