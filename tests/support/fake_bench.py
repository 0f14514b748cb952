"""A stand-in for dirty_log_perf_test: prints its lines, with times that the tree in the current folder plants.

`cost` in the tree holds the time of clearing the dirty log in seconds, `broken` makes the build fail. The noise of run
N of a tree is the same in every process: it is drawn from the tree's cost and N, which a counter beside the script
keeps.
"""

import os
import sys
import zlib
from math import exp
from pathlib import Path
from random import Random

NOISE = 0.02


def main() -> int:
    """Print one run; 125 where the tree cannot be built."""
    if Path("broken").exists():
        sys.stderr.write("error: does not build\n")
        return 125
    cost = float(Path("cost").read_text())
    counter = Path(__file__).with_name("count")
    number = int(counter.read_text()) + 1 if counter.exists() else 1
    counter.write_text(str(number))
    random = Random(zlib.crc32(f"{cost} {number} {os.environ.get('SEED', '')}".encode()))  # noqa: S311
    lines = [
        "Test iterations: 3",
        "Testing guest mode: PA-bits:ANY, VA-bits:48,  4K pages",
        "guest physical test memory: [0xfcfefff000, 0xfcfffff000)",
        f"Populate memory time: {0.7 * exp(random.gauss(0, NOISE)):.9f}s",
        "Enabling dirty logging time: 0.000140808s",
    ]
    run = random.gauss(0, NOISE)
    for i in (1, 2, 3):
        lines += [
            f"Iteration {i} dirty memory time: 0.110838824s",
            f"Iteration {i} get dirty log time: 0.000020432s",
            f"Iteration {i} clear dirty log time: {cost * exp(run + random.gauss(0, NOISE / 4)):.9f}s",
        ]
    sys.stdout.write("\n".join([*lines, "Disabling dirty logging time: 0.000109048s", ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
