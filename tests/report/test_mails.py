"""What is pasted into mails: the regression report, Tested-by, the scaling table. Golden files."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from handmade_report import ROWS, report, result, row
from measured_series import measure

from db.engine import connect, reading, writing
from db.errors import UserError
from db.posted import PostedPatch, PostedVersion
from db.series import register
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer
from report import regression_mail, scaling_text, tested_by
from report.comparison import Request, build
from report.regression import Changed, Regression, regression
from stats.compare import Verdict

GOLDEN = Path(__file__).parent / "golden"
TESTER = "A Tester <tester@example.org>"


def golden(name, text):
    path = GOLDEN / name
    if os.environ.get("KVMPERF_UPDATE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text
    assert text.isascii()
    return text


def width(text):
    return max(len(line) for line in text.splitlines() if not line.startswith(("Link:", "Subject:", "In-Reply", "Ref")))


MAIL = Regression(
    base="v6.12-rc3 (8e929cb546ee, 6.12-rc3)",
    head="mmu-lockless@v2/4",
    what='mmu-lockless v2, patch 4/12 "KVM: x86/mmu: Take the lock for reading when clearing dirty bits"',
    rows=(
        Changed(ROWS[1].series, Verdict.REGRESSION, 0.186, 0.012, 0.281, 0.004, 0.5108, (0.44, 0.58)),
        Changed(ROWS[0].series, Verdict.IMPROVEMENT, 3.309, 0.2, 2.010, None, -0.3926, (-0.41, -0.37)),
        Changed(
            replace(ROWS[0].series, metric="a_name_that_is_too_long_for_the_last_column", unit="pages/s"),
            Verdict.IMPROVEMENT, 123456.0, 0.01, 234567.0, 0.02, 0.9, None,
        ),
    ),
    test="dirty_log_perf_test backing_src=anonymous_thp bytes_per_vcpu=1G vcpus=64",
    host="bm3 (Xeon Gold 6248, 2x20x2, microcode 0x5003604)",
    replication="4 boots, 20 runs; 4 boots, 20 runs",
    command="./dirty_log_perf_test -v 64 -b 1G -s anonymous_thp",
    links=("https://lore.kernel.org/r/20260301-mmu-lockless-v2-0-0123456789ab@example.org",),
    in_reply_to="20260301-mmu-lockless-v2-0-0123456789ab@example.org",
)  # fmt: skip


def test_a_regression_is_a_mail_that_answers_the_cover_letter():
    text = golden("regression.mail", regression_mail.render(MAIL))

    subject = "[kvmperf] 51.1% regression of dirty_log_perf_test.dirty_memory_time on mmu-lockless@v2/4"
    assert text.startswith(f"Subject: {subject}\nIn-Reply-To: <{MAIL.in_reply_to}>\n")
    assert width(text) <= 72
    assert MAIL.command in text


def test_what_comes_out_of_nothing_has_no_percentage_and_ranks_first(tmp_path):
    engine = connect(f"sqlite:///{tmp_path}/k.db", create=True)
    with writing(engine) as connection:
        writer = Writer(connection)
        for label, drops, time in (("old", (0.0, 0.0, 0.0), 1.0), ("new", (3.0, 4.0, 3.5), 1.5)):
            for boot, drop in enumerate(drops):
                values = np.array([time, time * 1.001, time * 0.999])
                measured = (
                    NewMeasurement("drops", "count", "lower", np.array([drop, drop, drop])),
                    NewMeasurement("time", "s", "lower", values * (1 + boot / 1000)),
                )
                run = NewRun("suite/lat", {}, "pass", "made", 1, measured)
                context = CaptureContext("bm3", RevisionFacts(label=label), boot_id=f"{label}{boot}")
                writer.store(context, NewCapture(f"{label}{boot}", {}, runs=(run,)))
    with reading(engine) as connection:
        mail = regression(connection, build(connection, Request("old", ("new",))))

    text = regression_mail.render(mail)

    assert text.startswith("Subject: [kvmperf] regression of lat.drops on new\n")
    assert "kvmperf measured a regression of lat.drops (0 to 3.500 count) on:" in text
    assert " 0.0%" not in text
    assert "+0.0%" not in text


def test_a_mail_says_what_to_beware_of_and_where_else_it_shows():
    text = regression_mail.render(
        replace(MAIL, notes=("one shared boot: whether others show it is unknown", "also on bm4: +49.0%"))
    )

    assert "\n- one shared boot: whether others show it is unknown\n- also on bm4: +49.0%\n" in text


def test_line_breaks_in_names_make_no_headers():
    text = regression_mail.render(replace(MAIL, head="x\nBcc: all@example.org", what="y\nBcc: z", links=(), command=""))

    assert not any(line.startswith("Bcc") for line in text.splitlines())


def test_the_largest_regression_names_the_mail(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'k.db'}", create=True)
    patches = tuple(PostedPatch(k, f"step {k}", message_id=f"p{k}@x") for k in (1, 2))
    with writing(engine) as connection:
        register(connection, PostedVersion(2, patches, "walk less", "cover@x", "20260301-walk-0123456789ab"))
        measure(connection, 3.0, series="walk", version=2, patch=0)
        measure(connection, 3.6, seed=1, series="walk", version=2, patch=1)
    with reading(engine) as connection:
        found = regression(connection, build(connection, Request("walk@v2~base", ("walk@v2/1",))))
        with pytest.raises(UserError, match="nothing regressed"):
            regression(connection, build(connection, Request("walk@v2/1", ("walk@v2~base",))))

    assert found.title.endswith("% regression of dirty_log_perf_test.clear_dirty_log_time on walk@v2/1")
    assert found.what == 'walk v2, patch 1/2 "step 1"'
    assert found.in_reply_to == "cover@x"
    assert found.links == ("https://lore.kernel.org/r/cover@x",)
    assert found.rows[0].base_spread == pytest.approx(0.005, abs=0.004)


def test_a_mail_about_a_whole_version_names_the_patch(tmp_path):
    engine = connect(f"sqlite:///{tmp_path / 'k.db'}", create=True)
    patches = tuple(PostedPatch(k, f"mm: a step whose subject is long enough for two lines, {k}") for k in (1, 2, 3))
    with writing(engine) as connection:
        register(connection, PostedVersion(2, patches, "walk less", "cover@x", "20260301-walk-0123456789ab"))
        for k, level in enumerate((3.0, 3.0, 3.6, 3.6)):
            measure(connection, level, seed=k, shared=True, series="walk", version=2, patch=k)
    with reading(engine) as connection:
        found = regression(connection, build(connection, Request("walk@v2~base", ("walk@v2",))))
    text = regression_mail.render(found)

    (culprit,) = found.culprits
    assert culprit.startswith('patch 2/3 "mm: a step whose subject is long enough for two lines, 2": +')
    assert "\nIt comes from:\n\n  patch 2/3" in text
    assert width(text) <= 72


def test_tested_by_says_the_scope():
    quiet = report(rows=(ROWS[0], ROWS[2], ROWS[3]), absent=())

    text = golden("tested-by.txt", tested_by.render(quiet, TESTER))

    assert text.endswith(f"Tested-by: {TESTER}\n")
    assert width(text) <= 72


def test_nobody_signs_for_a_regression():
    with pytest.raises(UserError, match="1 regression: "):
        tested_by.render(report(), TESTER)


def test_nobody_signs_for_what_could_not_be_judged():
    unjudged = replace(ROWS[3], result=replace(ROWS[3].result, p=None))

    with pytest.raises(UserError, match="nothing of 2 rows of v2 could be judged") as caught:
        tested_by.render(report(rows=(unjudged, ROWS[4])), TESTER)

    assert "thp.enabled always -> madvise" in caught.value.hint


def test_tested_by_counts_what_was_not_judged_because_hosts_differ():
    text = tested_by.render(report(rows=(ROWS[0], ROWS[3], ROWS[4])), TESTER)

    assert "no regression, 1 undecided, 1 not judged because hosts differ ]" in text.replace("\n ", "")


def scaled_rows(heads=("v2",)):
    rows = []
    for vcpus, base, factor in ((1, 0.1, 1.0), (16, 1.2345, 0.9), (96, 23.456, 0.61)):
        for n, head in enumerate(heads):
            verdict = Verdict.IMPROVEMENT if factor < 1 else Verdict.EQUIVALENT
            found = result(verdict, base, base * factor * (1 + 0.01 * n), (factor - 1.02, factor - 0.98))
            one = row("clear_dirty_log_time", found, head=head)
            params = {**one.series.params, "vcpus": vcpus}
            rows.append(replace(one, series=replace(one.series, id=vcpus, params=params)))
    return rows


def test_a_table_over_vcpus():
    text = golden("scaling.txt", scaling_text.render(report(rows=scaled_rows()), "vcpus"))

    assert width(text) <= 72
    assert [line.split()[0] for line in text.splitlines() if line[:5].strip().isdigit()] == ["1", "16", "96"]


def test_columns_that_do_not_fit_follow_below():
    heads = ("mmu-lockless@v1", "mmu-lockless@v2", "a-name-that-is-much-too-long-for-a-column-of-its-own-" * 3)
    text = golden("scaling-wide.txt", scaling_text.render(report(rows=scaled_rows(heads), heads=heads), "vcpus"))

    assert width(text) <= 72
    assert text.count("-39.0%") == 1
    assert text.count("23.46") == 1


def test_a_parameter_that_does_not_vary_is_refused():
    with pytest.raises(UserError, match="two values of 'slots'") as caught:
        scaling_text.render(report(rows=scaled_rows()), "slots")

    assert "vcpus" in caught.value.hint
