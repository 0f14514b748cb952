"""Real receivers on loopback: what they refuse, how slow they are, and senders killed at the worst moment."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import receivers
from receivers import Mailbox, Receiver
from sample_notices import OPENED, RECOVERED, SILENT

from alerts.notices import sending
from alerts.notices.sending import Patience, send_due
from alerts.notices.settings import Choice, FileSink, MailSink, Settings, WebhookSink

ROOT = Path(__file__).parents[3]
HASTE = Patience(lease=timedelta(seconds=30))


def to_mail(port, **more):
    given = {"tls": "none", "sender": "kvmperf <k@example.org>", "to": ("kvm@example.org",), **more}
    return MailSink("list", Choice(), given.pop("timeout_s", 10), "127.0.0.1", port, **given)


def to_web(url, **more):
    return WebhookSink("chat", Choice(), more.pop("timeout_s", 10), f"{url}/hook", **more)


def send(box, sink, patience=HASTE):
    return send_due(box.engine, Settings((sink,)), patience, box.clock)


def test_a_mail_arrives_once(box):
    with receivers.smtp(mailbox := Mailbox()) as port:
        sink = to_mail(port)
        box.put(sink)
        first, again = send(box, sink), send(box, sink)

    (mail,) = mailbox.mails
    assert (first.sent, again.sent) == (1, 0)
    assert mail["Subject"] == f"[kvmperf] {OPENED.title}"
    assert OPENED.command in mail.get_content()
    assert mailbox.envelopes[0].mail_from == "k@example.org"
    assert box.counts() == {("list", "sent"): 1}


@pytest.mark.parametrize("kind", ["mail", "web", "file"])
def test_a_sender_killed_between_sending_and_marking_is_seen_once(box, kind, tmp_path):
    mailbox, receiver, path = Mailbox(), Receiver(), tmp_path / "told.txt"
    with receivers.smtp(mailbox) as port, receivers.http(receiver) as url:
        sink = {"mail": to_mail(port), "web": to_web(url), "file": FileSink("log", Choice(), 10, str(path))}[kind]
        box.put(sink)

        died = _killed_before_marking(box, sink)
        early = send(box, sink)
        box.now += HASTE.lease + timedelta(seconds=1)
        late = send(box, sink)

    assert died == -signal.SIGKILL
    assert (early.sent, late.sent) == (0, 1)
    if kind == "mail":
        assert (len(mailbox.mails), len(mailbox.seen)) == (2, 1)
    elif kind == "web":
        assert (len(receiver.posts), len(receiver.seen)) == (2, 1)
    else:
        assert path.read_text().count("Message-ID: ") == 1


def _killed_before_marking(box, sink):
    """The exit status of a process that delivers a message for real and is killed by SIGKILL before it marks it."""
    program = f"""
import os, signal
from datetime import datetime, timedelta, UTC
from alerts.notices import sending
from alerts.notices.sending import Patience, send_due
from alerts.notices.settings import *
from db.engine import connect
sending.outbox.mark_sent = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
now = datetime.fromisoformat({box.now.isoformat()!r})
sink = {_spelled(sink)}
send_due(connect({box.url!r}), Settings((sink,)), Patience(lease=timedelta(seconds=30)), lambda: now)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", program], env=environment, check=False, timeout=120).returncode


def _spelled(sink):
    """The sink as an expression: a repr leaves out what is secret."""
    fields = [(name, getattr(sink, name)) for kind in reversed(type(sink).__mro__) for name in _slots(kind)]
    told = ", ".join(f"{name}={value!r}" for name, value in fields if name != "choice")
    return f"{type(sink).__name__}(choice=Choice(), {told})"


def _slots(kind):
    return getattr(kind, "__slots__", ())


