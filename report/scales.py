"""The unit an axis is labelled in: one power for all of its values, so that ticks are short numbers."""

from collections.abc import Iterable

_LADDERS = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")),
    "B": ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B")),
}
_LADDERS["B/s"] = tuple((size, f"{name}/s") for size, name in _LADDERS["B"])
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_UNSCALED = ("ratio", "count")


def axis_scale(values: Iterable[float], unit: str) -> tuple[float, str]:
    """Divide by the number and write the name: (1e-3, "ms") for values around 20 ms. The largest value decides."""
    top = max((abs(value) for value in values), default=0.0)
    if unit in _UNSCALED or top == 0:
        return 1.0, unit
    ladder = _LADDERS.get(unit) or tuple((size, f"{prefix} {unit}".strip()) for size, prefix in _PREFIXES)
    return next((step for step in ladder if top >= step[0]), ladder[-1])
