import json

SERIES = "mmu-lockless"


def _table(app, column):
    return next(table.value for table in app.dataframe if column in table.value)


def _figures(app):
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_the_patch_that_did_it_is_named(open_page, databases, words):
    app = open_page(databases.sample, "series")

    assert not app.exception
    metrics = _table(app, "done by")
    assert set(metrics["metric"]) == {"dirty_memory_time"}
    assert set(metrics["done by"]) == {"patch 4"}
    assert "12 metrics: 3 with a patch that did it" in words(app)


def test_the_waterfall_steps_at_the_culprit(open_page, databases):
    app = open_page(databases.sample, "series")

    _, waterfall = _figures(app)
    effects = dict(zip(waterfall["data"][0]["x"], waterfall["data"][0]["y"], strict=True))
    whole = effects.pop("all")
    assert max(effects, key=lambda k: effects[k]) == "4"
    assert whole > 20
    assert [(one["x"], one["text"].split()[0]) for one in waterfall["layout"]["annotations"]] == [(3, "culprit")]
    assert _table(app, "P(it did it)")["patch"].tolist() == [*range(1, 7)]


def test_metrics_without_a_named_patch_are_hidden_counted_and_one_click_away(open_page, databases):
    app = open_page(databases.sample, "series")
    toggle = next(one for one in app.toggle if "without a named patch" in one.label)
    assert toggle.label == "Also the 9 without a named patch"

    toggle.set_value(True).run()

    assert len(_table(app, "done by")) == 12
    assert app.query_params["everything"] in ("1", ["1"])


def test_a_chosen_metric_is_in_the_url_and_open(open_page, databases):
    whole = open_page(databases.sample, "series", series=SERIES, everything="1", metric="clear_dirty")
    assert set(_table(whole, "done by")["metric"]) == {"clear_dirty_log_time"}

    app = open_page(databases.sample, "series", series=SERIES, everything="1", row="2")

    assert "clear\\_dirty\\_log\\_time" in "".join(element.value for element in app.markdown)


def test_versions_stand_with_what_was_measured(open_page, databases):
    versions = _table(open_page(databases.sample, "series"), "states measured")

    assert versions["version"].tolist() == ["v2"]
    assert versions["states measured"].tolist() == ["base, 6 patches"]
    assert versions["patches"].tolist() == [6]


def test_the_text_is_what_the_command_line_prints(open_page, databases, unfold):
    app = unfold(open_page(databases.sample, "series"), "exports")

    text = next(code.value for code in app.code if "== v2" in code.value)
    assert all(len(line) <= 72 for line in text.splitlines())
    assert len(app.get("download_button")) == 2


def test_without_a_series_the_page_says_how_to_register_one(open_page, databases, words):
    app = open_page(databases.failures, "series")

    assert not app.exception
    assert "kvmperf series add" in words(app)


def test_an_unknown_series_in_a_link_falls_back_to_one_that_is_there(open_page, databases):
    app = open_page(databases.sample, "series", series="no such series", version="9")

    assert not app.exception
    assert app.selectbox[0].value == SERIES
