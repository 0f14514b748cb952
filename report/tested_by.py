"""A `Tested-by:` line that says what was run, where, how often, and what came out. Pure."""

import textwrap
from collections.abc import Sequence

from db.errors import UserError
from db.hoststate import summary_line
from report.comparison import Report, Row
from report.words import WIDTH, ascii_only, counted
from stats.policy import Verdict


def render(report: Report, tester: str) -> str:
    """The scope in brackets, then one line for each head.

    Raises UserError where something regressed, and where nothing of a head could be judged.
    """
    bad = sum(row.result.verdict is Verdict.REGRESSION for row in report.rows)
    if bad:
        raise UserError(f"{counted(bad, 'regression')}: this is no Tested-by", "`--format mail` writes the report")
    lines: list[str] = []
    for head in report.heads:
        rows = [row for row in report.rows if row.head == head.name]
        if not any(row.is_judged for row in rows):
            differ = next((row.comparability.why for row in rows if row.comparability.why), "")
            hint = differ or "measure more boots or runs: `kvmperf plan` says how many"
            said = f"nothing of {counted(len(rows), 'row')} of {head.name} could be judged: this is no Tested-by"
            raise UserError(said, hint)
        programs = sorted({row.series.benchmark.rsplit("/", 1)[-1] for row in rows})
        cases = len({row.series.test_case_id for row in rows})
        hosts = ", ".join(
            f"{host} ({summary_line(state)})" if state else host
            for host, state in report.hosts.items()
            if any(row.series.host == host for row in rows)
        )
        boots = min((row.result.n[1].boots for row in rows), default=0)
        said = (
            f"[ {head.name} against {rows[0].base}: {', '.join(programs)}, {counted(cases, 'test case')}, "
            f"{counted(len(rows), 'metric')}, {counted(boots, 'boot')} at least, on {hosts}: {_outcome(rows)} ]"
        )
        lines += textwrap.wrap(ascii_only(said), WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return "".join(f"{line}\n" for line in [*lines, f"Tested-by: {ascii_only(tester)}"])


def _outcome(rows: Sequence[Row]) -> str:
    """What came out, and of how many metrics nothing can be said."""
    apart = sum(bool(row.comparability.why) for row in rows)
    undecided = (Verdict.INCONCLUSIVE, Verdict.NOT_COMPARABLE)
    open_ = sum(row.result.verdict in undecided and not row.comparability.why for row in rows)
    told = [f"{open_} undecided"] if open_ else []
    told += [f"{apart} not judged because hosts differ"] if apart else []
    return ", ".join(["no regression", *told])
