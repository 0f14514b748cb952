"""What is sent, word for word: golden files. KVMPERF_UPDATE_GOLDEN=1 writes them anew; read them then."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_notices import OPENED, RECOVERED, SILENT

from alerts.notices import mail, text, webhook
from alerts.notices.delivery import Letter
from alerts.notices.notice import Kind, from_json, to_json
from alerts.notices.settings import Choice, MailSink

GOLDEN = Path(__file__).parent / "golden"
END = datetime(2026, 3, 3, tzinfo=UTC)
SINK = MailSink(
    "list", Choice(), 30, "localhost", 25, "none", "kvmperf <kvmperf@example.org>", ("kvm@example.org",), ("c@d.org",)
)
FIRST = Letter("group 17 opened to list", "0123@example.org", OPENED.at, (OPENED,), ("cover@example.org",))
ANSWER = Letter("g to list", "4567@example.org", RECOVERED.at, (RECOVERED,), ("cover@example.org", "0123@example.org"))
DIGEST = Letter(
    "d to list", "89ab@example.org", END, (OPENED, SILENT, RECOVERED), (), "daily", "https://perf.example.org"
)


def golden(name, said):
    path = GOLDEN / name
    if os.environ.get("KVMPERF_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(said)
    assert path.read_text() == said
    return said


def width(said):
    lines = said.split("\n\n", 1)[-1].splitlines()
    return max(len(line) for line in lines if not line.startswith(("Link:", "    ./", "  https://")))


@pytest.mark.parametrize(
    ("name", "letter"), [("opened.mail", FIRST), ("recovered.mail", ANSWER), ("digest.mail", DIGEST)]
)
def test_mails(name, letter):
    said = golden(name, mail.write(letter, SINK).as_bytes().decode("ascii").replace("\r\n", "\n"))

    assert width(said) <= 72
    assert said.isascii()


def test_a_silent_host_is_a_mail_without_a_table():
    said = golden("silent.txt", text.body(SILENT))

    assert width(said) <= 72


@pytest.mark.parametrize(("name", "letter"), [("opened.json", FIRST), ("digest.json", DIGEST)])
def test_webhooks(name, letter):
    golden(name, json.dumps(webhook.document(letter), indent=1, sort_keys=True) + "\n")


def test_the_same_letter_is_the_same_bytes():
    assert mail.write(FIRST, SINK).as_bytes() == mail.write(FIRST, SINK).as_bytes()


def test_a_notice_survives_the_outbox():
    assert from_json(json.loads(json.dumps(to_json(OPENED)))) == OPENED
    assert from_json({**to_json(SILENT), "what a later version added": 1}) == SILENT


def test_names_make_no_headers_and_call_nobody():
    hostile = replace(
        OPENED, title="x\nBcc: all@example.org <!channel>", why="<http://evil.example|click> @here `rm`", moved=()
    )
    written = mail.write(replace(FIRST, notices=(hostile,)), SINK)
    said = webhook.document(replace(FIRST, notices=(hostile,)))["text"]

    assert written["Bcc"] is None
    assert not any(mark in said for mark in "<>@`|")


words = st.text(max_size=200)


@given(words, words, words, st.sampled_from(list(Kind)[:-1]), st.floats(allow_nan=False, allow_infinity=False))
def test_any_words_and_numbers_become_a_mail(title, why, name, kind, value):
    moved = replace(OPENED.moved[0], metric=name, case=name, before=value, effect=value)
    notice = replace(OPENED, kind=kind, title=title, why=why, moved=(moved,), hosts=(name,), details=(name,))

    written = mail.write(replace(FIRST, notices=(notice,)), SINK)

    assert written.as_bytes().isascii()
    assert max(map(len, written.as_bytes().splitlines())) <= 998
