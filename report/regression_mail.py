"""A regression as a mail in the form that kernel lists know: ASCII, 72 columns, links and the subject whole. Pure."""

import textwrap

from report.regression import Changed, Regression
from report.words import WIDTH, ascii_only, percent
from stats.policy import Verdict
from stats.units import scaled

_REPORTER = "kvmperf <REPORTER@EXAMPLE.ORG>"  # to be filled in by the sender


def render(mail: Regression, *, reporter: str = _REPORTER, closes: str = "LINK-TO-THIS-MAIL") -> str:
    """The mail with its headers: subject, and what it answers."""
    lines = [f"Subject: {ascii_only(mail.title)}"]
    if mail.in_reply_to:
        lines += [f"In-Reply-To: <{ascii_only(mail.in_reply_to)}>", f"References: <{ascii_only(mail.in_reply_to)}>"]
    lines += ["", *_opening(mail), ""]
    lines += [*_fields(mail), ""]
    lines += [*_table(mail.rows), ""]
    if mail.notes:
        lines += [*(line for note in mail.notes for line in _wrapped(note, "- ", "  ")), ""]
    if mail.command:
        lines += ["To reproduce:", "", f"    {ascii_only(mail.command)}", ""]
    lines += [f"Link: {ascii_only(link)}" for link in mail.links]
    lines += ["If you fix this, please add:", f"Reported-by: {ascii_only(reporter)}", f"Closes: {ascii_only(closes)}"]
    return "".join(f"{line}\n" for line in lines)


def _opening(mail: Regression) -> list[str]:
    first = mail.rows[0]
    word = "regression" if first.verdict is Verdict.REGRESSION else "improvement"
    name = f"{first.series.benchmark.rsplit('/', 1)[-1]}.{first.series.metric}"
    interval = ""
    if first.ci:
        interval = f" (95% interval {100 * first.ci[0]:+.1f}% to {100 * first.ci[1]:+.1f}%)"
    if first.effect is None:
        interval = f" ({first.moved})"
    said = f"kvmperf measured a {first.size}{word} of {name}{interval} on:"
    made = [line for one in mail.culprits for line in _wrapped(one, "  ", "    ")]
    return [*_wrapped(said), "", *_wrapped(mail.what, "  "), *(["", "It comes from:", "", *made] if made else [])]


def _fields(mail: Regression) -> list[str]:
    told = (
        ("base", mail.base),
        ("head", mail.head),
        ("test", mail.test),
        ("host", mail.host),
        ("measured", f"base and head: {mail.replication}"),
    )
    return [line for name, text in told for line in _wrapped(text, f"{name}: ", "  ")]


def _table(rows: tuple[Changed, ...]) -> list[str]:
    """`base %stddev  %change  head %stddev  metric`; a metric that does not fit stands on a line of its own."""
    lines = ["      base %stddev  %change      head %stddev  metric"]
    for row in rows:
        (base, head), unit = scaled((row.base, row.head), row.series.unit)
        spreads = [_spread(one) for one in (row.base_spread, row.head_spread)]
        moved = "-" if row.effect is None else percent(row.effect)
        cells = f"{base:>10}{spreads[0]:>8}{moved:>9}{head:>10}{spreads[1]:>8}"
        name = f"{row.series.metric} [{unit}]"
        line = f"{cells}  {ascii_only(name)}"
        lines += [line] if len(line) <= WIDTH else [cells, *_wrapped(name, " " * 12)]
    return lines


def _spread(spread: float | None) -> str:
    return "-" if spread is None else f"+-{100 * spread:.1f}%" if spread < 0.0995 else f"+-{100 * spread:.0f}%"


def _wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        ascii_only(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_on_hyphens=False,
    )
