import asyncio
import errno
import io
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import bundles
import pytest
from starlette.testclient import TestClient

from api import uploads
from api.app import create_app
from api.auth import Caller
from db import measuring
from db.words import Scope
from ingest.bundle import Limits, read_manifest

BUNDLE = {"Content-Type": "application/x-tar"}
TEXT = {"Content-Type": "text/plain"}


def send(client, content, **headers):
    return client.post("/api/v1/uploads", content=content, headers={**BUNDLE, **headers})


def stored(client):
    return client.get("/api/v1/runs").json()["runs"]


def test_an_acknowledged_bundle_is_stored(client, bundle):
    told = send(client, bundle.read_bytes())

    assert told.status_code == 201
    receipt = told.json()
    assert (receipt["stored"], receipt["duplicate"], receipt["quarantined"], receipt["repeated"]) == (8, 0, 0, False)
    assert receipt["upload"] == read_manifest(bundle)["digest"]
    assert {(run["host"], run["boot"], run["revision"]["label"]) for run in stored(client)} == {
        ("bm1", "1", "a"),
        ("bm1", "2", "a"),
        ("bm1", "3", "b"),
        ("bm1", "4", "b"),
    }


def test_the_same_bundle_again_gets_the_same_receipt(client, bundle):
    first, again = (send(client, bundle.read_bytes()) for _ in range(2))
    fetched = client.get(f"/api/v1/uploads/{first.json()['upload']}")

    assert again.status_code == 200
    assert again.json() == {**first.json(), "repeated": True} == fetched.json()
    assert len(stored(client)) == 8


def test_a_receipt_of_nothing_is_404_and_names_the_limit(client):
    told = client.get(f"/api/v1/uploads/{'0' * 64}")

    assert told.status_code == 404
    assert "1073741824 bytes" in told.json()["hint"]


def test_a_compressed_bundle_is_taken(client, tmp_path):
    path = bundles.write(tmp_path / "b.tgz", bundles.output(), compress=True)

    assert send(client, path.read_bytes(), **{"Content-Type": "application/gzip"}).json()["stored"] == 1


