"""Detection over stored series: through the real writer, night by night."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import nightly
import numpy as np
import pytest
from sqlalchemy import text

from alerts.rules import parse
from alerts.sweep import sweep
from alerts.triage import Action, triage
from db import alert_queries, captures
from db import engine as engines

ROOT = Path(__file__).resolve().parents[2]
DAYS = 40


def history(engine, days, steps, *, hosts=("bm1", "bm2"), sweeps=(), state=None, seed=1):
    """Store a history; `steps` per host. Sweep after each day in `sweeps`."""
    lines = {host: nightly.levels(days, seed + i, steps=steps.get(host, ())) for i, host in enumerate(hosts)}
    for day in range(days):
        told = {(host, "b"): {"time": lines[host][day]} for host in hosts}
        nightly.store(engine, day, told, state=state(day) if state else None)
        if day in sweeps:
            sweep(engine, now=nightly.at(day))


def everything(engine, tables=("detection", "alert_group", "alert_member", "alert_event", "notification")):
    """All that detection has stored, comparable between databases."""
    with engines.reading(engine) as connection:
        return {
            table: connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2")).all()  # noqa: S608
            for table in tables
        }


def test_a_change_on_two_hosts_is_one_alert_that_names_the_revisions(engine, groups):
    history(engine, DAYS, {"bm1": [(30, 0.1)], "bm2": [(30, 0.1)]})

    sweep(engine, now=nightly.at(DAYS))

    (alert,) = groups()
    assert (alert.kind, alert.evidence, alert.hosts) == ("regression", "confirmed", ("bm1", "bm2"))
    assert (alert.base.commit[:4], alert.head.commit[:4]) == ("001d", "001e")
    assert all(one.low < 0.1 < one.high and one.worse for one in alert.members)


def test_a_second_sweep_without_data_changes_nothing(engine):
    history(engine, DAYS, {"bm1": [(30, 0.1)]})
    sweep(engine, now=nightly.at(DAYS))
    before = everything(engine)

    again = sweep(engine, now=nightly.at(DAYS))

    assert (again.judged, again.happened) == (0, ())
    assert everything(engine) == before


def test_night_by_night_and_at_once_find_the_same_steps(tmp_path):
    engines_of = {}
    for name, sweeps in (("nightly", range(DAYS)), ("once", (DAYS - 1,))):
        engines_of[name] = engines.connect(f"sqlite:///{tmp_path / name}.db", create=True)
        history(engines_of[name], DAYS, {"bm1": [(15, 0.08), (28, -0.1)], "bm2": [(15, 0.08)]}, sweeps=sweeps)

    nights, once = (everything(one, ("detection", "alert_member")) for one in engines_of.values())

    assert nights["detection"] == once["detection"]
    assert len(once["detection"]) == 2
    assert {row[1:5] for row in nights["alert_member"]} >= {row[1:5] for row in once["alert_member"]}


def test_more_boots_of_a_revision_move_its_level_only(engine):
    history(engine, 10, {})
    sweep(engine, now=nightly.at(10))
    nightly.store(engine, 4, {("bm1", "b"): {"time": 99.0}}, boot="again")

    done = sweep(engine, now=nightly.at(10))

    assert done.judged == 1


def test_a_change_is_confirmed_and_then_withdrawn_where_later_data_do_not_show_it(engine, groups):
    values = nightly.levels(60, 3, noise=0.004)
    values[30:32] *= 1.3
    seen = []
    for day in range(45):
        nightly.store(engine, day, {("bm1", "b"): {"time": values[day]}, ("bm2", "b"): {"time": values[day]}})
        sweep(engine, now=nightly.at(day))
        seen.append(sum(one.is_open for one in groups(is_open=True)))

    assert seen[-1] == 0
    assert all(one.closed_because == "withdrawn" for one in groups())


def test_a_recovery_closes_and_the_revert_is_linked_to_its_cause(engine, groups):
    history(engine, 60, {host: [(25, 0.12), (45, 1 / 1.12 - 1)] for host in ("bm1", "bm2")}, sweeps=range(20, 60))

    cause, revert = sorted(groups(), key=lambda one: one.id)

    assert (cause.closed_because, revert.closed_because) == ("recovered", "revert")
    assert (revert.reverts_id, cause.reverted_by) == (cause.id, (revert.id,))
    assert all(one.recovered for one in cause.members)


def test_a_host_set_up_anew_alerts_nobody(engine, groups):
    def state(day):
        return {"bm1": {"cpu.model": "made up", "microcode": "0x2" if day >= 25 else "0x1"}}

    history(engine, DAYS, {"bm1": [(25, 0.2)]}, sweeps=range(20, DAYS), state=state)

    assert [one for one in groups() if one.announced_at is not None] == []


def test_better_is_an_improvement_in_the_direction_of_the_metric(engine, groups):
    time, rate = nightly.levels(DAYS, 1, steps=[(30, -0.1)]), nightly.levels(DAYS, 2, steps=[(30, 0.1)])
    for day in range(DAYS):
        nightly.store(engine, day, {("bm1", "b"): {"time": time[day], "rate": rate[day]}})

    sweep(engine, now=nightly.at(DAYS))

    (alert,) = groups()
    assert (alert.kind, {one.worse for one in alert.members}) == ("improvement", {False})


@pytest.mark.parametrize(
    ("rules", "announced"),
    [
        ("", 1),
        ('[[rule]]\nbenchmark = "b"\nmargin = "15%"\n', 0),
        ("[defaults]\nmin_boots = 30\n", 0),
        ('[[rule]]\nhost = "bm1"\nmute = true\nreason = "being moved"\n', 0),
        ('[[rule]]\nhost = "bm2"\nmute = true\nreason = "being moved"\n', 1),
    ],
)
def test_rules_decide_what_is_announced(engine, groups, rules, announced):
    history(engine, DAYS, {"bm1": [(30, 0.1)]})

    sweep(engine, parse(rules), now=nightly.at(DAYS))

    assert sum(one.announced_at is not None for one in groups()) == announced


def test_what_is_old_at_first_sight_is_history_and_alerts_nobody(engine, groups):
    history(engine, 140, {"bm1": [(20, 0.1)]}, hosts=("bm1",))

    sweep(engine, now=nightly.at(140))

    assert [(one.closed_because, one.announced_at) for one in groups()] == [("history", None)]


def test_what_someone_closed_stays_closed(engine, groups):
    history(engine, DAYS, {"bm1": [(30, 0.1)]}, sweeps=range(30, 36))
    (alert,) = groups()
    with engines.writing(engine) as connection:
        triage(connection, alert.id, Action.EXPECT, "ann")

    sweep(engine, now=nightly.at(DAYS))

    (alert,) = groups()
    assert (alert.triage, alert.is_open) == ("expected", False)


def test_news_is_in_the_outbox_once_and_nothing_else_is_sent(engine):
    history(engine, 60, {host: [(25, 0.12), (45, 1 / 1.12 - 1)] for host in ("bm1", "bm2")}, sweeps=range(20, 60))

    with engines.reading(engine) as connection:
        told = connection.execute(text("SELECT kind, sink FROM notification ORDER BY id")).all()

    kinds = [row.kind for row in told]
    assert kinds[0] == "opened"
    assert kinds[-1] == "recovered"
    assert (kinds.count("opened"), kinds.count("recovered")) == (1, 1)
    assert {row.sink for row in told} == {""}


def test_captures_read_anew_are_judged_anew(engine):
    history(engine, 10, {}, hosts=("bm1",))
    sweep(engine, now=nightly.at(10))
    with engines.writing(engine) as connection:
        stored = captures.capture(connection, 3)
        old = captures.runs(connection, 3)
        new = nightly.NewCapture("x.out", stored.files, runs=tuple(one.run for one in old))
        captures.replace_runs(connection, stored, old, new)

    assert sweep(engine, now=nightly.at(10)).judged == 1


def test_a_time_series_that_is_gone_takes_its_step_along(engine, groups):
    history(engine, DAYS, {"bm1": [(30, 0.1)]}, hosts=("bm1",))
    sweep(engine, now=nightly.at(DAYS))
    with engines.writing(engine) as connection:
        connection.execute(text("DELETE FROM measurement"))
        connection.execute(text("DELETE FROM time_series"))

    sweep(engine, now=nightly.at(DAYS))

    (alert,) = groups()
    assert (alert.members, alert.closed_because) == ((), "withdrawn")


SWEEP = """
import sys
from datetime import datetime
from alerts import sweep
from db.engine import connect
sweep.PORTION = 2
print("ready", flush=True)
sweep.sweep(connect(sys.argv[1]), now=datetime.fromisoformat(sys.argv[2]))
"""


def test_a_sweep_that_is_killed_anywhere_and_run_again_ends_like_one_that_was_not(tmp_path):
    hosts = tuple(f"bm{i}" for i in range(12))
    steps = {host: [(20, 0.1)] for host in hosts[:4]}
    urls = {name: f"sqlite:///{tmp_path / name}.db" for name in ("whole", "killed")}
    for url in urls.values():
        engine = engines.connect(url, create=True)
        history(engine, 30, steps, hosts=hosts)
        engine.dispose()
    whole, killed = (engines.connect(url) for url in urls.values())
    began = time.perf_counter()
    swept(urls["whole"])
    length = time.perf_counter() - began
    for share in random.Random(5).sample(range(1, 100), 5):  # noqa: S311
        swept(urls["killed"], kill_after=length * share / 100)

    swept(urls["killed"])

    assert everything(killed) == everything(whole)
    assert len(everything(whole)["alert_group"]) == 1


def swept(url, kill_after=None):
    """A sweep in a process of its own, killed so many seconds after its modules are there."""
    command = [sys.executable, "-c", SWEEP, url, nightly.at(30).isoformat()]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    if kill_after is not None:
        time.sleep(kill_after * 0.3)  # starting up was part of the length
        os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def test_levels_are_those_of_the_trend(engine):
    rng = np.random.default_rng(2)
    for boot in range(3):
        for day in range(6):
            nightly.store(engine, day, {("bm1", "b"): {"time": float(rng.uniform(1, 2))}}, boot=f"-{boot}")
    sweep(engine, now=nightly.at(6))

    from db import detection
    from db.queries import Filters
    from report.trend import build

    with engines.reading(engine) as connection:
        (line,) = build(connection, Filters())
        kept = detection.kept(connection, [line.series.id])[line.series.id]
    assert {int(row[0]): row[1] for row in kept.points} == {one.revision.id: one.level.value for one in line.points}


def test_the_history_of_an_alert_tells_what_detection_did(engine, groups):
    history(engine, 60, {host: [(25, 0.12), (45, 1 / 1.12 - 1)] for host in ("bm1", "bm2")}, sweeps=range(20, 60))
    cause = min(groups(), key=lambda one: one.id)

    with engines.reading(engine) as connection:
        told = [one.action for one in alert_queries.events(connection, cause.id)]

    assert told[0] == "opened"
    assert told[-1] == "recovered"
    assert "announced" in told
