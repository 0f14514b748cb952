import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import sample_alerts
from sqlalchemy import text

from alerts.sweep import sweep
from db.engine import connect, writing
from db.values import RevisionRow
from report.inbox import before


@dataclass(frozen=True)
class Alerts:
    """A database with three alerts, and their numbers."""

    url: str
    regression: int
    improvement: int
    silent: int


@pytest.fixture(scope="session")
def alerts_template(tmp_path_factory):
    path = tmp_path_factory.mktemp("alerts") / "a.db"
    engine = connect(f"sqlite:///{path}", create=True)
    numbers = sample_alerts.fill(engine)
    engine.dispose()
    return path, numbers


@pytest.fixture
def alerts(alerts_template, tmp_path):
    path, numbers = alerts_template
    shutil.copy(path, tmp_path / "a.db")
    return Alerts(f"sqlite:///{tmp_path / 'a.db'}", *numbers)


def _table(app, column):
    return next(table.value for table in app.dataframe if column in table.value)


def test_tests_that_fail_now_are_listed_with_the_run(open_page, databases):
    app = open_page(databases.sample, "inbox")

    assert not app.exception
    failing = _table(app, "ended")
    told = dict(zip(failing["test case"].str.split().str[0], failing["ended"], strict=True))
    assert told["memslot_perf_test"] == "fail"
    assert told["dirty_log_perf_test"] == "killed"
    assert set(failing["since"]) == {"never passed here"}


def test_a_host_narrows_the_list_and_stands_in_the_url(open_page, databases, unfold):
    app = unfold(open_page(databases.sample, "inbox"), "filters")

    app.multiselect[0].set_value(["bm9"]).run()

    assert set(_table(app, "ended")["host"]) == {"bm9"}
    assert app.query_params["host"] in ("bm9", ["bm9"])


def test_filters_that_are_set_are_named_and_unfolded(open_page, databases):
    app = open_page(databases.sample, "inbox", host="bm9", owner="ana")

    assert [one.label for one in app.expander] == ["Filters: hosts, owner"]
    assert [one.value for one in app.multiselect] == [["bm9"], [], []]
    assert not open_page(databases.sample, "inbox").multiselect


def test_hosts_that_fell_silent_are_named(open_page, databases, words):
    app = open_page(databases.sample, "inbox")

    assert "bm4: silent for " in words(app)


def test_without_alerts_the_page_says_what_judges(open_page, databases, words):
    app = open_page(databases.sample, "inbox")

    assert "No alert is open" in words(app)
    assert "kvmperf detect" in words(app)


def test_after_a_judgement_without_a_finding_nobody_is_told_to_judge(open_page, databases, words, tmp_path):
    path = tmp_path / "judged.db"
    shutil.copy(databases.sample.removeprefix("sqlite:///"), path)
    engine = connect(f"sqlite:///{path}")
    sweep(engine)
    with writing(engine) as connection:
        for table in ("event", "member", "group"):
            connection.execute(text(f"DELETE FROM alert_{table}"))  # noqa: S608 (three words of ours)
    engine.dispose()

    app = open_page(f"sqlite:///{path}", "inbox")

    assert "was judged (" in words(app)
    assert "kvmperf detect" not in words(app)


def test_alerts_are_listed_newest_first_with_why(open_page, alerts):
    app = open_page(alerts.url, "inbox")

    found = _table(app, "what")
    assert found["alert"].tolist() == [str(alerts.silent), str(alerts.regression)]
    assert found["what"].tolist()[1].startswith("28.7% regression of dirty_log_perf_test.clear_dirty_log_time")
    assert found["change"].tolist()[1] == "+28.7% [+28,+30]"
    assert found["hosts"].tolist() == ["bm7, bm8", "bm3"]
    assert found["why"].all()
    assert len(found["history"].tolist()[1]) == 4


