from datetime import UTC, datetime

from db.values import RevisionRow
from report.inbox import before


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


def test_a_host_narrows_the_list_and_stands_in_the_url(open_page, databases):
    app = open_page(databases.sample, "inbox")

    app.multiselect[0].set_value(["bm9"]).run()

    assert set(_table(app, "ended")["host"]) == {"bm9"}
    assert app.query_params["host"] in ("bm9", ["bm9"])


def test_hosts_that_fell_silent_are_named(open_page, databases, words):
    app = open_page(databases.sample, "inbox")

    assert "bm4: silent for " in words(app)


def test_the_place_for_alerts_says_that_nothing_judges_by_itself(open_page, databases, words):
    app = open_page(databases.sample, "inbox")

    assert "Alerts" in words(app)
    assert "not judged by itself" in words(app)


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
