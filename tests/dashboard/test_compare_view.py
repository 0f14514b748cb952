import numpy as np
import pytest
import sample_databases

from db.engine import connect, writing
from db.values import CaptureContext, NewCapture, RevisionFacts
from db.writes import Writer

PAIR = {"base": "split-on", "head": "split-off"}
JUDGED = {**PAIR, "vary": "kvm.eager_page_split"}


def _table(app):
    return next(table.value for table in app.dataframe if "verdict" in table.value)


def _asked(app, name):
    value = app.query_params[name]
    return [value] if isinstance(value, str) else list(value)


def _button(app, label):
    return next(button for button in app.button if label in button.label)


def test_the_default_view_compares_the_newest_pair(open_page, databases):
    app = open_page(databases.sample, "compare")

    assert not app.exception
    assert app.selectbox[0].value == "split-off"
    assert app.multiselect[0].value == ["split-on-again"]


def test_hosts_that_differ_are_named_and_one_click_declares_them(open_page, databases, words):
    app = open_page(databases.sample, "compare", **PAIR)
    assert "kvm\\.eager\\_page\\_split" in app.warning[0].value
    assert "Judged 0 of 24" in words(app)

    _button(app, "This is what I compare").click().run()

    assert not app.warning
    assert _asked(app, "vary") == ["kvm.eager_page_split"]
    assert "Judged 24 of 24" in words(app)


def test_rows_without_a_change_are_hidden_counted_and_one_click_away(open_page, databases, words):
    app = open_page(databases.sample, "compare", **JUDGED)
    shown = _table(app)
    assert set(shown["verdict"]) == {"! regression", "+ improvement"}
    assert f"{24 - len(shown)} rows are hidden: " in words(app)

    _button(app, "Show everything").click().run()

    assert len(_table(app)) == 24
    assert _asked(app, "show") == ["everything"]


@pytest.mark.parametrize(("show", "verdict"), [("regressions", "! regression"), ("improvements", "+ improvement")])
def test_one_kind_of_change_can_be_asked_for(open_page, databases, show, verdict):
    app = open_page(databases.sample, "compare", **JUDGED, show=show)

    assert set(_table(app)["verdict"]) == {verdict}


def test_rows_sort_by_size_of_the_effect(open_page, databases):
    app = open_page(databases.sample, "compare", **JUDGED, show="everything", sort="size")

    sizes = _table(app)["change"].abs().tolist()
    assert sizes == sorted(sizes, reverse=True)


def test_every_number_carries_unit_direction_n_and_interval(open_page, databases):
    app = open_page(databases.sample, "compare", **JUDGED, metric="dirty_memory_time", host="bm3")

    row = _table(app).iloc[0]
    assert row["base"].endswith(" ms")
    assert row["direction"] == "lower is better"
    assert row["n base"] == "4 boots, 12 runs, 60 values"
    assert row["95% CI of change"].startswith("[+")
    assert row["why"]


def test_a_chosen_row_shows_why_values_history_and_scaling(open_page, databases, words):
    app = open_page(databases.sample, "compare", **JUDGED, row="1")

    assert not app.exception
    assert "Why: " in words(app)
    assert len(app.get("plotly_chart")) == 3
    assert "Base: 4 boots, 12 runs, 60 values." in words(app)


def test_a_scaling_curve_needs_two_values_of_its_parameter_at_the_revisions_compared(open_page, tmp_path):
    with writing(connect(sample_databases.build(tmp_path / "s.db"))) as connection:
        writer = Writer(connection, origin="test", now=sample_databases.EPOCH)
        for number, label in enumerate(("one-a", "one-b")):
            context = CaptureContext("bm3", RevisionFacts(label=label), boot_id=label)
            run = sample_databases._run(np.random.default_rng(number), context.revision, 2, 1.0)
            writer.store(context, NewCapture(label, {"stdout": label.encode()}, "./dlp", 0, runs=(run,)))

    app = open_page(f"sqlite:///{tmp_path}/s.db", "compare", base="one-a", head="one-b", show="everything", row="5")

    assert not app.exception
    assert len(app.get("plotly_chart")) == 2


def test_several_heads_stand_in_one_table(open_page, databases):
    app = open_page(
        databases.sample, "compare", base="split-on", head=["split-off", "split-on-again"], show="everything"
    )

    assert set(_table(app)["against base"]) == {"split-off", "split-on-again"}


def test_what_was_not_compared_is_listed(open_page, databases):
    app = open_page(databases.sample, "compare", **JUDGED)

    absent = next(table.value for table in app.dataframe if "what" in table.value)
    assert "failed" in absent["what"].tolist()


def test_a_change_of_the_pickers_is_written_to_the_url(open_page, databases):
    app = open_page(databases.sample, "compare", **PAIR)

    app.multiselect[0].set_value(["split-on-again"]).run()

    assert _asked(app, "base") == ["split-on"]
    assert _asked(app, "head") == ["split-on-again"]


def test_an_unknown_revision_in_a_link_is_an_error_with_candidates(open_page, databases):
    app = open_page(databases.sample, "compare", base="split-onn", head="split-off")

    assert not app.exception
    assert "split\\-onn" in app.error[0].value
    assert app.selectbox[0].value is None


def test_a_link_may_use_any_name_of_a_revision(open_page, databases):
    app = open_page(databases.sample, "compare", base="mmu-lockless@v2~base", head="mmu-lockless@v2")

    assert app.multiselect[0].value == ["mmu-lockless@v2/6"]


def test_the_text_for_a_cover_letter_is_what_the_command_line_prints(open_page, databases, unfold):
    app = unfold(open_page(databases.sample, "compare", **JUDGED), "exports")

    letter = next(code.value for code in app.code if "95% CI" in code.value)
    assert all(len(line) <= 72 for line in letter.splitlines())
    assert letter.isascii()
    assert len(app.get("download_button")) == 5


def test_hostile_names_are_shown_as_text(open_page, databases, words):
    app = open_page(
        databases.sample,
        "compare",
        base=databases.hostile,
        head=f"{databases.hostile} 2",
        show="everything",
        vary="microcode",
    )
    series = _table(app)
    assert not app.exception

    app = open_page(
        databases.sample, "compare", base=databases.hostile, head=f"{databases.hostile} 2", vary="microcode", row="25"
    )

    assert not app.exception
    assert series["metric"].tolist() == ["<i>time</i>*[a-z]*"]
    assert all("<script>" not in element.value for element in app.markdown)
    assert all("<" not in element.value.replace("\\<", "") for element in (*app.markdown, *app.caption, *app.warning))
    assert max(len(line) for line in words(app).splitlines()) < 5000
