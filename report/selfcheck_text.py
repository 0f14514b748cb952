"""A self-check as text (at most 72 columns) and as JSON lines."""

import json
import textwrap
from collections.abc import Sequence

from report.selfcheck import HostCheck, too_few
from report.words import WIDTH, ascii_only, counted


def render(checks: Sequence[HostCheck]) -> str:
    """Per host: what would be found of regressions of several sizes, and what would be flagged falsely."""
    lines = [line for one in checks for line in [*_host(one), ""]]
    return "".join(f"{line.rstrip()}\n" for line in lines[:-1])


def to_json(checks: Sequence[HostCheck]) -> str:
    """One object a host."""
    return "".join(f"{json.dumps(_object(one), allow_nan=False)}\n" for one in checks)


def _host(one: HostCheck) -> list[str]:
    result = one.result
    usable = f"{result.metrics} of {counted(result.metrics + result.unusable, 'metric')} can be split into two sides"
    told = f"{one.host}: {usable} ({result.by_boots} by boots, {result.by_runs} by runs inside boots; "
    lines = _wrapped(f"{told}typically {counted(one.boots, 'boot')}, {counted(one.runs, 'run')} of one revision)")
    if result.metrics:
        lines += ["", f"{'regression of':>14}{'put in':>9}{'found':>9}{'called equivalent':>20}"]
        for found in result.sizes:
            size, share = f"{100 * found.size:.3g}%", f"{100 * found.found / max(found.injected, 1):.0f}%"
            wrong = f"{100 * found.equivalent / max(found.injected, 1):.0f}%"
            lines.append(f"{size:>14}{found.injected:>9}{share:>9}{wrong:>20}")
        comparisons = result.splits * len(result.sizes)
        flags = f"{result.false_flags:.2f} false flags a comparison of {counted(result.metrics, 'metric')}"
        lines += ["", *_wrapped(f"{flags}; none in {result.false_none} of {counted(comparisons, 'comparison')}.")]
    missing = too_few(one)
    return [*lines, *_wrapped(f"Too little data: {missing}." if missing else "")]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(ascii_only(text), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _object(one: HostCheck) -> dict[str, object]:
    result = one.result
    return {
        "host": one.host,
        "metrics": result.metrics,
        "by_boots": result.by_boots,
        "by_runs": result.by_runs,
        "unusable": result.unusable,
        "splits": result.splits,
        "sizes": [
            {"size": found.size, "injected": found.injected, "found": found.found, "equivalent": found.equivalent}
            for found in result.sizes
        ],
        "false_flags_a_comparison": result.false_flags,
        "comparisons_without_false_flag": result.false_none,
        "too_few": too_few(one),
    }
