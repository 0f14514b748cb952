"""The summary statistics that MMTests prints, by its own definitions: to check its reports and to print the like.

Not what kvmperf judges by: all samples of all iterations are pooled here, as if they were independent. Directions are
MMTests' ("Lower", "Higher": what it takes for better), also where they are known to be wrong.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Sample = NDArray[np.float64]
Direction = Literal["Lower", "Higher"]

# Which rows a benchmark gets. `mean` is Amean or Hmean, `bmean` that of the best N percent.
KINDS: Mapping[str, tuple[str, ...]] = {
    "Multiops": ("min", "mean", "stddev", "coeffvar", "max", "bmean 95"),
    "Normalisedops": ("min", "mean", "bmean 95", "pctile 95", "stddev", "coeffvar", "max"),
    "NormalisedLeftSkewops": (
        *("min", "mean", "bmean 50", "pctile 50", "bmean 75", "pctile 75", "bmean 90", "pctile 90"),
        *("bmean 99", "pctile 99", "stddev", "coeffvar", "max"),
    ),
    "Singleops": ("ops",),
    "Subselection": ("min", "mean", "bmean 95", "stddev", "coeffvar", "max"),
}
_Z = 1.959963984540054  # qnorm(0.975)
_DRAWN_SHARE = 0.8
_DRAWS = 1000
_TOGETHER = 1 << 20  # drawn samples at a time
_AS_ZERO = 0.00001  # what a ratio of zero counts in a geometric mean


@dataclass(frozen=True, slots=True)
class Interval:
    """MMTests' "95 % interval": where single samples lie, not their mean; hence very wide."""

    low: float
    high: float

    @property
    def half(self) -> float:
        """Half the width."""
        return (self.high - self.low) / 2


def summarise(values: Iterable[float], direction: Direction, kind: str = "Multiops") -> dict[str, float]:
    """The rows of a benchmark of this kind by their printed names, in printed order; NaN where undefined."""
    best_first = _best_first(values, direction)
    return {_name(row, direction): _statistic(best_first, row, direction) for row in KINDS[kind]}


def mean(values: Iterable[float], direction: Direction) -> float:
    """Amean for Lower, Hmean for Higher; NaN without values, and for an Hmean unless all are positive."""
    found = np.asarray(list(values), dtype=np.float64)
    if not found.size or (direction == "Higher" and (found <= 0).any()):
        return float("nan")
    return float(found.mean()) if direction == "Lower" else float(found.size / np.sum(1 / found))


def deviation(values: Iterable[float], direction: Direction) -> float:
    """Stddev (over n-1) for Lower; HStddev for Higher, by the delta method and over n. NaN for a single value."""
    found = np.asarray(list(values), dtype=np.float64)
    if found.size <= 1:
        return float("nan")
    if direction == "Lower":
        return float(found.std(ddof=1))
    centre = mean(found, direction)
    return float(np.sqrt(np.sum((1 / found - 1 / centre) ** 2 * centre**4) / found.size)) if centre > 0 else centre


def interval(values: Iterable[float], direction: Direction) -> Interval | None:
    """Mean plus and minus 1.96 deviations of the samples; None where there is no deviation."""
    found = np.asarray(list(values), dtype=np.float64)
    centre, spread = mean(found, direction), deviation(found, direction)
    if not np.isfinite(centre) or not np.isfinite(spread):
        return None
    half = float(f"{_Z * spread:.7g}")  # MMTests asks R, which answers with seven digits
    return Interval(centre - half, centre + half)


def percent(statistic: str, value: float, base: float, direction: Direction) -> float:
    """What stands in brackets behind a value: positive is always better. 0 where either side is unknown."""
    if not _is_known(value) or not _is_known(base):
        return 0.0
    if direction == "Higher" and not _is_spread(statistic):
        return _gain(value, base)
    return _loss(value, base)


def significance(new: Interval | None, base: Interval | None) -> float:
    """How far apart two intervals are: base minus new over the sum of the half widths, whatever is better.

    MMTests prints stars where it is beyond 1 or -1. 0 where an interval is missing or both have no width.
    """
    if new is None or base is None or new.half + base.half == 0:
        return 0.0
    return ((base.low + base.high) - (new.low + new.high)) / 2 / (new.half + base.half)


def is_significant(ratio: float) -> bool:
    """Whether MMTests prints stars."""
    return abs(ratio) > 1


def ratio(value: float, base: float) -> float:
    """A value over the base of the ratio report: 0 for a base of zero or none, 1 for a value of zero or none."""
    if not _is_known(base) or base == 0:
        return 0.0
    return value / base if _is_known(value) and value != 0 else 1.0


def geometric_mean(ratios: Iterable[float]) -> float:
    """The Gmean row of the ratio report; a ratio of zero counts as 0.00001."""
    found = np.asarray(list(ratios), dtype=np.float64)
    return float(np.exp(np.mean(np.log(np.where(found == 0, _AS_ZERO, found))))) if found.size else float("nan")


