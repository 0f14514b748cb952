"""How reports say things in plain text: test cases, effects, intervals, directions. Pure, printable ASCII."""

import re
import textwrap
from collections.abc import Iterable

from db.values import SeriesRow

WIDTH = 72  # columns of a mail


def ascii_only(text: str) -> str:
    """Text in printable ASCII on one line; everything else is spelled out with a backslash."""
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return escaped.encode("ascii", "backslashreplace").decode()


def case_line(benchmark: str, params: Iterable[tuple[str, object]]) -> str:
    """A test case in words: `dirty_log_perf_test vcpus=2 bytes_per_vcpu=1G`; what is off is left out."""
    shown = ((name, value) for name, value in params if value is not False and value not in ("none", ""))
    told = " ".join(f"{name}={_told(name, value)}" for name, value in shown)
    return f"{benchmark.rsplit('/', 1)[-1]} {told}".strip()


def _told(name: str, value: object) -> str:
    if isinstance(value, int) and "bytes" in name:
        power = next((p for p in (3, 2, 1) if value and value % 1024**p == 0), 0)
        return f"{value >> 10 * power}{' KMG'[power].strip()}"
    return str(value).replace(" ", "")


def counted(count: float, word: str) -> str:
    """A number with its word: `1 run`, `3 runs`, `2 patches`."""
    ending = "" if count == 1 else "es" if word.endswith("ch") else "s"
    return f"{int(count) if count == int(count) else count} {word}{ending}"


def percent(effect: float) -> str:
    """An effect (ratio - 1) as `-39.2%`, or as a factor where a percentage says little."""
    return f"{100 * effect:+.1f}%" if effect < 9 else f"x{1 + effect:.4g}"


def bounds(ci: tuple[float, float]) -> str:
    """An interval of effects in per cent: `[-41,-37]`."""
    low, high = (100 * bound for bound in ci)
    digits = 1 if max(abs(low), abs(high)) < 9.95 else 0
    if max(abs(low), abs(high)) >= 9999:
        return f"x[{1 + low / 100:.2g},{1 + high / 100:.2g}]"
    return f"[{_signed(low, digits)},{_signed(high, digits)}]"


def _signed(bound: float, digits: int) -> str:
    """A bound that is not 0 does not look like it: which side of 0 it is on is what an interval is read for."""
    told = f"{bound:+.{digits}f}"
    return told if bound == 0 or float(told) else f"{bound:+.{digits + 1}f}"


def direction(effect: float, series: SeriesRow) -> str:
    """What a movement means in a word: slower, faster, worse, better, or more and less where neither is."""
    if series.better not in ("lower", "higher"):
        return "more" if effect > 0 else "less"
    is_worse = (effect > 0) == (series.better == "lower")
    return ("slower" if is_worse else "faster") if series.unit == "s" else ("worse" if is_worse else "better")


def held_because(reason: str, source: str) -> str:
    """Why an output is in quarantine, beside its name: without its path, and without the names of all formats."""
    name = re.escape(source.rsplit("/", 1)[-1])
    place = re.match(rf"(?:.*?/)?{name}(?::(?P<line>\d+))?: ", reason) if name else None
    told = reason[place.end() :] if place else reason
    lead = f"line {place['line']}: " if place and place["line"] else ""
    return lead + re.sub(r" \(name its format with --format: [^()]*\)$", "", told)


def field(name: str, text: str) -> list[str]:
    """`Name     : text`, wrapped."""
    lead = f"{name:<9}: "
    return textwrap.wrap(
        ascii_only(text), WIDTH, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False
    ) or [lead]
