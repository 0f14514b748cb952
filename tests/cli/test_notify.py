"""`kvmperf notify` as a user runs it: what arrives, what is kept, what is said."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
import receivers
import sample_alerts
from receivers import Mailbox

from cli.main import app, report
from db import outbox
from db.engine import connect, reading, writing
from db.errors import UserError


@pytest.fixture
def alerts(tmp_path):
    """The command's database with three alerts of this hour."""
    engine = connect(f"sqlite:///{tmp_path / 'k.db'}", create=True)
    numbers = sample_alerts.fill(engine, at=datetime.now(UTC) - timedelta(minutes=5))
    yield engine, numbers
    engine.dispose()


@pytest.fixture
def inside(tmp_path, monkeypatch, capsys):
    """The command in this process: what it printed on both outputs."""
    monkeypatch.setenv("KVMPERF_DB", f"sqlite:///{tmp_path / 'k.db'}")

    def run(*words, code=0):
        status = 0
        try:
            app([str(word) for word in words], standalone_mode=False)
        except UserError as error:
            report(error)
            status = error.exit_code
        assert status == code
        said = capsys.readouterr()
        return said.out + said.err

    return run


def settings(path, port, more=""):
    lines = (
        'dashboard = "https://perf.example.org"', "[[sink]]", 'name = "list"', 'kind = "mail"', 'server = "127.0.0.1"',
        f"port = {port}", 'tls = "none"', 'sender = "kvmperf <k@example.org>"', 'to = ["kvm@example.org"]',
        "timeout_s = 5", more,
    )  # fmt: skip
    path.write_text("\n".join(lines))
    return path


def counts(engine):
    with reading(engine) as connection:
        return outbox.counts(connection)


def test_alerts_arrive_as_threads_of_mails(kvmperf, alerts, tmp_path):
    engine, (regression, *_) = alerts
    with receivers.smtp(mailbox := Mailbox()) as port:
        config = settings(tmp_path / "notify.toml", port)
        shown = kvmperf("notify", "--config", config, "--dry-run").stdout
        before = counts(engine)
        told = kvmperf("notify", "--config", config).stderr
        with writing(engine) as connection:
            outbox.enqueue(connection, "recovered:1:99", "recovered", {}, at=datetime.now(UTC), group_id=regression)
        kvmperf("notify", "--config", config)
        again = kvmperf("notify", "--config", config).stderr

    first = next(mail for mail in mailbox.mails if "regression of" in mail["Subject"])
    last = mailbox.mails[-1]
    assert shown.count("==> list: opened:") == 3
    assert before == {("", "pending"): 3}
    assert "3 sent, 0 to be sent again, 0 given up" in told
    assert "0 sent" in again
    assert len(mailbox.mails) == len(mailbox.seen) == 4
    assert last["In-Reply-To"] == first["Message-ID"]
    assert last["Subject"] == f"Re: {first['Subject']}"
    assert f"https://perf.example.org/inbox?alert={regression}" in first.get_content()
    assert first.get_content().replace("\r\n", "\n") in shown
    assert max(len(line) for line in first.get_content().splitlines()) <= 72


@pytest.mark.usefixtures("alerts")
def test_what_does_not_arrive_is_kept_shown_and_sent_again(inside, tmp_path):
    config = settings(tmp_path / "notify.toml", receivers.free_port(), 'only = ["opened"]\nbenchmark = "dirty*"\n')
    failed = inside("notify", "--config", config, code=3)
    listed = inside("notify", "outbox")
    rows = [json.loads(line) for line in inside("notify", "outbox", "--json").splitlines()]
    with receivers.smtp(mailbox := Mailbox()) as port:
        settings(tmp_path / "notify.toml", port, 'only = ["opened"]\nbenchmark = "dirty*"\n')
        revived = inside("notify", "outbox", "--retry", "all")
        inside("notify", "--config", config)

    assert "Connection refused" in failed
    assert "kvmperf notify outbox lists it" in failed
    assert "0 dead, 2 pending, 0 sent" in listed
    assert "Connection refused" in listed
    assert [one["state"] for one in rows] == ["pending", "pending"]
    assert "payload" not in rows[0]
    assert revived.startswith("2 due now")
    assert len(mailbox.seen) == 2


def test_retries_are_not_logged_between_what_is_told(kvmperf, tmp_path):
    config = tmp_path / "notify.toml"
    url = f"http://127.0.0.1:{receivers.free_port()}/"
    config.write_text(f'[[sink]]\nname = "chat"\nkind = "webhook"\nurl = "{url}"\n')

    told = kvmperf("notify", "try", "chat", "--config", config, code=3).stderr

    assert "Connection refused" in told
    assert "stamina" not in told


@pytest.mark.usefixtures("alerts")
def test_a_digest_on_demand(inside, tmp_path):
    told = tmp_path / "told.txt"
    config = tmp_path / "notify.toml"
    config.write_text(f'[[sink]]\nname = "log"\nkind = "file"\npath = "{told}"\nwhen = "daily"\n')

    inside("notify", "--config", config, "--digest", "daily")
    refused = inside("notify", "--config", config, "--digest", "weekly", code=1)

    text = told.read_text()
    assert re.search(r"Subject: \[kvmperf\] daily digest [\d-]+: 2 opened, 1 missing", text)
    assert "no sink takes a weekly digest" in refused


@pytest.mark.usefixtures("alerts")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("notify",), "nobody is to be told"),
        (("notify", "--config", "no.toml"), "No such file"),
        (("notify", "outbox", "--retry", "77"), "'77' is no message that waits"),
    ],
)
def test_mistakes_are_told_in_a_line(inside, words, said):
    assert said in inside(*words, code=1)


@pytest.mark.usefixtures("alerts")
def test_a_loop_ends_when_it_is_told_to(tmp_path):
    with receivers.smtp(mailbox := Mailbox()) as port:
        config = settings(tmp_path / "notify.toml", port)
        words = ["notify", "--config", str(config), "--loop", "--every", "1"]
        environment = {**os.environ, "KVMPERF_DB": f"sqlite:///{tmp_path / 'k.db'}"}
        child = subprocess.Popen(
            [sys.executable, "-m", "cli", *words], env=environment, stderr=subprocess.PIPE, text=True
        )
        end = time.monotonic() + 60
        while len(mailbox.seen) < 3 and time.monotonic() < end:
            time.sleep(0.1)
        child.send_signal(signal.SIGTERM)
        _, said = child.communicate(timeout=30)

    assert child.returncode == 0
    assert len(mailbox.mails) == 3
    assert "3 sent" in said
