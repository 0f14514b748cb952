"""Units for axes and cells: `stats.units` for pages, which see statistics only through reports."""

from collections.abc import Iterable

from stats.units import scale, significant


def axis_scale(values: Iterable[float], unit: str) -> tuple[float, str]:
    """What to divide by and the unit to write: (1e-3, "ms") for values around 20 ms. The largest value decides."""
    return scale(values, unit)


def with_unit(value: float, factor: float, unit: str) -> str:
    """A value as a short text with the unit that `axis_scale` gave."""
    return f"{significant(value / factor)} {unit}".strip()
