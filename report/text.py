"""A comparison as plain text for a mail: at most 72 columns, ASCII only, nothing clipped."""

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from db.hoststate import summary_line
from db.values import RevisionRow
from report.comparison import Absent, Report, Row
from report.pairs import Kind
from report.words import WIDTH, ascii_only, bounds, case_line, counted, direction, field, percent
from stats.compare import Comparison, Verdict
from stats.effects import GeometricMean
from stats.units import scaled

__all__ = [
    "MARKS",
    "WIDTH",
    "ascii_only",
    "bounds",
    "case_line",
    "change",
    "described",
    "direction",
    "footer",
    "geometric_mean",
    "hidden",
    "interval",
    "judged",
    "notes",
    "percent",
    "render",
    "verdict_counts",
    "verdict_words",
]
MARKS = {
    Verdict.REGRESSION: "!",
    Verdict.IMPROVEMENT: "+",
    Verdict.EQUIVALENT: "=",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_COMPARABLE: "x",
}
_NAME = 31  # columns of the metric's name
_COLUMNS = (8, 9, 9, 13)  # base, head, change, interval
_VERSION = re.compile(r"v\d")  # the name of a version keeps its small letter
_QUIET = 40  # with more rows than this, only what changed is printed unless asked
_CHANGED = (Verdict.REGRESSION, Verdict.IMPROVEMENT)


def render(report: Report, *, everything: bool = False) -> str:
    """The comparison as lines of at most 72 bytes of ASCII. Many rows without a change are counted, not printed."""
    hide = not everything and len(report.rows) > _QUIET
    shown = [row for row in report.rows if not hide or row.result.verdict in _CHANGED]
    lines = [*_header(report), ""]
    for _, rows in groupby(shown, key=lambda row: (row.series.host, row.series.test_case_id)):
        lines += [*_table(list(rows), report), ""]
    rest = [row for row in report.rows if hide and row.result.verdict not in _CHANGED]
    if rest:
        lines += [*_sentences(f"{hidden(rest)}; --all shows them."), ""]
    lines += _absent(report.absent)
    lines += footer(report)
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _header(report: Report) -> list[str]:
    lines: list[str] = []
    for host, state in report.hosts.items():
        lines += field("Host", f"{host} ({summary_line(state)})" if state else f"{host} (no host facts)")
    for base in {pair.base.id: pair.base for pair in report.pairs if pair.kind is Kind.HEAD}.values():
        rows = [row for row in report.rows if row.base == base.name and row.kind is Kind.HEAD]
        lines += field(
            "Base", f"{described(base)}  {_replication([row for row in rows if row.head == rows[0].head], 0)}"
        )
    for head in report.heads:
        rows = [row for row in report.rows if row.head == head.name]
        own = next((pair.base.name for pair in report.pairs if pair.head is head and pair.kind is Kind.HEAD), "")
        against = f"  against {own}" if own != report.base.name else ""
        lines += field("Head", f"{described(head)}  {_replication(rows, 1)}{against}")
    return lines


def described(revision: RevisionRow) -> str:
    """A revision in full: its name, then commit, kernel and subject where they are known."""
    told = [t for t in (revision.commit[:12], revision.kernel, revision.subject) if t and t != revision.name]
    return f"{revision.name} ({', '.join(told)})" if told else revision.name


def _replication(rows: Sequence[Row], side: int) -> str:
    counts = [row.result.n[side] for row in rows]
    if not counts:
        return "not measured"
    boots = _spread(n.boots for n in counts)
    runs = _spread(n.runs for n in counts)
    return f"{boots} {'boot' if boots == '1' else 'boots'}, {runs} {'run' if runs == '1' else 'runs'} a metric"