@pytest.mark.parametrize(
    ("query", "kinds"),
    [
        ({"which": "closed"}, ["improvement"]),
        ({"which": "all", "owner": "bob"}, ["improvement"]),
        ({"host": "bm7"}, ["missing data"]),
        ({"triage": ["fixed"]}, []),
        ({"which": "nonsense"}, ["missing data", "regression"]),
    ],
)
def test_alerts_are_filtered_by_the_url(open_page, alerts, words, query, kinds):
    app = open_page(alerts.url, "inbox", **query)

    assert not app.exception
    if kinds:
        told = _table(app, "what")["what"].tolist()
        assert [kind in one for kind, one in zip(kinds, told, strict=True)] == [True] * len(kinds)
    else:
        assert "No alert passes these filters" in words(app)


def test_an_alert_is_explained_and_read_only_for_anybody(open_page, alerts, words):
    app = open_page(alerts.url, "inbox", alert=str(alerts.regression))

    said = words(app)
    assert "Read only" in said
    assert "Acknowledge" not in said
    assert _table(app, "test case")["metric"].tolist() == ["clear_dirty_log_time"]
    assert "detect: announced" in said


def test_what_moved_is_drawn_with_the_change_and_a_notice_has_no_figure(open_page, alerts):
    app = open_page(alerts.url, "inbox", alert=str(alerts.regression))

    (figure,) = app.get("vega_lite_chart")
    change, moved = (layer["data"]["values"] for layer in json.loads(figure.proto.spec)["layer"])
    assert change == [{"base": 1, "head": 2}]
    assert [one["revision"] for one in moved[:4]] == ["v1", "v2", "v3", "v4"]
    assert len({one["line"] for one in moved}) == len(_table(app, "before")) == 1
    assert not open_page(alerts.url, "inbox", alert=str(alerts.silent)).get("vega_lite_chart")


@pytest.mark.parametrize("number", ["999", "x", "9" * 40])
def test_an_alert_that_is_not_there_is_told(open_page, alerts, words, number):
    app = open_page(alerts.url, "inbox", alert=number)

    assert not app.exception
    assert "There is no alert" in words(app)


def test_what_is_silent_is_listed(open_page, alerts, words):
    app = open_page(alerts.url, "inbox", alert=str(alerts.silent))

    assert "bm7: silent since 2026-02-25" in words(app)


def test_the_local_user_acknowledges_and_undoes(open_page, alerts, as_local_user, words):
    as_local_user("max")
    app = open_page(alerts.url, "inbox", alert=str(alerts.regression))
    _note(app).set_value("seen")
    _button(app, "Acknowledge").click().run()
    acknowledged = words(app)
    _button(app, "Undo: acknowledge by max").click().run()

    assert "note: seen" in acknowledged
    assert not app.exception
    told = [line.split("UTC  ")[1] for line in words(app).splitlines() if "UTC  " in line]
    assert told == ["max: undo (acknowledge)", "max: acknowledge (seen)", "detect: announced"]


def test_what_makes_no_sense_is_told(open_page, alerts, as_local_user, words):
    as_local_user("max")
    app = open_page(alerts.url, "inbox", alert=str(alerts.regression))
    next(one for one in app.text_input if one.label == "Link to a thread").set_value("javascript:alert(1)")
    _button(app, "Keep the link").click().run()

    assert "is no link" in words(app).replace("\\", "")
    assert "max:" not in words(app)


def _note(app):
    return next(one for one in app.text_input if one.label == "Note")


def _button(app, label):
    return next(one for one in app.button if one.label == label)


def test_the_newest_revisions_are_listed(open_page, databases):
    app = open_page(databases.sample, "inbox")

    assert _table(app, "subject")["revision"].tolist()[0] == "real-outputs"


def _revision(number, series="", patch=None):
    now = datetime(2024, 1, number, tzinfo=UTC)
    return RevisionRow(number, "6.12", "", f"r{number}", "", now, now, series, 1 if series else None, patch)


def test_a_revision_is_compared_with_the_one_before_and_a_patch_with_its_base():
    known = [_revision(3, "s", 0), _revision(4, "s", 2), _revision(1), _revision(2)]

    assert before(known[1], known) == (known[0],)
    assert before(known[3], known) == (known[2],)
    assert before(known[2], known) == ()
    assert before(known[0], known) == ()
