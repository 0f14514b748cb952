"""Values for people: a base unit scaled to a handy one, four significant digits. For display only."""

import math
from collections.abc import Iterable, Sequence

_DECIMAL = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_BINARY = ((2.0**50, "Pi"), (2.0**40, "Ti"), (2.0**30, "Gi"), (2.0**20, "Mi"), (2.0**10, "Ki"))
_COUNTED = ("pages", "pages/s", "pages/s/vcpu", "ops/s", "cycles", "count")
_FROM = 1e4  # counted things are plain numbers below

# Per base unit: from which size on (largest first), the divisor, the unit to show.
_STEPS: dict[str, tuple[tuple[float, float, str], ...]] = {
    "s": ((1.0, 1.0, "s"), (1e-3, 1e-3, "ms"), (1e-6, 1e-6, "us"), (0.0, 1e-9, "ns")),
    "B": tuple((factor, factor, f"{prefix}B") for factor, prefix in _BINARY),
    "B/s": tuple((factor, factor, f"{prefix}B/s") for factor, prefix in _BINARY),
    "bit/s": tuple((factor, factor, f"{prefix}bit/s") for factor, prefix in _DECIMAL),
    **{
        unit: tuple((max(factor, _FROM), factor, f"{prefix} {unit}") for factor, prefix in _DECIMAL)
        for unit in _COUNTED
    },
}


def scale(values: Iterable[float], unit: str) -> tuple[float, str]:
    """Return what to divide a row of values by, and the unit that is then shown; chosen for the largest value.

    Units that are not in the table (and rows of zeros) stay as they are.
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    if largest > 0:
        for least, divisor, shown in _STEPS.get(unit, ()):
            if largest * (1 + 5e-5) >= least:  # 999.99 us is shown as 1.000 ms, never as 1000 us
                return divisor, shown
    return 1.0, unit


def scaled(values: Sequence[float], unit: str) -> tuple[list[str], str]:
    """Return a row of values as texts in one unit, and that unit."""
    divisor, shown = scale(values, unit)
    return [significant(value / divisor) for value in values], shown


def show(value: float, unit: str) -> str:
    """Return one value with a handy unit: 0.0000262 s is `26.20 us`, 17179869184 B is `16 GiB`."""
    texts, shown = scaled((value,), unit)
    return f"{texts[0]} {shown}" if math.isfinite(value) else texts[0]


def significant(value: float) -> str:
    """Return a number with four significant digits; whole numbers as they are, unknown ones as `-`."""
    if not math.isfinite(value):
        return "-"
    size = abs(value)
    if size and not 1e-3 <= size < 1e6:
        return f"{value:.3e}"
    if value == round(value):
        return f"{value:.0f}"
    digits = max(0, 3 - math.floor(math.log10(size * (1 + 5e-5))))
    return f"{value:.{digits}f}"
