import json
from pathlib import Path

import pytest

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo" / "eager-split"


def upload(kvmperf, label, boot, tests=("",)):
    folder = DEMO / label / boot
    for test in tests:
        kvmperf(
            "upload",
            folder / test,
            "--label",
            label,
            "--boot-id",
            boot,
            "--host",
            "lab",
            "--host-facts",
            folder / "host.json",
        )


def compared(kvmperf, *words):
    return [json.loads(line) for line in kvmperf("compare", *words, "--json").stdout.splitlines()]


@pytest.fixture(scope="session")
def lab_database(tmp_path_factory, make_kvmperf):
    path = tmp_path_factory.mktemp("lab") / "lab.db"
    for label in ("split-on", "split-off"):
        upload(make_kvmperf(path), label, "ic-il2")
    return path


@pytest.fixture
def lab(lab_database, make_kvmperf):
    """The command on a database with eager splitting on and off, read only by convention."""
    return make_kvmperf(lab_database)


VARY = ("--vary", "kvm.eager_page_split")


def test_the_effects_of_eager_splitting_are_found(lab):
    rows = {
        (row["params"]["manual_protect"], row["metric"]): row
        for row in compared(lab, "split-on", "split-off", *VARY, "--benchmark", "dirty_log_perf_test")
        if row["params"]["backing_src"] == "anonymous_thp"
    }

    clear, dirty = rows[True, "clear_dirty_log_time.round1"], rows[True, "dirty_memory_time.round2"]
    assert (clear["verdict"], dirty["verdict"]) == ("improvement", "regression")
    assert clear["effect"] < -0.9
    assert dirty["effect"] == pytest.approx(0.64, abs=0.03)
    assert rows[False, "dirty_memory_time.round1"]["verdict"] == "regression"


def test_boots_of_one_side_do_not_make_hosts_differ(kvmperf):
    """A boot with more CPUs that only base was measured in is left out, with a word, and forbids nothing."""
    upload(kvmperf, "split-on", "mt-il2", ("dlp-thp",))
    upload(kvmperf, "split-on", "ic-il2", ("dlp-thp",))
    upload(kvmperf, "split-off", "ic-il2", ("dlp-thp",))

    rows = compared(kvmperf, "split-on", "split-off", *VARY)

    assert {"regression", "improvement"} <= {row["verdict"] for row in rows}
    assert "not comparable" not in {row["verdict"] for row in rows}
    assert all(any("left out" in text for text in row["warnings"]) for row in rows if row["design"] == "blocked")


def test_json_has_the_promised_fields(lab):
    row = compared(lab, "split-on", "split-off", *VARY)[0]

    assert {
        "benchmark",
        "params",
        "metric",
        "unit",
        "better",
        "verdict",
        "effect",
        "ci",
        "p",
        "q",
        "n",
        "why",
    } <= row.keys()


def test_without_vary_the_host_states_forbid_a_claim(lab):
    rows = compared(lab, "split-on", "split-off")

    assert {row["verdict"] for row in rows} == {"inconclusive"}
    assert all("kvm.eager_page_split Y -> N" in row["why"] for row in rows)


def test_fail_on_regression_is_4(lab):
    lab("compare", "split-on", "split-off", *VARY, "--fail-on", "regression", code=4)
    lab("compare", "split-off", "split-on", *VARY, "--metric", "enable*", "--fail-on", "regression", code=4)
    lab("compare", "split-on", "split-off", *VARY, "--metric", "populate*", "--fail-on", "regression")


@pytest.mark.parametrize("layout", ["text", "mail", "tested-by"])
@pytest.mark.parametrize(("metric", "code", "failures"), [("dirty_memory*", 4, True), ("populate*", 0, False)])
def test_every_format_writes_junit_and_leaves_the_exit_status_to_the_gate(
    lab, tmp_path, layout, metric, code, failures
):
    words = ("compare", "split-on", "split-off", *VARY, "--metric", metric, "--format", layout, "--tester", "A <a@b.c>")

    lab(*words, "--fail-on", "regression", "--junit", tmp_path / "junit.xml", code=code)

    assert ("<failure" in (tmp_path / "junit.xml").read_text()) is failures


