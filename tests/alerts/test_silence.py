from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import nightly
import pytest

from alerts.rules import parse
from alerts.silence import merge, silent_cases, silent_hosts
from alerts.sweep import sweep
from alerts.triage import Action, Said, triage
from db.engine import writing

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_host_is_silent_by_its_own_rhythm():
    received = {
        "nightly": [NOW - n * DAY for n in (9, 8, 7)],
        "weekly": [NOW - n * DAY for n in (23, 16, 9)],
        "once": [NOW - 90 * DAY],
        "fresh": [NOW - n * DAY for n in (3, 2, 1)],
    }

    assert [one["host"] for one in silent_hosts(received, 5, NOW)] == ["nightly"]


def test_a_case_is_silent_that_its_host_leaves_out_after_measuring_it_regularly():
    regular, rare, alive = set(range(10)), {0, 9}, set(range(20))

    assert silent_cases({("bm1", ""): {1: regular, 2: rare, 3: alive}}, 5) == [("bm1", 1, 9)]
    assert silent_cases({("bm1", ""): {1: set(range(17)), 3: alive}}, 5) == []


def night(engine, day, hosts=("bm1", "bm2"), metrics=("time",), **more):
    nightly.store(engine, day, {(host, "b"): dict.fromkeys(metrics, 10.0) for host in hosts}, **more)
    sweep(engine, now=nightly.at(day))


def test_hosts_that_stop_are_one_notice_that_closes_when_they_are_back(engine, groups):
    for day in range(10):
        night(engine, day, hosts=("bm1", "bm2", "bm3"))
    for day in range(10, 20):
        night(engine, day, hosts=("bm3",))
    (notice,) = groups()
    for day in range(20, 22):
        night(engine, day, hosts=("bm1", "bm2", "bm3"))

    (closed,) = groups()

    assert (notice.kind, notice.hosts, notice.is_open) == ("missing data", ("bm1", "bm2"), True)
    assert (closed.id, closed.closed_because) == (notice.id, "recovered")


def test_a_notice_whose_host_is_back_is_no_longer_called_after_it(engine, groups):
    for day in range(10):
        night(engine, day, hosts=("bm1", "bm2", "bm3"))
    for day in range(10, 20):
        night(engine, day, hosts=("bm3",))
    night(engine, 20, hosts=("bm2", "bm3"))

    (notice,) = groups()

    assert (notice.subject, notice.hosts, notice.is_open) == ("host bm1", ("bm1",), True)


def test_a_notice_closed_by_hand_stays_told_until_its_host_was_back(engine, groups):
    for day in range(10):
        night(engine, day)
    for day in range(10, 20):
        night(engine, day, hosts=("bm2",))
    with writing(engine) as connection:
        triage(connection, groups()[0].id, Action.EXPECT, "ann", Said("moved"))
    night(engine, 20, hosts=("bm2",))
    assert len(groups()) == 1
    night(engine, 21)
    for day in range(22, 32):
        night(engine, day, hosts=("bm2",))

    assert sorted((one.hosts, one.is_open) for one in groups()) == [((), False), (("bm1",), True)]


def test_a_host_that_spoke_between_two_looks_is_silent_since_then():
    told = SimpleNamespace(id=7, is_open=True, detail={"items": [{"host": "bm1", "since": "2026-01-01"}]})

    left, new = merge([told], [{"host": "bm1", "since": "2026-02-01"}])

    assert (left, new) == ({7: [{"host": "bm1", "since": "2026-02-01"}]}, [])


def test_a_metric_that_is_no_longer_printed_is_noticed(engine, groups):
    for day in range(10):
        night(engine, day, metrics=("time", "rate"))
    for day in range(10, 16):
        night(engine, day)

    (notice,) = groups()

    assert [one["metric"] for one in notice.detail["items"]] == ["rate", "rate"]


@pytest.mark.parametrize(("status", "kind"), [("fail", "failing test"), ("skip", "newly skipped")])
def test_tests_that_stop_passing_are_one_notice(engine, groups, status, kind):
    night(engine, 0)
    night(engine, 1, status=status)
    night(engine, 2, status=status)
    (notice,) = groups()
    night(engine, 3)

    (closed,) = groups()

    assert (notice.kind, len(notice.detail["items"]), notice.is_open) == (kind, 2, True)
    assert (closed.id, closed.is_open) == (notice.id, False)


def test_a_muted_host_may_be_silent(engine, groups):
    rules = parse('[[rule]]\nhost = "bm1"\nmute = true\nreason = "scrapped"\n')
    for day in range(10):
        nightly.store(engine, day, {("bm1", "b"): {"time": 10.0}})

    sweep(engine, rules, now=nightly.at(30))

    assert groups() == ()


def test_new_items_make_a_new_notice_and_known_ones_none():
    assert merge((), [{"host": "bm1"}]) == ({}, [{"host": "bm1"}])
