"""From measurements to mails: an alert is found, told, recovers, and that is told in the same thread."""

import nightly
import receivers
from receivers import Mailbox

from alerts.notices import sending
from alerts.notices.settings import Choice, MailSink, Settings
from alerts.notices.telling import teller
from alerts.sweep import sweep
from alerts.triage import Action, Said, triage
from alerts.why import why
from db.engine import writing

UP, BACK, END = 24, 32, 42


def measured(engine, days):
    lines = {
        host: nightly.levels(END, seed, noise=0.003, steps=((UP, 0.1), (BACK, 1 / 1.1 - 1)))
        for seed, host in enumerate(("bm1", "bm2"))
    }
    for day in days:
        nightly.store(engine, day, {(host, "b"): {"time": lines[host][day]} for host in lines})


def told(engine, sink, day):
    """Judge and tell on the evening of a day."""
    now = nightly.at(day)
    sweep(engine, now=now)
    settings = Settings((sink,), "https://perf.example.org")
    sending.hand_over(engine, settings, teller(settings.dashboard, why, now), now)
    sending.send_due(engine, settings, clock=lambda: now)


def test_a_regression_is_told_and_its_recovery_answers(engine):
    with receivers.smtp(mailbox := Mailbox()) as port:
        sink = MailSink("list", Choice(), 10, "127.0.0.1", port, "none", "kvmperf <k@example.org>", ("l@example.org",))
        measured(engine, range(UP + 6))
        told(engine, sink, UP + 5)
        told(engine, sink, UP + 5)
        after_once = len(mailbox.mails)
        measured(engine, range(UP + 6, END))
        told(engine, sink, END - 1)

    first, last = mailbox.mails[0], mailbox.mails[-1]
    assert after_once == 1
    assert "% regression of b.time on 0018cccccccc" in first["Subject"]
    assert "bm1, bm2" in first.get_content()
    assert last["X-Kvmperf-Kind"] == "recovered"
    assert last["In-Reply-To"] == first["Message-ID"]
    assert "This alert closed by itself" in last.get_content()
    assert len(mailbox.seen) == len(mailbox.mails)


def test_a_muted_alert_is_not_told(engine, groups):
    with receivers.smtp(mailbox := Mailbox()) as port:
        sink = MailSink("list", Choice(), 10, "127.0.0.1", port, "none", "kvmperf <k@example.org>", ("l@example.org",))
        measured(engine, range(UP + 6))
        sweep(engine, now=nightly.at(UP + 5))
        (alert,) = groups()
        with writing(engine) as connection:
            said = Said("being looked at", nightly.at(END * 2))
            triage(connection, alert.id, Action.MUTE, "ann", said, at=nightly.at(UP + 5))
        told(engine, sink, UP + 6)

    assert mailbox.mails == []
