"""Units that results of any benchmark may come in, and what they are in base units."""

from collections.abc import Mapping

from ingest.records import Unit

_SI = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
# Unit as written: base unit, factor, divisor. Dividing keeps 1001 ms at 1.001 s. KB is missing on purpose: it means
# 1000 bytes to some and 1024 to others.
UNITS: Mapping[str, tuple[Unit, float, float]] = {
    "s": (Unit.SECOND, 1.0, 1.0),
    "ms": (Unit.SECOND, 1.0, 1e3),
    "us": (Unit.SECOND, 1.0, 1e6),
    "ns": (Unit.SECOND, 1.0, 1e9),
    "min": (Unit.SECOND, 60.0, 1.0),
    "h": (Unit.SECOND, 3600.0, 1.0),
    **{f"{prefix}B": (Unit.BYTE, factor, 1.0) for prefix, factor in {**_SI, **_BINARY}.items()},
    **{f"{prefix}B/s": (Unit.BYTE_PER_SECOND, factor, 1.0) for prefix, factor in {**_SI, **_BINARY}.items()},
    **{f"{prefix}bit/s": (Unit.BIT_PER_SECOND, factor, 1.0) for prefix, factor in _SI.items()},
    "pages": (Unit.PAGE, 1.0, 1.0),
    "pages/s": (Unit.PAGE_PER_SECOND, 1.0, 1.0),
    "pages/s/vcpu": (Unit.PAGE_PER_SECOND_VCPU, 1.0, 1.0),
    **{f"{prefix}ops/s": (Unit.OPERATION_PER_SECOND, factor, 1.0) for prefix, factor in _SI.items() if prefix != "T"},
    "cycles": (Unit.CYCLE, 1.0, 1.0),
    "count": (Unit.COUNT, 1.0, 1.0),
    "ratio": (Unit.RATIO, 1.0, 1.0),
    "%": (Unit.RATIO, 1.0, 1e2),
}
KNOWN = f"known units: {', '.join(UNITS)}"