def sub_mean(iterations: Iterable[Sample], direction: Direction, seed: int) -> float:
    """SubAmean: the mean over iterations of the median mean of 1000 random draws of four fifths of the samples.

    MMTests draws with its own random numbers: equal to its figure only within the error of the drawing.
    """
    drawn = _drawn(iterations, direction, seed)
    return float(np.mean([one.mean for one in drawn])) if drawn else float("nan")


def sub_mean_interval(iterations: Iterable[Sample], direction: Direction, seed: int) -> Interval | None:
    """SubAmean with SubAmeanCI, half the width: from the variance inside and between iterations; None without draws.

    After Kalibera, Bulej and Tuma, "Automated Detection of Performance Regressions: The Mono Experience". Inside counts
    the median variance of the draws, between the squared distances of the medians weighted by what was drawn.
    """
    drawn = _drawn(iterations, direction, seed)
    if not drawn or any(one.size < 2 for one in drawn):
        return None
    centre = float(np.mean([one.mean for one in drawn]))
    inside = float(np.mean([one.variance for one in drawn]))
    distances = sum((one.mean - centre) ** 2 * one.size for one in drawn)
    between = distances / (len(drawn) - 1) if len(drawn) > 1 else 0.0
    half = _Z * float(np.sqrt((between + inside) / sum(one.size for one in drawn)))
    return Interval(centre - half, centre + half)


class _Drawn(NamedTuple):
    """What was drawn from an iteration: samples a draw, median of the means, median of the variances."""

    size: int
    mean: float
    variance: float


def _drawn(iterations: Iterable[Sample], direction: Direction, seed: int) -> list[_Drawn]:
    random = np.random.default_rng(seed)
    found: list[_Drawn] = []
    for values in iterations:
        size = int(_DRAWN_SHARE * values.size)
        if size == 0:
            continue
        means, variances = [], []
        rows = max(1, _TOGETHER // size)  # all draws of a long iteration together would take gigabytes
        for start in range(0, _DRAWS, rows):
            shape = (min(rows, _DRAWS - start), size)
            draws = random.choice(values, shape)
            means.append(draws.mean(axis=1) if direction == "Lower" else size / (1 / draws).sum(axis=1))
            variances.append(random.choice(values, shape).var(axis=1, ddof=1) if size > 1 else np.zeros(shape[0]))
        found.append(_Drawn(size, float(np.median(np.concatenate(means))), float(np.median(np.concatenate(variances)))))
    return found


def _best_first(values: Iterable[float], direction: Direction) -> Sample:
    rising = np.sort(np.asarray(list(values), dtype=np.float64))
    return rising if direction == "Lower" else rising[::-1]


def _statistic(best_first: Sample, row: str, direction: Direction) -> float:
    what, _, share = row.partition(" ")
    if what == "coeffvar":  # the one row that is 0 where it is undefined
        return _variation(best_first, direction)
    if not best_first.size:
        return float("nan")
    best = max(1, int(best_first.size * int(share) / 100)) if share else best_first.size
    return {
        "min": lambda: float(best_first.min()),
        "max": lambda: float(best_first.max()),
        "ops": lambda: float(best_first[0]),
        "mean": lambda: mean(best_first, direction),
        "bmean": lambda: mean(best_first[:best], direction),
        "pctile": lambda: float(best_first[best - 1]),
        "stddev": lambda: deviation(best_first, direction),
    }[what]()


def _variation(values: Sample, direction: Direction) -> float:
    centre, spread = mean(values, direction), deviation(values, direction)
    return 100 * spread / centre if np.isfinite(centre) and np.isfinite(spread) and centre != 0 else 0.0


def _name(row: str, direction: Direction) -> str:
    """The printed name: `Amean`, `HStddev`, `BAmean.95`, `Pctile.95`."""
    what, _, share = row.partition(" ")
    is_lower = direction == "Lower"
    names = {
        "min": "Min",
        "max": "Max",
        "ops": "Ops",
        "mean": "Amean" if is_lower else "Hmean",
        "bmean": f"BAmean.{share}" if is_lower else f"BHmean.{share}",
        "pctile": f"Pctile.{share}",
        "stddev": "Stddev" if is_lower else "HStddev",
        "coeffvar": "CoeffVar" if is_lower else "HCoeffVar",
    }
    return names[what]


def _is_known(value: float) -> bool:
    return bool(np.isfinite(value)) and value != -1


def _is_spread(statistic: str) -> bool:
    return "Stddev" in statistic or "CoeffVar" in statistic


def _gain(value: float, base: float) -> float:
    if value in (base, 0):
        return 0.0
    return value * 100 / base - 100 if base else 100.0


def _loss(value: float, base: float) -> float:
    if value == base:
        return 0.0
    if value == 0:
        return 100.0
    return 100 - value * 100 / base if base else -99.0
