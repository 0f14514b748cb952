"""A notice and a digest as plain text in the manner of kernel lists: ASCII, 72 columns, the table first. Pure."""

import textwrap
from collections.abc import Iterable, Sequence
from datetime import datetime

from alerts.notices.notice import Kind, Moved, Notice
from report.words import WIDTH, ascii_only, bounds, percent
from stats.units import scaled

_SAYS = {
    Kind.CHANGED: "Later data changed this alert.",
    Kind.RECOVERED: "This alert closed by itself: all is as it was before.",
    Kind.WITHDRAWN: "This alert is withdrawn: later data do not support it.",
    Kind.REOPENED: "This alert is open again.",
}
_MOST = 20  # rows of a table in a mail; the page has all of them


def subject(notice: Notice) -> str:
    """One line: `[kvmperf] 39.2% regression of dirty_log_perf_test.clear_dirty_log_time on v6.13-rc1`."""
    return f"{'Re: ' if notice.kind in _SAYS else ''}[kvmperf] {ascii_only(notice.title)}"


def body(notice: Notice, reporter: str = "") -> str:
    """The text of one notice; links and commands stay whole however long they are.

    `reporter` is the address that a fix should name, where somebody is told of a regression for the first time.
    """
    lines: list[str] = []
    if said := _SAYS.get(notice.kind):
        lines += [*_wrapped(said), ""]
    lines += [*_wrapped(_sentence(notice.why)), ""]
    lines += [*_fields(notice), ""]
    if notice.moved:
        lines += [*_table(notice.moved), ""]
    if notice.details:
        lines += [*_listed(notice.details), ""]
    if notice.command:
        lines += ["To reproduce:", "", f"    {ascii_only(notice.command)}", ""]
    lines += [f"Link: {ascii_only(link)}" for link in (notice.link, *notice.links) if link]
    if reporter and notice.kind is Kind.OPENED and any(one.is_worse for one in notice.moved):
        lines += ["If you fix this, please add:", f"Reported-by: {ascii_only(reporter)}"]
        lines += [f"Closes: {ascii_only(notice.link)}"] if notice.link else []
    return _closed(lines)


def short(notice: Notice) -> str:
    """A few lines for a chat: title, reason, link. What markup would read is taken out of stored names."""
    lines = [f"[kvmperf] {notice.title}", f"{_SAYS.get(notice.kind, '')} {_sentence(notice.why)}".lstrip()]
    return "\n".join(plain(line) for line in lines) + (f"\n{notice.link}" if notice.link else "")


def digest_subject(notices: Sequence[Notice], period: str, end: datetime) -> str:
    """`[kvmperf] daily digest 2026-11-23: 2 opened, 1 recovered`."""
    return f"[kvmperf] {period} digest {end:%Y-%m-%d}: {_counted(notices)}"


def digest(notices: Sequence[Notice], period: str, end: datetime, dashboard: str = "") -> str:
    """All notices of a day or a week, one paragraph each, what is open first."""
    lines = [*_wrapped(f"{_counted(notices)}, {period} digest up to {end:%Y-%m-%d %H:%M} UTC."), ""]
    for kind in Kind:
        found = [one for one in notices if one.kind is kind]
        if found:
            lines += [f"{kind.value} ({len(found)})", "-" * (len(kind.value) + len(str(len(found))) + 3), ""]
            for one in found:
                lines += [*_paragraph(one), ""]
    if dashboard:
        lines += [f"Link: {ascii_only(dashboard)}/inbox"]
    return _closed(lines)


def _paragraph(notice: Notice) -> list[str]:
    lines = [*_wrapped(notice.title, "* ", "  "), *_wrapped(_sentence(notice.why), "  ")]
    told = [f"state {notice.state}"] if notice.state else []
    told += [f"owner {notice.owner}"] if notice.owner else []
    told += [f"{len(notice.moved)} series"] if notice.moved else []
    lines += _wrapped(", ".join(told), "  ") if told else []
    return [*lines, f"  {ascii_only(notice.link)}"] if notice.link else lines


def _counted(notices: Sequence[Notice]) -> str:
    counts = [(kind.value, sum(one.kind is kind for one in notices)) for kind in Kind]
    return ", ".join(f"{count} {word}" for word, count in counts if count) or "nothing new"


def _fields(notice: Notice) -> list[str]:
    told = (
        ("base", notice.base_full or notice.base),
        ("head", notice.head_full or notice.head),
        ("test", notice.moved[0].case if notice.moved else ""),
        ("hosts", ", ".join(notice.hosts)),
        ("state", ", ".join(word for word in (notice.state, notice.owner and f"owner {notice.owner}") if word)),
    )
    return [line for name, text in told if text for line in _wrapped(text, f"{name}: ", "  ")]


def _table(moved: Sequence[Moved]) -> list[str]:
    """Level before, change, level after, interval; the metric after them, or below where it does not fit."""
    lines = ["     base %change     head     95% CI  metric"]
    many_hosts = len({one.host for one in moved}) > 1
    many_cases = len({(one.benchmark, one.case) for one in moved}) > 1
    for one in moved[:_MOST]:
        (base, head), unit = scaled((one.before, one.after), one.unit)
        interval = bounds(one.ci) if one.ci else "-"
        cells = f"{base:>9}{percent(one.effect):>8}{head:>9}{interval:>11}"
        name = f"{'!' if one.is_worse else '+'} {one.metric} [{unit}]{f' {one.host}' if many_hosts else ''}"
        line = f"{cells}  {ascii_only(name)}"
        lines += [line] if len(line) <= WIDTH else [cells, *_wrapped(name, " " * 8)]
        lines += _wrapped(one.case, " " * 10) if many_cases else []
    if len(moved) > _MOST:
        lines += ["", f"{len(moved) - _MOST} more on the page."]
    return [*lines, "", "! worse  + better"]


def _listed(details: Sequence[str]) -> list[str]:
    shown = [line for text in details[:_MOST] for line in _wrapped(text, "- ", "  ")]
    return [*shown, f"{len(details) - _MOST} more on the page."] if len(details) > _MOST else shown


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", ":")) or not text else f"{text}."


def plain(text: str) -> str:
    """Without what Slack and Mattermost read as mentions, links or markup."""
    return ascii_only(text).replace("&", "and").translate(str.maketrans("<>@`*~|", "()-'---"))


def _closed(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"


def _wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of at most 72 columns; a word that is longer (an address, a command) stays whole."""
    return textwrap.wrap(
        ascii_only(text), WIDTH, initial_indent=first, subsequent_indent=first if rest is None else rest,
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip
