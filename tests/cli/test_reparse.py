import json
import sqlite3

import bundles


def test_reparse_shows_and_stores_what_changed(kvmperf, tmp_path):
    path = bundles.write(tmp_path / "b.tar", bundles.output())
    kvmperf("upload", path)
    with sqlite3.connect(tmp_path / "k.db") as database:
        database.execute("UPDATE run SET status = 'fail'")
        database.execute("UPDATE capture SET parsed_with = 'older'")

    shown = kvmperf("reparse", "--dry-run", "--json")
    stored = kvmperf("reparse")
    again = kvmperf("reparse")

    assert json.loads(shown.stdout)["details"] == ["status fail -> pass"]
    assert stored.stdout == "changed    dlp-1/001.out (capture 1)\n  status fail -> pass\n"
    assert "1 changed, 0 readable, 0 unreadable, 0 unchanged" in stored.stderr
    assert "0 changed" in again.stderr
    assert "hint:" in kvmperf("reparse", "--since", "yesterday", code=1).stderr
    assert "hint:" in kvmperf("reparse", "--format", "nonsense", code=1).stderr
