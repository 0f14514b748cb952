import json

BENCHMARK = "kvm-selftests/dirty_log_perf_test"
ONE = {"benchmark": BENCHMARK, "case": "backing_src=anonymous_thp vcpus=1", "metric": "dirty_memory_time"}


def _figure(app):
    return json.loads(app.get("plotly_chart")[0].proto.spec)


def test_a_bare_address_shows_a_plot_that_can_be_read(open_page, databases):
    app = open_page(databases.sample, "trends")

    assert not app.exception
    named = [trace["name"] for trace in _figure(app)["data"] if trace.get("hovertemplate") and "meta" in trace]
    assert 1 <= len(named) <= 6


def test_revisions_stand_in_their_order(open_page, databases):
    app = open_page(databases.sample, "trends", **ONE, host="bm3")

    order = _figure(app)["layout"]["xaxis"]["categoryarray"]
    assert order == [
        "mmu-lockless@v2~base",
        *(f"mmu-lockless@v2/{k}" for k in range(1, 7)),
        "split-on",
        "split-off",
        "split-on-again",
    ]


def test_relative_levels_are_one_at_the_reference(open_page, databases):
    app = open_page(databases.sample, "trends", **ONE, host="bm3", relative="split-on")

    assert "relative to split-on" in json.dumps(_figure(app)["layout"])
    assert not app.exception


def test_a_text_and_a_range_narrow_the_revisions(open_page, databases):
    app = open_page(databases.sample, "trends", **ONE, revision="lockless", end="mmu-lockless@v2/3")

    assert _figure(app)["layout"]["xaxis"]["categoryarray"] == [
        "mmu-lockless@v2~base",
        *(f"mmu-lockless@v2/{k}" for k in (1, 2, 3)),
    ]


def test_no_revision_left_says_what_to_do(open_page, databases, words):
    app = open_page(databases.sample, "trends", **ONE, revision="no such text")

    assert not app.exception
    assert "Widen the range" in words(app)


def test_host_changes_are_marked_with_their_fields(open_page, databases):
    app = open_page(databases.sample, "trends", **ONE, host="bm3")

    assert "kvm.eager_page_split Y → N" in json.dumps(_figure(app), ensure_ascii=False)


def test_single_runs_are_drawn_on_demand(open_page, databases):
    plain = open_page(databases.sample, "trends", **ONE, host="bm3")
    app = open_page(databases.sample, "trends", **ONE, host="bm3", raw="1")

    assert len(_figure(app)["data"]) == len(_figure(plain)["data"]) + 1


def test_the_table_has_every_point(open_page, databases, unfold):
    app = unfold(open_page(databases.sample, "trends", **ONE, host="bm3"), "levels")

    assert len(app.dataframe[0].value) == 10


def test_another_benchmark_starts_with_a_readable_choice(open_page, databases):
    app = open_page(databases.sample, "trends", **ONE, host="bm3")

    app.selectbox[0].set_value("suite/<img src=x onerror=alert(1)>").run()

    assert not app.exception
    assert next(one.value for one in app.multiselect if one.label == "Test cases") == ["<b>p</b>=**v**"]


def test_hostile_names_reach_the_figure_escaped(open_page, databases):
    app = open_page(databases.sample, "trends", benchmark="suite/<img src=x onerror=alert(1)>")

    spec = json.dumps(_figure(app))
    assert "<script>" not in spec
    assert "<img" not in spec
    assert "<i>time" not in spec
