import json

import pytest


def test_a_token_is_made_listed_and_revoked(kvmperf):
    kvmperf("db", "upgrade")
    made = kvmperf("token", "create", "bench1", "--scope", "upload", "--scope", "read", "--expires", "30d")
    token = made.stdout.strip()
    listed = kvmperf("token", "list", "--json")
    kvmperf("token", "revoke", "bench1")
    after = kvmperf("token", "list")
    kvmperf("token", "create", "bench2")

    (row,) = map(json.loads, listed.stdout.splitlines())
    assert token.startswith(f"kvmperf_{row['prefix']}_")
    assert (row["name"], row["scopes"], row["state"]) == ("bench1", ["read", "upload"], "active")
    assert token not in listed.stdout + after.stdout + made.stderr
    assert "revoked" in after.stdout
    assert f" until {row['expires_at'][:10]} " in after.stdout
    assert " without end " in kvmperf("token", "list").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("create", "x", "--expires", "soon"),
        ("create", "x", "--expires", "2020-01-01"),
        ("create", "x", "--expires", "0d"),
        ("create", "a\nb"),
        ("revoke", "nobody"),
    ],
)
def test_bad_input_is_one_line(kvmperf, words):
    kvmperf("db", "upgrade")

    assert "hint:" in kvmperf("token", *words, code=1).stderr


def test_a_token_says_which_database_knows_it(kvmperf, tmp_path):
    kvmperf("db", "upgrade", "--db", tmp_path / "team.db")

    made = kvmperf("token", "create", "bench1", "--db", tmp_path / "team.db")

    assert f"stored in {tmp_path / 'team.db'}" in made.stderr


def test_no_database_is_made_for_a_token(kvmperf, tmp_path):
    refused = kvmperf("token", "create", "bench1", "--db", tmp_path / "mistyped.db", code=1)

    assert "no database here" in refused.stderr
    assert "KVMPERF_DB names another" in refused.stderr
    assert not refused.stdout
    assert not (tmp_path / "mistyped.db").exists()
