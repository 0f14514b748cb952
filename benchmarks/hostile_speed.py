"""How long ten megabytes take that look like a format and are not: the slowest text of each format.

    python benchmarks/hostile_speed.py [FORMAT ...]

Each of 15 changes is made to a sample of each format; the time is that of the processor, of recognising and reading.
"""

import gc
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from hostile import SAMPLES, texts  # type: ignore[import-not-found]  # noqa: E402

from ingest import parsers  # noqa: E402
from ingest.records import FormatError, Output  # noqa: E402

LIMIT_S = 2.0


def seconds(text: str) -> float:
    gc.collect()
    began = time.process_time()
    with suppress(FormatError):
        parsers.parse(Output(text))
    return time.process_time() - began


def yardstick() -> float:
    """What a fixed piece of work takes: on a loaded machine the processor's time grows too."""
    began = time.process_time()
    total = 0
    for number in range(10**7):
        total += number
    return time.process_time() - began


def main() -> None:
    names = sys.argv[1:] or list(SAMPLES)
    print(f"ten million additions of this machine, as it is loaded now: {yardstick():.2f} s")
    print(f"{'format':<34} {'slowest':<30} {'s':>6} {'median s':>9}")
    slow: list[str] = []
    for name in names:
        taken = sorted((seconds(text), change) for change, text in texts(SAMPLES[name]))
        worst, change = taken[-1]
        print(f"{name:<34} {change:<30} {worst:>6.2f} {taken[len(taken) // 2][0]:>9.2f}", flush=True)
        slow += [f"{name}, {change}: {took:.1f} s" for took, change in taken if took > LIMIT_S]
    print(f"{len(names)} formats: " + (f"slower than {LIMIT_S:.0f} s: {'; '.join(slow)}" if slow else "all within 2 s"))
    print(f"the same additions at the end: {yardstick():.2f} s")


if __name__ == "__main__":
    main()
