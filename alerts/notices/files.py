"""A file that grows, or standard output: for pipes, log readers, and trying things out."""

import fcntl
import json
import os
import sys
from pathlib import Path

from alerts.notices import mail, webhook
from alerts.notices.delivery import DeliveryError, Letter
from alerts.notices.settings import FileSink


def write(letter: Letter, sink: FileSink) -> bytes:
    """What is appended: one line of JSON, or the mail's text under its subject."""
    if sink.format == "json":
        return json.dumps(webhook.document(letter)["kvmperf"], sort_keys=True).encode() + b"\n"
    head = f"Date: {letter.at:%Y-%m-%d %H:%M} UTC\nMessage-ID: <{letter.message_id}>\n"
    return f"{head}Subject: {mail.subject(letter)}\n\n{mail.body(letter)}\n\n".encode()


def send(letter: Letter, sink: FileSink, *, is_repeat: bool = False) -> str:
    """Append it in one piece, on disk when this returns. A repeat that is there already is not written again."""
    content = write(letter, sink)
    if sink.path == "-":
        sys.stdout.write(content.decode())
        sys.stdout.flush()
        return ""
    try:
        with Path(sink.path).open("ab+") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            opened.seek(0)
            if not (is_repeat and any(_marks(letter, sink) in line for line in opened)):
                os.write(opened.fileno(), content)
                os.fsync(opened.fileno())
    except OSError as error:
        raise DeliveryError(f"{sink.path}: {error.strerror}") from None
    return ""


def _marks(letter: Letter, sink: FileSink) -> bytes:
    if sink.format == "json":
        return f'"key": {json.dumps(letter.key)}'.encode()
    return f"Message-ID: <{letter.message_id}>".encode()
