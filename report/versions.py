"""What happened between the versions of a series, in sentences: v3 lost what v2 gained. Pure."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from report.pairs import Kind
from report.words import case_line, percent
from stats.policy import Verdict

if TYPE_CHECKING:
    from report.comparison import Row

_MOST = 0.5  # of an effect that may be left where most of it went
_VERSION = re.compile(r"(?P<series>.+)@v(?P<version>\d+)(?:/\d+)?$")


def sentences(rows: Sequence["Row"]) -> list[str]:
    """One sentence for each gain that the next version lost, and each loss that it made good.

    Only verdicts count, each version against its base, and only where the two intervals do not meet.
    """
    said: list[str] = []
    for _, same in groupby((row for row in rows if row.kind is Kind.HEAD), key=lambda row: row.series.id):
        placed = ((match, row) for row in same if (match := _VERSION.match(row.head)))
        for (was, before), (now, after) in pairwise(placed):
            if was["series"] == now["series"] and was["version"] != now["version"]:
                said += _said(before, after, (was["version"], now["version"]))
    return said


def _said(before: "Row", after: "Row", names: tuple[str, str]) -> Iterator[str]:
    was, now = before.result, after.result
    if was.ci is None or now.ci is None or was.effect is None or now.effect is None:
        return
    if was.ci[0] <= now.ci[1] and now.ci[0] <= was.ci[1]:
        return
    series = after.series
    where = f"{series.metric} of {case_line(series.benchmark, sorted(series.params.items()))} on {series.host}"
    became = f"{where}: {percent(was.effect)} became {percent(now.effect)}"
    if was.verdict is now.verdict and abs(now.effect) > _MOST * abs(was.effect):
        return
    what = "most of what" if was.verdict is now.verdict else "what"
    if was.verdict is Verdict.IMPROVEMENT:
        yield f"v{names[1]} lost {what} v{names[0]} gained: {became}"
    elif was.verdict is Verdict.REGRESSION:
        yield f"v{names[1]} made good {what} v{names[0]} lost: {became}"
