import pyarrow as pa


def _drawn(app):
    """The metrics of the figure of noise."""
    marks = pa.ipc.open_stream(app.get("vega_lite_chart")[0].proto.data.data).read_pandas()
    return set(marks["metric"])


def _table(app, column):
    return next(table.value for table in app.dataframe if column in table.value)


def test_every_host_says_when_it_last_spoke(open_page, databases, words):
    app = open_page(databases.sample, "hosts")

    assert not app.exception
    listed = _table(app, "last upload")
    assert listed["host"].tolist() == ["<h1>host</h1>", "bm3", "bm4", "bm9"]
    assert listed["last upload"].str.startswith("⚠ silent: ").all()
    assert "4 silent for more than 5 days" in words(app)
    assert listed.set_index("host").loc["bm4", "boots"] == 12


def test_changes_of_state_are_told_field_by_field_newest_first(open_page, databases, words):
    app = open_page(databases.sample, "hosts", host="bm3")

    changes = _table(app, "before")
    assert changes[["field", "before", "after"]].to_numpy().tolist() == [
        ["thp.enabled", "always", "madvise"],
        ["kvm.eager_page_split", "N", "Y"],
        ["thp.enabled", "madvise", "always"],
        ["kvm.eager_page_split", "Y", "N"],
    ]
    assert "3 states, 3 changes of state" in words(app)


def test_noise_is_told_by_level_with_the_change_that_would_show(open_page, databases, words):
    app = open_page(databases.sample, "hosts", host="bm4")

    noise = _table(app, "between boots")
    assert len(noise) == 12
    assert noise["between boots"].str.match(r"[\d.]+% \[[\d.]+%, [\d.]+%\]").all()
    assert "On bm4, 2 % at 4 boots of 3 runs a side is noise in " in words(app)
    assert noise["n"].iloc[0] == "12 boots, 36 runs, 180 values"


def test_a_figure_of_more_metrics_than_a_screen_shows_says_so(open_page, databases, words, monkeypatch):
    assert "are drawn" not in words(open_page(databases.sample, "hosts", host="bm4"))
    monkeypatch.setattr("dashboard.views.hosts._DRAWN", 5)

    app = open_page(databases.sample, "hosts", host="bm4")

    assert "The first 5 of 12 metrics are drawn; the table has all of them." in words(app)
    assert len(_drawn(app)) == 5


def test_a_host_without_measurements_says_so(open_page, databases, words):
    app = open_page(databases.failures, "hosts", host="bm3")

    assert not app.exception
    assert "Nothing was measured here yet." in words(app)


def test_an_unknown_host_in_a_link_is_an_error(open_page, databases):
    app = open_page(databases.sample, "hosts", host="no such host")

    assert not app.exception
    assert "no host of this name" in app.error[0].value


def test_hostile_states_are_text(open_page, databases, unfold):
    app = unfold(open_page(databases.sample, "hosts", host="<h1>host</h1>"), "newest state")

    assert not app.exception
    assert all("<" not in element.value.replace("\\<", "") for element in (*app.markdown, *app.caption))
    assert _table(app, "value")["value"].str.startswith("<b>").all()
