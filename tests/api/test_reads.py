import hashlib

import bundles
import pytest


@pytest.fixture
def filled(client, bundle):
    client.post("/api/v1/uploads", content=bundle.read_bytes(), headers={"Content-Type": "application/x-tar"})
    return client


def test_runs_come_in_pages(filled):
    seen = []
    after = 0
    while after is not None:
        page = filled.get(f"/api/v1/runs?limit=3&after={after}").json()
        seen += [run["id"] for run in page["runs"]]
        after = page["next"]

    assert seen == sorted(set(seen))
    assert len(seen) == 8


@pytest.mark.parametrize(
    ("query", "runs"),
    [
        ("revision=a", 4),
        ("boot=3", 2),
        ("benchmark=dirty_log_perf_test", 8),
        ("benchmark=kvm-selftests/dirty_log_perf_test", 8),
        ("benchmark=log_perf_test", 0),
        ("host=bm2", 0),
        ("status=fail", 0),
        ("status=pass&since=1970-01-01T00:20:00Z", 0),
        ("since=1970-01-01T00:17:10%2B00:00", 4),
    ],
)
def test_runs_are_filtered(filled, query, runs):
    assert len(filled.get(f"/api/v1/runs?{query}").json()["runs"]) == runs


def test_a_run_comes_with_its_values_and_raw_files(filled):
    first = filled.get("/api/v1/runs?limit=1").json()["runs"][0]
    run = filled.get(f"/api/v1/runs/{first['id']}").json()
    raw = filled.get(f"/api/v1/artifacts/{run['files']['stdout']}")

    values = {one["metric"]: one["values"] for one in run["measurements"]}
    assert values["dirty_memory_time.round2"] == [0.02]
    assert run["command"] == "./dirty_log_perf_test -v 1"
    assert raw.content == bundles.DIRTY_LOG
    assert hashlib.sha256(raw.content).hexdigest() == run["files"]["stdout"]
    assert raw.headers["content-disposition"] == "attachment"


@pytest.mark.parametrize("path", ["/api/v1/runs/999", f"/api/v1/artifacts/{'0' * 64}"])
def test_what_is_not_there_is_404(filled, path):
    assert filled.get(path).status_code == 404


def test_a_comparison_has_the_rows_of_the_command_line(filled):
    told = filled.get("/api/v1/comparisons?base=a&head=b&metric=dirty_memory_time*").json()

    assert (told["base"]["name"], [one["name"] for one in told["heads"]]) == ("a", ["b"])
    assert sum(told["verdicts"].values()) == len(told["rows"]) == 2
    row = next(one for one in told["rows"] if one["metric"].endswith("round2"))
    assert {"benchmark", "params", "metric", "unit", "better", "verdict", "effect", "ci", "p", "q", "n", "why"} <= set(
        row
    )
    assert row["effect"] == pytest.approx(5)


@pytest.mark.parametrize("query", ["base=a&head=a", "base=a&head=b&host=nowhere", "base=a&head=b&unit=iteration"])
def test_a_comparison_of_nothing_says_why(filled, query):
    told = filled.get(f"/api/v1/comparisons?{query}")

    assert told.status_code == 400
    assert told.json()["hint"]


def test_series_trends_and_revisions(filled):
    series = filled.get("/api/v1/time-series?metric=dirty_memory_time*").json()["time_series"]
    points = filled.get("/api/v1/trends?metric=dirty_memory_time.round2").json()["points"]
    revisions = filled.get("/api/v1/revisions").json()["revisions"]

    assert [one["metric"] for one in series] == ["dirty_memory_time.round1", "dirty_memory_time.round2"]
    assert {point["revision"]: point["value"] for point in points} == pytest.approx({"a": 0.02, "b": 0.12})
    assert points[0]["params"]["vcpus"] == 1
    assert sorted(one["name"] for one in revisions) == ["a", "b"]


def test_patch_series_are_listed_with_their_states(client, tmp_path):
    parts = [
        {
            "outputs": f"s{k:03d}",
            "facts": "",
            "context": {"host": "h", "series": "mmu", "version": 2, "patch": f"{k}/2"},
        }
        for k in (0, 2)
    ]
    files = {}
    for k in (0, 2):
        files |= {name.replace("s001", f"s{k:03d}"): content for name, content in bundles.output(k).items()}
    path = bundles.write(tmp_path / "p.tar", files, parts)
    client.post("/api/v1/uploads", content=path.read_bytes(), headers={"Content-Type": "application/x-tar"})

    (found,) = client.get("/api/v1/patch-series").json()["patch_series"]

    assert (found["series"], [one["version"] for one in found["versions"]]) == ("mmu", [2])
    assert [one["name"] for one in found["versions"][0]["revisions"]] == ["mmu@v2~base", "mmu@v2/2"]