@pytest.mark.parametrize("damage", ["cut", "changed", "no tar", "empty"])
def test_a_damaged_bundle_is_refused_and_nothing_is_stored(client, bundle, settings, damage):
    whole = bundle.read_bytes()
    content = {
        "cut": whole[: len(whole) // 2],
        "changed": whole.replace(b"Iteration 2 dirty memory time: 0.02", b"Iteration 2 dirty memory time: 0.01"),
        "no tar": b"hello",
        "empty": b"",
    }[damage]

    told = send(client, content)

    assert told.status_code == 400
    assert set(told.json()) == {"error", "hint"}
    assert "\n" not in told.json()["error"]
    assert str(settings.incoming) not in told.text
    assert stored(client) == []
    assert list(settings.incoming.iterdir()) == []


def test_a_failure_in_the_middle_stores_nothing(client, bundle, settings, monkeypatch):
    def fail(*_words):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(measuring, "add", fail)  # captures, files and runs are written, measurements not
    told = send(client, bundle.read_bytes())
    monkeypatch.undo()

    assert told.status_code == 507
    assert stored(client) == []
    assert list(settings.incoming.iterdir()) == []
    assert send(client, bundle.read_bytes()).json()["stored"] == 8


def test_a_large_body_is_refused_before_and_while_it_is_read(settings, token, bundle):
    small = replace(settings, max_upload_bytes=5000)
    pieces = []

    def body():
        for _ in range(100):
            pieces.append(1)
            yield bytes(1000)

    with TestClient(create_app(small), headers={"Authorization": f"Bearer {token()}"}) as client:
        told = [send(client, bundle.read_bytes()), client.post("/api/v1/uploads", content=body(), headers=BUNDLE)]

    assert [one.status_code for one in told] == [413, 413]
    assert "MiB" in told[0].json()["error"]


def test_an_output_that_is_too_large_alone_is_taken_in_a_bundle(settings, token, tmp_path):
    small = replace(settings, max_output_bytes=100)
    headers = {**TEXT, "Kvmperf-Context": json.dumps({"host": "b", "label": "x"})}
    with TestClient(create_app(small), headers={"Authorization": f"Bearer {token()}"}) as client:
        alone = client.post("/api/v1/uploads", content=bundles.DIRTY_LOG, headers=headers)
        packed = send(client, bundles.write(tmp_path / "b.tar", bundles.output()).read_bytes())

    assert (alone.status_code, packed.status_code) == (413, 201)
    assert "in a bundle" in alone.json()["hint"]
    assert "--max-upload" not in alone.json()["hint"]


def test_larger_uploads_may_be_larger_unpacked(settings):
    assert settings.with_uploads_of(8 << 30).limits.total_bytes == 32 << 30
    assert settings.with_uploads_of(1 << 20).limits.total_bytes == Limits().total_bytes


def test_what_a_killed_server_left_is_removed_at_the_next_start(settings):
    """Only what has our names, and only after a day: another server may be receiving into the same folder."""
    there = {}
    for age_s in (0, 2 * 86_400):
        there[age_s] = [settings.incoming / f"{name}{age_s}{end}" for name, end in NAMES]
        for path in there[age_s]:
            path.write_bytes(b"x") if path.suffix else (path / "s001").mkdir(parents=True)
            os.utime(path, (time.time() - age_s,) * 2)

    create_app(settings)

    assert set(settings.incoming.iterdir()) == {*there[0], there[2 * 86_400][-1]}


NAMES = [("kvmperf-", ".part"), ("kvmperf-unpacked-", ""), ("other-", ".part")]


def test_a_bundle_beyond_the_limits_is_refused(settings, token, bundle):
    strict = replace(settings, limits=Limits(files=3))

    with TestClient(create_app(strict), headers={"Authorization": f"Bearer {token()}"}) as client:
        told = send(client, bundle.read_bytes())

    assert (told.status_code, "more than 3 files" in told.json()["error"]) == (400, True)


def test_a_bundle_with_more_outputs_than_allowed_is_refused(settings, token, bundle):
    strict = replace(settings, limits=Limits(captures=7))
    with TestClient(create_app(strict), headers={"Authorization": f"Bearer {token()}"}) as client:
        told = send(client, bundle.read_bytes())

        assert (told.status_code, told.json()["error"]) == (400, "bundle: more than 7 outputs")
        assert stored(client) == []


def test_a_small_bundle_cannot_have_its_outputs_stored_many_times(client, tmp_path):
    """Each folder of a benchmark of MMTests stands for all of it."""
    files = {f"r/iter-0/b/{n}/log": b"x" for n in range(3)} | {"r/iter-0/tests-timestamp": b"test begin :: b 1\n"}
    parts = [{**bundles.PART, "outputs": f"r/iter-0/b/{n}"} for n in range(3)]

    told = send(client, bundles.write(tmp_path / "many.tar", files, parts).read_bytes())

    assert told.status_code == 400
    assert told.json()["error"] == "bundle: r/iter-0/b/1: the outputs of another part"
    assert stored(client) == []


def test_a_single_output_is_stored_with_its_context(client):
    context = {"host": "bm2", "label": "x", "command": "./dirty_log_perf_test -v 4", "exit_status": 0, "boot_id": "b"}
    headers = {**TEXT, "Kvmperf-Context": json.dumps(context)}

    told = [client.post("/api/v1/uploads", content=bundles.DIRTY_LOG, headers=headers) for _ in range(2)]

    assert [one.status_code for one in told] == [201, 201]
    assert [one.json()["captures"][0]["outcome"] for one in told] == ["stored", "duplicate"]
    (run,) = stored(client)
    assert (run["host"], run["params"]["vcpus"], run["source"]) == ("bm2", 4, "output")


@pytest.mark.parametrize(
    ("context", "says"),
    [
        (json.dumps({"host": "b", "label": "x", "source": ".."}), "source: a file cannot be named so"),
        (json.dumps({"host": "b", "label": "x", "source": "."}), "source: a file cannot be named so"),
        (json.dumps({"host": "b", "label": "x", "source": "é" * 150}), "source: a file cannot be named so"),
        ("", "host"),
        ("{", "JSON"),
        ('{"host": "h", "surprise": 1}', "surprise"),
        ('{"host": "h", "source": "../x"}', "source"),
        ('{"host": "h", "label": "a", "exit_status": 1000}', "exit_status"),
        ('{"host": "h"}', "nothing says what was measured"),
        ('{"host": "h", "series": "s", "version": 1000000000000000000000}', "--version 1000000000000000000000"),
        ('{"host": "h", "series": "s", "version": 1, "patch": "1/100000000000000000000"}', "--patch"),
    ],
)
def test_a_single_output_without_a_sound_context_is_refused(client, context, says):
    told = client.post("/api/v1/uploads", content=b"x", headers={**TEXT, "Kvmperf-Context": context})

    assert told.status_code in (400, 422)
    assert says in told.json()["error"]
    assert stored(client) == []


def test_an_unknown_content_type_is_415(client):
    assert send(client, b"x", **{"Content-Type": "application/json"}).status_code == 415


@pytest.mark.parametrize("pauses", [[60.0], [0.01] * 1000])
def test_an_upload_that_stalls_or_drips_is_ended(settings, pauses):
    """The place is free again after the time, also if a byte comes now and then."""
    desk = uploads._Desk(None, replace(settings, patience_s=0.1))

    class Slow:
        async def stream(self):
            for pause in pauses:
                await asyncio.sleep(pause)
                yield b"x"

    ended = _in_a_loop(desk._read(Slow(), io.BytesIO(), uploads._Most(10_000))).exception()

    assert isinstance(ended, uploads.ApiError)
    assert (ended.status, ended.again_s) == (408, 5)


def test_an_upload_that_is_slow_and_fast_enough_is_taken(settings):
    """Longer than the patience in all, and never behind the slowest rate by more."""
    desk = uploads._Desk(None, replace(settings, patience_s=5.0, slowest_bytes_per_s=1))

    class Steady:
        async def stream(self):
            for _ in range(20):
                await asyncio.sleep(0.01)
                yield b"x" * 100

    assert _in_a_loop(desk._read(Steady(), io.BytesIO(), uploads._Most(10_000))).result() == 2000


def test_one_token_cannot_take_every_place(settings):
    desk = uploads._Desk(None, settings)

    async def hold(prefix, forever):
        async with desk._place(Caller(prefix)):
            await forever.wait()

    async def scene():
        forever = asyncio.Event()
        greedy = [asyncio.create_task(hold("a", forever)) for _ in range(100)]
        await asyncio.sleep(0)
        async with asyncio.timeout(30), desk._place(Caller("b")):
            forever.set()
        await asyncio.gather(*greedy)

    assert _in_a_loop(scene()).exception() is None


def _in_a_loop(work):
    """A loop of its own: a browser test may have left one in this thread."""
    with ThreadPoolExecutor() as thread:
        return thread.submit(asyncio.run, work)


def test_reading_rights_are_no_rights_to_upload(settings, token, bundle):
    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {token(Scope.READ)}"}) as reader:
        told = send(reader, bundle.read_bytes())

    assert told.status_code == 403
    assert "may read, not upload" in told.json()["error"]
