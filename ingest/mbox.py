"""Mails out of bytes: an mbox, or one mail. Encodings are undone; what a mail means is not this module's business."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime

from ingest.errors import FormatError

_HEADER = re.compile(rb"[!-9;-~]+:")
# The separator has an asctime date; a sentence that begins with "From" has none.
_FROM = re.compile(rb"From (\S+) +(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d .*\d{4}\s*$")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?$")
_QUOTED_FROM = re.compile(r"^>(>*From )", re.MULTILINE)
_MESSAGE_ID = re.compile(r"<([^<>\s]+)>")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail in words. `line` is where it begins (1-based); ids come without their angle brackets, oldest first.

    `commit` is the one that `git format-patch` names in its `From` line, or empty.
    """

    source: str
    line: int
    subject: str
    author: str
    message_id: str
    references: tuple[str, ...]
    date: datetime | None
    change_id: str
    commit: str
    body: str


def mails(content: bytes, source: str) -> list[Mail]:
    """All mails of a file, in its order. Raises FormatError where there is none, or one that has no readable text."""
    found = [_mail(part, source, line, sender) for line, sender, part in _split(content)]
    if not found:
        raise FormatError(source, 1, "no mail: it begins with no header", "an mbox, or a file of `git format-patch`")
    return found


def _split(content: bytes) -> Iterator[tuple[int, str, bytes]]:
    """The parts of an mbox with the line each begins on and the word behind its `From`."""
    lines = content.splitlines(keepends=True)
    starts = [
        number
        for number, line in enumerate(lines)
        if line.startswith(b"From ") and _FROM.match(line) and _is_header(lines, number + 1)
    ]
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if not starts or starts[0] != first:
        if not _is_header(lines, first):
            return
        starts = [first, *starts]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        match = _FROM.match(lines[start])
        body = lines[start + 1 : end] if match else lines[start:end]
        yield start + 1, match[1].decode("ascii", "replace") if match else "", b"".join(body)


def _is_header(lines: list[bytes], number: int) -> bool:
    return number < len(lines) and _HEADER.match(lines[number]) is not None


def _mail(part: bytes, source: str, line: int, sender: str) -> Mail:
    message = message_from_bytes(part)
    body = _body(message)
    if not body.strip() and message.get_content_maintype() == "text" and message.get_content_subtype() == "html":
        raise FormatError(source, line, "a mail in HTML has no patch in it", "send the text")
    references = [*_ids(message, "References"), *_ids(message, "In-Reply-To")]
    return Mail(
        source=source,
        line=line,
        subject=_header(message, "Subject"),
        author=_author(message),
        message_id=next(iter(_ids(message, "Message-Id")), ""),
        references=tuple(dict.fromkeys(references)),
        date=_date(message),
        change_id=_header(message, "X-Change-ID"),
        commit=sender if _COMMIT.match(sender) else "",
        body=_QUOTED_FROM.sub(r"\1", body),
    )


def _header(message: Message, name: str) -> str:
    """A header as one line of text: folding and RFC 2047 undone; raw bytes are taken for UTF-8."""
    # Not `get`: that takes raw bytes for an unknown character set.
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    with suppress(HeaderParseError, LookupError, ValueError):  # a broken encoded word stays as it stands
        text = str(make_header(decode_header(text)))
    return " ".join(text.split())


def _ids(message: Message, name: str) -> list[str]:
    return _MESSAGE_ID.findall(_header(message, name))


def _author(message: Message) -> str:
    name, address = parseaddr(_header(message, "From"))
    return f"{name} <{address}>" if name and address else address or name


def _date(message: Message) -> datetime | None:
    try:
        found = parsedate_to_datetime(_header(message, "Date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    try:
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _body(message: Message) -> str:
    """The text parts, transfer encodings and character sets undone, one after the other."""
    parts = [part for part in message.walk() if not part.is_multipart() and _is_text(part)]
    return "\n".join(_text(part) for part in parts)


def _is_text(part: Message) -> bool:
    return part.get_content_maintype() == "text" and part.get_content_subtype() != "html"


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    for charset in (str(part.get_content_charset() or "utf-8"), "utf-8"):
        try:
            return raw.decode(charset).replace("\r\n", "\n")
        except (LookupError, ValueError):
            continue
    return raw.decode("latin-1").replace("\r\n", "\n")