def test_two_senders_at_once_send_each_message_once(box):
    with receivers.smtp(mailbox := Mailbox(delay_s=0.02)) as port:
        sink = to_mail(port)
        box.put(sink, *(replace(OPENED, group=n) for n in range(12)))
        threads = [threading.Thread(target=send, args=(box, sink)) for _ in range(2)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    assert len(mailbox.mails) == len(mailbox.seen) == 12


def test_a_busy_server_is_asked_again_later(box):
    with receivers.smtp(mailbox := Mailbox(answers=["451 try again", "421 not now", None])) as port:
        sink = to_mail(port)
        box.put(sink)
        told = []
        for _ in range(3):
            told.append(send(box, sink))
            (waiting,) = box.unsent() or (None,)
            box.now = waiting.next_attempt if waiting else box.now

    assert [(one.sent, one.postponed) for one in told] == [(0, 1), (0, 1), (1, 0)]
    assert len(mailbox.mails) == 1
    assert "451 try again" in told[0].failures[0]


def test_what_is_refused_for_good_is_a_dead_letter_until_it_is_retried(box):
    from db import outbox
    from db.engine import writing

    with receivers.smtp(mailbox := Mailbox(answers=["554 no thanks"])) as port:
        sink = to_mail(port)
        box.put(sink)
        first = send(box, sink)
        (dead,) = box.unsent()
        with writing(box.engine) as connection:
            outbox.revive(connection, [dead.id], box.now)
        second = send(box, sink)

    assert (first.dead, second.sent) == (1, 1)
    assert (dead.state, dead.last_error) == ("dead", "554 no thanks")
    assert len(mailbox.mails) == 1


def test_one_wrong_address_does_not_keep_the_mail_from_the_others(box):
    with receivers.smtp(mailbox := Mailbox(refuses=("gone@example.org",))) as port:
        sink = to_mail(port, to=("kvm@example.org", "gone@example.org"))
        box.put(sink)
        told = send(box, sink)

    assert (told.sent, len(mailbox.mails)) == (1, 1)
    assert "gone@example.org: 550 no such user here" in told.failures[0]


def test_a_server_that_refuses_everybody_is_given_up(box):
    with receivers.smtp(Mailbox(refuses=("kvm@example.org",))) as port:
        sink = to_mail(port)
        box.put(sink)
        told = send(box, sink)

    assert told.dead == 1


def test_after_a_day_of_tries_a_message_is_given_up(box):
    sink = to_mail(1, timeout_s=1)
    box.put(sink)
    patience, start = Patience(), box.now

    for _ in range(patience.tries):
        last = send(box, sink, patience)
        box.now = max([box.now, *(one.next_attempt for one in box.unsent() if one.next_attempt)])

    assert last.dead == 1
    assert timedelta(hours=20) < box.now - start < timedelta(hours=40)


def test_a_dead_server_is_asked_once_a_pass_and_holds_up_nobody(box):
    down = to_mail(1, timeout_s=1)
    with receivers.http(receiver := Receiver()) as url:
        web = to_web(url)
        box.put(down, OPENED, SILENT)
        box.put(web, OPENED, SILENT)
        told = send_due(box.engine, Settings((down, web)), HASTE, box.clock)

    assert (told.sent, told.postponed) == (2, 1)
    assert len(receiver.seen) == 2


@pytest.mark.parametrize("kind", ["mail", "web"])
def test_a_slow_receiver_is_not_waited_for(box, kind):
    with receivers.smtp(Mailbox(delay_s=3)) as port, receivers.http(Receiver(delay_s=3)) as url:
        sink = to_mail(port, timeout_s=0.3) if kind == "mail" else to_web(url, timeout_s=0.3)
        box.put(sink)
        told = send(box, sink)

    assert (told.sent, told.postponed) == (0, 1)
    assert "no answer in time" in told.failures[0]


def test_starttls_with_a_certificate_that_is_trusted(box, tmp_path):
    certificate = receivers.certificate(tmp_path / "cert.pem")
    mailbox = Mailbox()
    with receivers.smtp(mailbox, certificate=certificate, user="kvmperf", password="pass word") as port:
        known = to_mail(port, tls="starttls", ca_file=str(certificate), user="kvmperf", password="pass word")
        box.put(known)
        told = send(box, known)

    assert told.failures == []
    assert len(mailbox.mails) == 1


def test_nothing_is_sent_where_the_certificate_is_unknown(box, tmp_path):
    certificate = receivers.certificate(tmp_path / "cert.pem")
    mailbox = Mailbox()
    with receivers.smtp(mailbox, certificate=certificate) as port:
        sink = to_mail(port, tls="starttls")
        box.put(sink)
        told = send(box, sink)

    assert (told.postponed, mailbox.tries) == (1, 0)
    assert "certificate" in told.failures[0].lower()


def test_nothing_is_sent_in_the_open_where_starttls_is_asked_for(box):
    mailbox = Mailbox()
    with receivers.smtp(mailbox) as port:
        sink = to_mail(port, tls="starttls")
        box.put(sink)
        told = send(box, sink)

    assert (told.postponed, mailbox.tries) == (1, 0)


def test_a_wrong_password_is_told_without_the_password(box, tmp_path, caplog):
    certificate = receivers.certificate(tmp_path / "cert.pem")
    with receivers.smtp(Mailbox(), certificate=certificate, user="kvmperf", password="right") as port:
        sink = to_mail(port, tls="starttls", ca_file=str(certificate), user="kvmperf", password="hunter2")
        box.put(sink)
        with caplog.at_level("DEBUG"):
            told = send(box, sink)

    assert "does not know this user or password" in told.failures[0]
    assert "hunter2" not in caplog.text + repr(sink) + told.failures[0]


def test_a_webhook_is_signed_with_its_time(box):
    with receivers.http(receiver := Receiver()) as url:
        sink = to_web(url, secret="s3cret")
        box.put(sink)
        send(box, sink)

    ((_, headers, body),) = receiver.posts
    at, told = (part.partition("=")[2] for part in headers["Kvmperf-Signature"].split(","))
    expected = hmac.new(b"s3cret", at.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert told == expected
    assert json.loads(body)["text"].startswith("[kvmperf] 51.1% regression")
    assert headers["Idempotency-Key"] == "group 17 opened to chat"


@pytest.mark.parametrize(
    ("answer", "fate", "wait"),
    [
        (500, "postponed", timedelta(seconds=30)),
        ((429, {"Retry-After": "600"}), "postponed", timedelta(seconds=600)),
        ((503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), "postponed", timedelta(seconds=30)),
        (404, "dead", None),
        ((302, {"Location": "http://127.0.0.1:1/"}), "dead", None),
    ],
)
def test_answers_of_a_webhook(box, answer, fate, wait):
    with receivers.http(receiver := Receiver([answer])) as url:
        sink = to_web(url)
        box.put(sink)
        told = send(box, sink)

    (row,) = box.unsent()
    assert getattr(told, fate) == 1
    assert len(receiver.posts) == 1
    assert row.next_attempt == (box.now + wait if wait else None)
    assert "/hook" not in row.last_error


def test_a_thread_is_one_thread(box):
    from sqlalchemy import insert, update

    from db.alert_models import AlertGroup, Notification
    from db.engine import writing

    with receivers.smtp(mailbox := Mailbox()) as port:
        sink = to_mail(port)
        box.put(sink, OPENED, RECOVERED)
        with writing(box.engine) as connection:
            row = {"id": 17, "kind": "regression", "evidence": "confirmed", "opened_at": box.now, "detail": {}}
            connection.execute(insert(AlertGroup), [row])
            connection.execute(update(Notification).values(group_id=17))
        send(box, sink)

    first, second = mailbox.mails
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert first["In-Reply-To"] is None
    assert second["Subject"] == f"Re: {first['Subject']}"


def test_files_grow_by_whole_notices(box, tmp_path):
    sinks = tuple(FileSink(kind, Choice(), 10, str(tmp_path / kind), kind) for kind in ("text", "json"))
    for sink in sinks:
        box.put(sink, OPENED, SILENT)
    send_due(box.engine, Settings(sinks), HASTE, box.clock)

    lines = [json.loads(line) for line in (tmp_path / "json").read_text().splitlines()]
    assert [one["notices"][0]["group"] for one in lines] == [17, 18]
    assert (tmp_path / "text").read_text().count("Subject: [kvmperf]") == 2


def test_a_file_that_cannot_be_written_is_told(box, tmp_path):
    sink = FileSink("log", Choice(), 10, str(tmp_path / "no" / "such"))
    box.put(sink)

    assert "No such file or directory" in send(box, sink).failures[0]


def test_a_stop_is_heard_between_two_messages(box, tmp_path):
    sink = FileSink("log", Choice(), 10, str(tmp_path / "f"))
    box.put(sink, OPENED, SILENT)

    told = send_due(box.engine, Settings((sink,)), HASTE, box.clock, (tmp_path / "f").exists)

    assert (told.sent, len(box.unsent())) == (1, 1)


def test_pauses_double_up_to_the_longest():
    waits = [Patience().wait(n).total_seconds() for n in (1, 2, 3, 12, 50)]

    assert waits == [30, 60, 120, 21600, 21600]
    assert sending.Patience().lease > timedelta(minutes=10)
