"""Raw text to clean lines: takes off what mail programs, test runners and terminals add, and remembers that it did.

Knows nothing of any benchmark.
"""

import re
from collections.abc import Callable, Iterable
from enum import Flag, auto
from functools import lru_cache
from typing import NamedTuple


class Stripped(Flag):
    """What was taken off a line."""

    NOTHING = 0
    QUOTE = auto()
    RUNNER = auto()
    INDENT = auto()
    REMARK = auto()
    RETURN = auto()
    WRAP = auto()


class Line(NamedTuple):
    """One clean line: its 1-based number in the original text, what is left of it, and what was taken off."""

    number: int
    text: str
    stripped: Stripped


_NAMES = {
    Stripped.QUOTE: "mail quoting",
    Stripped.RUNNER: "the prefix of a test runner",
    Stripped.INDENT: "indentation",
    Stripped.REMARK: "remarks at the end of lines",
    Stripped.RETURN: "carriage returns",
    Stripped.WRAP: "a line break inside a line",
}
_PREFIX = re.compile(r"(?P<indent>[ \t]*)(?P<quote>>[> \t]*)?(?P<runner>#[# \t]*)?(?P<bullet>[*+-][ \t]+)?")
_PREFIX_STARTS = frozenset(" \t>#*+-")
_SHORT_PREFIX = 40
# What can stand before a line that a format is recognised by, in a pattern with re.MULTILINE
MARGIN = r"^[># \t]{0,20}"
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# `0.5s  <--- got longer`, `0.5s  <== slow`: an author's remark
_REMARK = re.compile(r"[ \t]<[-=<~]")
_HEAD = 200  # lines in which mail headers are looked for
_SAMPLED = 1 << 20
_ELLIPSES = frozenset({"...", "[...]", "[..]", "[snip]", "<snip>", "…", "[…]"})


def clean(text: str) -> list[Line]:
    """The lines of the text in order, of blank ones in a row the first; a carriage return inside a line starts another.

    Text of millions of lines is refused before it comes here (`parsers.parse`).
    """
    if "\x1b" in text:
        text = _ESCAPE.sub("", text)
    text = text.replace("\xa0", " ")
    found: list[Line] = []
    nothing, runner, starts = Stripped.NOTHING, Stripped.RUNNER, _PREFIX_STARTS
    was_blank = False
    for number, raw in enumerate(text.split("\n"), start=1):
        if not raw:
            if not was_blank:
                found.append(Line(number, "", nothing))
            was_blank = True
            continue
        was_blank = False
        if "\r" in raw:
            pieces = [piece for piece in raw.split("\r") if piece]
            found += [_clean_line(number, piece, Stripped.RETURN) for piece in pieces or [""]]
        elif raw[0] not in starts and "<" not in raw:
            found.append(Line(number, raw.rstrip(), nothing))
        elif raw[:2] == "# " and raw[2:3] not in starts and "<" not in raw:  # most lines of a kselftest log
            found.append(Line(number, raw[2:].rstrip(), runner))
        else:
            found.append(_clean_line(number, raw, nothing))
    return found


def sample(text: str) -> str:
    """The text, or head and tail of a very long one: enough to recognise what printed it."""
    return text if len(text) <= 2 * _SAMPLED else f"{text[:_SAMPLED]}\n{text[-_SAMPLED:]}"


def is_elided(lines: Iterable[Line]) -> bool:
    """Whether one of the lines stands for others that an author left out."""
    return not _ELLIPSES.isdisjoint(line.text for line in lines)


def is_mail(lines: list[Line]) -> bool:
    """Whether the text begins with the headers of a mail."""
    heads = {line.text.split(":", 1)[0].lower() for line in lines[:_HEAD] if ": " in line.text[:40]}
    return "message-id" in heads or {"from", "subject"} <= heads


def without_cut_line(lines: list[Line], text: str, *, ends_in_number: bool = False) -> tuple[list[Line], str]:
    """The lines without a last one that has no end, which can have lost letters or digits; and a sentence that says so.

    `ends_in_number`: only a line whose last character is a digit is doubtful.
    """
    is_open = bool(text) and not text.endswith(("\n", "\r")) and bool(lines) and bool(lines[-1].text)
    if not is_open or (ends_in_number and not lines[-1].text[-1].isdigit()):
        return lines, ""
    return lines[:-1], f"Line {lines[-1].number} has no end and may be cut: it was left out."


def unwrap(lines: list[Line], is_cut: Callable[[str], bool]) -> list[Line]:
    """Join a line that `is_cut` with the one or two after it, when that makes it whole (mails wrap at 72 columns)."""
    found: list[Line] = []
    done = 0  # lines before this one are in `found`
    cut = {index: None for index, line in enumerate(lines) if is_cut(line.text)}
    for index in cut:
        if index < done or index + 1 in cut:  # what follows begins a line of its own
            continue
        joined, more = _joined(lines, index, is_cut)
        found += [*lines[done:index], joined]
        done = index + more + 1
    return found + lines[done:] if done else lines


def stripped_sentence(flags: Iterable[Stripped]) -> str:
    """A sentence for a record's warnings about all that was taken off; empty when nothing was."""
    union = Stripped.NOTHING
    for flag in flags:
        union |= flag
    names = [name for flag, name in _NAMES.items() if flag in union]
    return f"The text was cleaned first: {', '.join(names)} taken off." if names else ""


def _clean_line(number: int, raw: str, stripped: Stripped) -> Line:
    if raw[:1] in _PREFIX_STARTS and (prefix := _PREFIX.match(raw)) is not None and prefix.end():
        known = _taken_off(raw[: prefix.end()]) if prefix.end() <= _SHORT_PREFIX else _flags(prefix)
        stripped = stripped | known if stripped is not Stripped.NOTHING else known
        raw = raw[prefix.end() :]
    if "<" in raw and (remark := _REMARK.search(raw)) is not None and remark.start() > 0:
        raw, stripped = raw[: remark.start()], stripped | Stripped.REMARK
    return Line(number, raw.rstrip(), stripped)


@lru_cache(maxsize=1024)
def _taken_off(prefix: str) -> Stripped:
    """What a short prefix consists of: a text has a handful of them, in front of all its lines."""
    match = _PREFIX.match(prefix)
    return _flags(match) if match is not None else Stripped.NOTHING


def _flags(prefix: re.Match[str]) -> Stripped:
    taken = (prefix["indent"] or prefix["bullet"], prefix["quote"], prefix["runner"])
    found = Stripped.NOTHING
    for flag, part in zip((Stripped.INDENT, Stripped.QUOTE, Stripped.RUNNER), taken, strict=True):
        found = found | flag if part else found
    return found


def _joined(lines: list[Line], index: int, is_cut: Callable[[str], bool]) -> tuple[Line, int]:
    first = lines[index]
    text = first.text
    for more, following in enumerate(lines[index + 1 : index + 3], start=1):
        if not following.text:
            break
        text = f"{text} {following.text}"
        if not is_cut(text):
            return Line(first.number, text, first.stripped | following.stripped | Stripped.WRAP), more
    return first, 0
