"""A `Tested-by:` line that says what was run, where, how often, and what came out. Pure."""

import textwrap

from db.errors import UserError
from db.hoststate import summary_line
from report.comparison import Report
from report.words import WIDTH, ascii_only
from stats.policy import Verdict


def render(report: Report, tester: str) -> str:
    """The scope in brackets, then one line for each head. Raises UserError where something regressed."""
    bad = sum(row.result.verdict is Verdict.REGRESSION for row in report.rows)
    if bad:
        raise UserError(f"{_many(bad, 'regression')}: this is no Tested-by", "`--format mail` writes the report")
    lines: list[str] = []
    for head in report.heads:
        rows = [row for row in report.rows if row.head == head.name]
        programs = sorted({row.series.benchmark.rsplit("/", 1)[-1] for row in rows})
        cases = len({row.series.test_case_id for row in rows})
        hosts = ", ".join(
            f"{host} ({summary_line(state)})" if state else host
            for host, state in report.hosts.items()
            if any(row.series.host == host for row in rows)
        )
        open_ = sum(row.result.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_COMPARABLE) for row in rows)
        boots = min((row.result.n[1].boots for row in rows), default=0)
        said = (
            f"[ {head.name} against {rows[0].base if rows else report.base.name}: {', '.join(programs)}, "
            f"{_many(cases, 'test case')}, {_many(len(rows), 'metric')}, {_many(boots, 'boot')} at least, on {hosts}: "
            f"no regression{f', {open_} undecided' if open_ else ''} ]"
        )
        lines += textwrap.wrap(ascii_only(said), WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return "".join(f"{line}\n" for line in [*lines, f"Tested-by: {ascii_only(tester)}"])


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
