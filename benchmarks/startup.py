"""How long the command line takes beyond a bare Python: interleaved runs, medians, and the conclusion.

python benchmarks/startup.py
"""

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 15
OUTPUT = Path(__file__).resolve().parent.parent / "fixtures/demo/eager-split/split-on/ic-il2/dlp-thp/01.out"
LIMITS_S = {"kvmperf --help": 0.3, "kvmperf parse FILE": 0.5}


def seconds(command: list[str]) -> float:
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def main() -> None:
    kvmperf = shutil.which("kvmperf", path=str(Path(sys.executable).parent)) or "kvmperf"
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "kvmperf --help": [kvmperf, "--help"],
        "kvmperf parse FILE": [kvmperf, "parse", str(OUTPUT)],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            taken[name].append(seconds(command))
    bare = statistics.median(taken["python -c pass"])
    print(f"{'command':<22}{'median s':>10}{'beyond bare s':>15}{'limit s':>9}")
    for name, times in taken.items():
        beyond = statistics.median(t - b for t, b in zip(times, taken["python -c pass"], strict=True))
        limit = f"{LIMITS_S[name]:.1f}" if name in LIMITS_S else "-"
        print(f"{name:<22}{statistics.median(times):>10.3f}{beyond:>15.3f}{limit:>9}")
    late = [n for n, limit in LIMITS_S.items() if statistics.median(taken[n]) - bare > limit]
    print("conclusion: " + (f"over the limit: {', '.join(late)}" if late else "every command is within its limit"))


if __name__ == "__main__":
    main()
