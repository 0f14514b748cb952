import sqlite3

import bundles
import pytest

FACTS = b'{"format": "kvmperf-facts", "version": 1, "hostname": "bm7", "kernel_release": "6.12.0", "boot_id": "%s"}'


@pytest.fixture
def bundle(tmp_path):
    """Two sessions: two boots of one host, one run each."""
    files = {}
    parts = []
    for number, boot in ((1, b"boot-one"), (2, b"boot-two")):
        session = f"s00{number}"
        files |= {name.replace("s001", session): content for name, content in bundles.output(number).items()}
        files[f"{session}/facts.json"] = FACTS % boot
        parts.append({"outputs": session, "facts": f"{session}/facts.json", "context": {"tags": ["note=x"]}})
    return bundles.write(tmp_path / "b.tar", files, parts)


def rows(tmp_path, query):
    return sqlite3.connect(tmp_path / "k.db").execute(query).fetchall()


def test_each_run_of_a_bundle_has_its_own_boot_and_facts(kvmperf, tmp_path, bundle):
    kvmperf("upload", bundle)

    found = rows(
        tmp_path,
        "SELECT h.name, b.boot_id, r.kernel, c.tags FROM capture c JOIN host h ON h.id = c.host_id"
        " JOIN boot b ON b.id = c.boot_id JOIN revision r ON r.id = c.revision_id ORDER BY c.id",
    )
    assert found == [
        ("bm7", "boot-one", "6.12.0", '{"note": "x"}'),
        ("bm7", "boot-two", "6.12.0", '{"note": "x"}'),
    ]
    again = kvmperf("upload", bundle)
    assert "0 stored" in again.stderr


def test_options_go_before_what_the_bundle_says(kvmperf, tmp_path, bundle):
    kvmperf("upload", bundle, "--label", "v2", "--host", "renamed")

    assert rows(tmp_path, "SELECT name FROM host") == [("renamed",)]
    assert rows(tmp_path, "SELECT DISTINCT label, kernel FROM revision") == [("v2", "6.12.0")]


def test_a_changed_bundle_stores_nothing_and_names_the_file(kvmperf, tmp_path, bundle):
    bundle.write_bytes(
        bundle.read_bytes().replace(b"Iteration 2 dirty memory time: 0.02", b"Iteration 2 dirty memory time: 0.01")
    )

    done = kvmperf("upload", bundle, code=1)

    assert "b.tar: s001/dlp-1/001.out: its SHA-256 is not the one in the manifest" in done.stderr
    assert "hint:" in done.stderr
    assert rows(tmp_path, "SELECT count(*) FROM capture") == [(0,)]


def test_the_collector_is_built_and_its_bundle_is_taken(kvmperf, tmp_path):
    import subprocess
    import sys

    kvmperf("collector", "build", tmp_path)
    script = tmp_path / "dirty_log_perf_test"
    script.write_bytes(b"#!/bin/sh\ncat <<'X'\n" + bundles.DIRTY_LOG + b"X\n")
    script.chmod(0o755)
    command = [sys.executable, "kvmperf-collect.pyz", "-n", "2", "-o", "out", "--label", "a", "--", "./" + script.name]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    done = kvmperf("upload", tmp_path / "out.tar")

    assert "2 stored" in done.stderr


def test_parse_says_of_a_bundle_what_reads_it(kvmperf, bundle):
    said = kvmperf("parse", bundle, code=1).stderr

    assert said.startswith(f"kvmperf: {bundle}: a bundle of outputs, and no output\n  hint: `tar -xf {bundle}`")
    assert "`kvmperf upload` reads bundles" in said
