"""One step of one time series, in words and numbers that decisions are made from. Pure."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from alerts.judge import EVIDENCE, effect_from, interval
from db.detection import Place, StepRow
from db.types import Floats
from db.values import SeriesRow
from db.words import Better, Evidence

_SLACK = ((12.0, 0), (8.0, 1), (5.0, 2))  # standard errors, and how many revisions off a step's place may then be
_UNSURE = 3
_PLACE = 11.0  # over (size / noise)²: so many revisions off are 95 of 100 steps at most (J. Bai 1997: argmax of a walk)
_WIDEST = 5  # revisions off; more would take the changes of two weeks for one


@dataclass(frozen=True, slots=True)
class Step:
    """A step between the positions `base` and `head` of a line; `worse`: away from the metric's better direction."""

    series: SeriesRow
    line: str
    base: int
    head: int
    row: StepRow
    evidence: Evidence
    worse: bool

    @property
    def is_shown(self) -> bool:
        """Whether it is a change of the code that still stands, by all that is known."""
        return self.evidence in (Evidence.CANDIDATE, Evidence.CONFIRMED) and not self.row.at_host

    @property
    def size(self) -> float:
        """The effect on a scale on which a step and its reversal add to nothing."""
        is_ratio = self.row.before > 0 and self.row.after > 0 and self.row.effect > -1
        return math.log1p(self.row.effect) if is_ratio else self.row.effect

    @property
    def error(self) -> float:
        """The standard error of `size`."""
        return abs(self.size) / self.row.z if self.row.z > 0 else abs(self.size)

    def measured_from(self, before: float) -> "Step":
        """The same step from another level, as surely measured as it was."""
        row = self.row
        effect, z = effect_from(before, (row.before, row.after), row.effect, row.z)
        is_ratio = min(before, row.after) > 0
        low, high = interval(effect, z, is_ratio=is_ratio)
        changed = row._replace(before=before, effect=effect, low=low, high=high, z=z)
        worse = self.worse if (effect > 0) == (row.effect > 0) else not self.worse
        return replace(self, row=changed, worse=worse)

    @property
    def source(self) -> tuple[str, int]:
        """What is measured together: metrics of one test case on one host are no independent witnesses."""
        return self.series.host, self.series.test_case_id

    @property
    def reach(self) -> tuple[int, int]:
        """The first and last position at which the change may have happened.

        Noise moves a step, and points that follow make it surer, yet no better placed: that is its size over the noise.
        """
        slack = next((off for z, off in _SLACK if self.row.z >= z), _UNSURE)
        if self.size:
            slack = max(slack, round(min(_PLACE * (self.row.noise / self.size) ** 2, _WIDEST)))
        return self.base + 1 - slack, self.head + slack


def from_tables(
    tables: Mapping[int, Floats], series: Mapping[int, SeriesRow], places: Mapping[int, Place]
) -> dict[int, list[Step]]:
    """The steps of each time series in the order of lines and positions; those of revisions no longer followed drop."""
    found: dict[int, list[Step]] = {}
    for number, table in tables.items():
        if number in series and series[number].better != Better.NONE:
            found[number] = sorted(_of_series(table, series[number], places), key=lambda one: (one.line, one.head))
    return found


def _of_series(table: Floats, series: SeriesRow, places: Mapping[int, Place]) -> Iterable[Step]:
    for numbers in table.tolist():
        row = StepRow(*numbers)
        base, head = places.get(int(row.base)), places.get(int(row.head))
        if base and head and base.line == head.line:
            worse = (row.effect > 0) == (series.better == Better.LOWER)
            evidence = EVIDENCE[int(row.evidence)]
            yield Step(series, head.line, base.position, head.position, row, evidence, worse)
