"""A stand-in for dirty_log_perf_test: prints its lines, with times that the tree in the current folder plants.

`cost` in the tree holds the time of clearing the dirty log in seconds, comments `/* times 1.05 */` in its C files what
they do to it, `broken` makes the build fail. The noise of run N of a tree is the same in every process: it is drawn
from the tree's cost and N, which a counter beside the script keeps.
"""

import os
import re
import sys
import zlib
from math import exp, prod
from pathlib import Path
from random import Random

NOISE = 0.02


def main() -> int:
    """Print one run; 125 where the tree cannot be built."""
    if Path("broken").exists():
        sys.stderr.write("error: does not build\n")
        return 125
    code = "".join(file.read_text() for file in sorted(Path().glob("*.c")))
    cost = float(Path("cost").read_text()) * prod(map(float, re.findall(r"/\* times (\S+) \*/", code)))
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
    clear = [cost * exp(run + random.gauss(0, NOISE / 4)) for _ in range(3)]
    for i in (1, 2, 3):
        lines += [
            f"Iteration {i} dirty memory time: {0.11 * exp(random.gauss(0, NOISE)):.9f}s",
            f"Iteration {i} get dirty log time: {0.00002 * exp(random.gauss(0, NOISE)):.9f}s",
            f"Iteration {i} clear dirty log time: {clear[i - 1]:.9f}s",
        ]
    lines += [
        "Disabling dirty logging time: 0.000109048s",
        "Get dirty log over 3 iterations took 0.000060s. (Avg 0.000020s/iteration)",
        f"Clear dirty log over 3 iterations took {sum(clear):.9f}s. (Avg {sum(clear) / 3:.9f}s/iteration)",
    ]
    sys.stdout.write("\n".join([*lines, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