def _spread(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"


def _table(rows: Sequence[Row], report: Report) -> Iterator[str]:
    series = rows[0].series
    yield from field("Test", case_line(series.benchmark, sorted(series.params.items())))
    if len(report.hosts) > 1:
        yield from field("On", series.host)
    yield ""
    yield f"{'metric':<{_NAME}}{'base':>8}{'head':>9}{'change':>9}{'95% CI':>13}"
    for _, same in groupby(rows, key=lambda row: row.series.id):
        group = list(same)
        yield from _rows(group, many=len(report.pairs) > 1)


def _rows(group: Sequence[Row], *, many: bool) -> Iterator[str]:
    series = group[0].series
    levels = [v for row in group for v in (row.result.base, row.result.head) if v is not None]
    texts, unit = scaled(levels, series.unit)
    cells = iter(texts)
    name = ascii_only(f"{series.metric} [{unit}]")
    if many or len(name) >= _NAME:
        yield from textwrap.wrap(name, WIDTH)
    for row in group:
        lead = f"  {ascii_only(row.pair or row.head)}" if many else name if len(name) < _NAME else ""
        if len(lead) >= _NAME:
            yield from textwrap.wrap(lead, WIDTH, subsequent_indent="  ")
            lead = ""
        base = next(cells) if row.result.base is not None else "-"
        head = next(cells) if row.result.head is not None else "-"
        yield from _cells(lead, (base, head, change(row.result), interval(row.result)), MARKS[row.result.verdict])


def _cells(lead: str, cells: Sequence[str], mark: str) -> Iterator[str]:
    """One line, or where a number needs more room than its column, the name on a line of its own."""
    line = f"{lead:<{_NAME}}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, _COLUMNS, strict=True))
    if all(len(cell) < width for cell, width in zip(cells, _COLUMNS, strict=True)):
        yield f"{line} {mark}"
        return
    if lead:
        yield lead
    yield f"    {'  '.join(cells)} {mark}"


def change(result: Comparison) -> str:
    """The movement of the metric: `-39.2%`, or a factor where a percentage says little."""
    return "-" if result.effect is None else percent(result.effect)


def interval(result: Comparison) -> str:
    """The interval of the change in per cent: `[-41,-37]`, with a `w` inside one boot; `-` where none is known."""
    return "-" if result.ci is None else bounds(result.ci) + "w" * bool(result.interval_scope)


def _absent(absent: Sequence[Absent]) -> list[str]:
    if not absent:
        return []
    lines = ["Not compared:"]
    for one in absent:
        runs = f", {one.runs} {'run' if one.runs == 1 else 'runs'}" if one.runs else ""
        told = f"{one.what} in {one.side} ({one.head}{runs}): {case_line(one.benchmark, sorted(one.params.items()))}"
        lines += textwrap.wrap(ascii_only(told), WIDTH, initial_indent="  ", subsequent_indent="    ")
    return [*lines, ""]


def footer(report: Report) -> list[str]:
    """Legend, counts, limits and everything that a reader should know."""
    margin = f"{100 * float(report.request.policy.margin):.3g}%"
    legend = f"! regression  + improvement  = within {margin} (90% interval)  ? inconclusive"
    lines = textwrap.wrap(legend + "  x not comparable" * bool(report.count(Verdict.NOT_COMPARABLE)), WIDTH)
    lines += _sentences(verdict_counts(report))
    lines += _sentences(judged(report))
    for head, mean in report.geomeans.items():
        lines += _sentences(geometric_mean(mean, f" of {head}"))
    for note in (*report.told, *notes(report)):
        text = ascii_only(note if _VERSION.match(note) else note[:1].upper() + note[1:])
        lines += textwrap.wrap(text, WIDTH, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
    return lines


def _sentences(text: str) -> list[str]:
    return textwrap.wrap(ascii_only(text), WIDTH, break_on_hyphens=False)


def verdict_counts(report: Report) -> str:
    """The first thing to read: how many of which verdict."""
    return f"{counted(len(report.rows), 'row')}: {verdict_words(report.rows)}."


def verdict_words(rows: Sequence[Row]) -> str:
    """How many rows have which verdict: `40 inconclusive, 12 equivalent`."""
    counts = Counter(row.result.verdict for row in rows)
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])


def hidden(rows: Sequence[Row]) -> str:
    """What is not shown, and of which verdicts it is: `2 rows are hidden: 1 equivalent, 1 inconclusive`."""
    return f"{counted(len(rows), 'row')} {'is' if len(rows) == 1 else 'are'} hidden: {verdict_words(rows)}"


def geometric_mean(mean: GeometricMean, of: str = "") -> str:
    """The mean of the times, and how many they are."""
    return f"Geometric mean{of} over the {mean.metrics} times judged: x{1 + mean.effect:.3f} of base."


def judged(report: Report) -> str:
    """How many rows were judged, why the others were not, and by which limits."""
    open_ = [row for row in report.rows if not row.is_judged]
    reasons = Counter(_reason(row) for row in open_)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    policy = report.request.policy
    rest = f"; not judged: {told}" if told else ""
    limits = f"FDR {100 * policy.fdr:g}%, margin {100 * float(policy.margin):.3g}%"
    unit = ", runs taken as independent (--unit run)" if policy.unit == "run" else ""
    return f"Judged {len(report.rows) - len(open_)} of {len(report.rows)}{rest}. {limits}{unit}."


def _reason(row: Row) -> str:
    if row.comparability.why:
        return "on hosts that differ"
    if row.result.design == "exact":
        return "constant"
    return "too few boots or runs"


def notes(report: Report) -> list[str]:
    """What a reader should know, each once: differing hosts, warnings of the statistics, boots that would help."""
    found: Counter[str] = Counter()
    for row in report.rows:
        found.update(row.result.warnings)
        if row.comparability.why:
            found[row.comparability.why[0].upper() + row.comparability.why[1:]] += 1
    said = [f"{text} ({count} rows)" if count > 1 else text for text, count in found.most_common()]
    if any(row.result.interval_scope for row in report.rows):
        said.append("an interval marked w is of one boot; how much boots differ is unknown")
    for unit in ("boots", "runs"):
        more = [row.result.boots_more for row in report.rows if row.result.boots_more and _unit(row) == unit]
        if more:
            what = "show the changes seen, or that none is beyond the margin (80% power each)"
            said.append(f"Inconclusive rows: {_spread(more)} more {unit} a side would {what}.")
    return said


def _unit(row: Row) -> str:
    return "runs" if row.result.design == "runs" else "boots"