def test_nothing_to_mail_is_said_on_stderr(lab):
    words = ("compare", "split-on", "split-off", *VARY, "--metric", "populate*", "--format", "mail")

    gated = lab(*words, "--fail-on", "regression")

    assert (gated.stdout, gated.stderr.splitlines()[0]) == ("", lab(*words, code=1).stderr.splitlines()[0])


def test_a_file_is_judged_and_what_says_nothing_to_it_is_refused(kvmperf, tmp_path):
    rows = [
        f"t,{side},b{boot}{side},{level + 0.01 * boot}"
        for side, level in (("base", 1), ("head", 2))
        for boot in range(4)
    ]
    (tmp_path / "two.csv").write_text("\n".join(["metric,side,boot,value", *rows]))
    words = ("compare", "--csv", tmp_path / "two.csv")

    assert kvmperf(*words, "--json", "--fail-on", "regression", code=4).stdout == kvmperf(*words).stdout
    for more in (("a", "b"), ("--junit", "j.xml"), ("--format", "text"), ("--metric", "t"), ("--all",)):
        refused = kvmperf(*words, *more, code=2)
        assert "does not go with --csv" in " ".join(refused.stderr.split())
        assert refused.stdout == ""


def test_text_fits_a_mail(lab):
    for words in ((), ("--all",)):
        text = lab("compare", "split-on", "split-off", *VARY, *words).stdout

        assert text.isascii()
        assert max(map(len, text.splitlines())) <= 72


def test_an_a_a_pair_on_a_noisy_host_flags_nothing(kvmperf):
    for label in ("split-on", "split-on-again"):
        upload(kvmperf, label, "mt-il2")

    rows = compared(kvmperf, "split-on", "split-on-again")

    assert {row["verdict"] for row in rows} <= {"inconclusive", "equivalent"}


def test_two_boots_of_one_configuration_are_inconclusive(kvmperf):
    """Whatever the load did to one of them: one boot a side says nothing about boots."""
    folder = DEMO / "split-on" / "ic-il2"
    facts = ("--host", "lab", "--host-facts", folder / "host.json")
    kvmperf("upload", folder / "dpt", "--label", "quiet", "--boot-id", "one", *facts)
    kvmperf("upload", DEMO / "split-on" / "mt-il2" / "dpt", "--label", "busy", "--boot-id", "two", *facts)

    rows = compared(kvmperf, "quiet", "busy")

    assert {row["verdict"] for row in rows} == {"inconclusive"}
    assert all(row["ci"] is None or row["interval_scope"] for row in rows)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("split-on", "nope"), "'nope': no revision of this name"),
        (("split-on", "split-on"), "are the same revision"),
        (("split-on", "split-off", "--metric", "nothing*"), "no measurements"),
        (("split-on", "split-off", "--host", "lib"), "'lib': no host of this name"),
        (("split-on", "split-off", "--vary", "kvm.eager_page_spilt"), "--vary kvm.eager_page_spilt: no stored host"),
    ],
)
def test_bad_names_and_filters_are_one_line_with_a_hint(lab, words, says):
    done = lab("compare", *words, code=1)

    assert says in done.stderr.splitlines()[0]
    assert "hint:" in done.stderr


def test_a_field_that_no_host_has_is_told_with_the_nearest(lab):
    done = lab("compare", "split-on", "split-off", "--vary", "kvm.eager_page_spilt", code=1)

    assert "hint: known: kvm.eager_page_split" in done.stderr


def test_a_missing_database_is_named(kvmperf, tmp_path):
    done = kvmperf("compare", "a", "b", "--db", f"sqlite:///{tmp_path / 'absent.db'}", code=1)

    assert "absent.db: no database here" in done.stderr


@pytest.mark.parametrize("layout", ["markdown", "csv", "html", "json", "text"])
def test_every_layout_prints_every_row(lab, layout):
    printed = lab("compare", "split-on", "split-off", *VARY, "--format", layout, "--all").stdout

    assert printed.replace("\\", "").count("dirty_memory_time.round2") >= 3
