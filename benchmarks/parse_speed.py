"""How long ten megabytes of valid lines take, per format: medians of interleaved rounds, and the conclusion.

python benchmarks/parse_speed.py [FORMAT ...]
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable

from ingest import parsers
from ingest.records import FormatError, Output

ROUNDS = 3
SIZE = 10_000_000
LIMIT_S = 2.0
MODE = "Testing guest mode: PA-bits:ANY, VA-bits:48,  4K pages\n"


def repeated(block: str) -> str:
    return block * (SIZE // len(block) + 1)


def numbered(head: str, line: Callable[[int], str]) -> str:
    """A head and as many different lines as make ten megabytes."""
    lines, size, number = [head], 0, 0
    while size < SIZE:
        number += 1
        lines.append(line(number))
        size += len(lines[-1])
    return "".join(lines)


def rounds(number: int) -> str:
    kinds = ("dirty memory", "get dirty log", "clear dirty log")
    return "".join(f"Iteration {number} {kind} time: 0.{number:09d}s\n" for kind in kinds)


def logged() -> str:
    program = "".join(f"# {line}\n" for line in (MODE + "".join(map(rounds, range(1, 11)))).splitlines())
    name = "selftests: kvm: dirty_log_perf_test"
    return repeated(f"# {name}\n{program}ok 1 {name}\n")


MIGRATION = (
    """Migration status: completed
total time: 6844 ms
downtime: 680 ms
setup: 58 ms
transferred ram: 281942 kbytes
throughput: 340.50 mbps
total ram: 262664 kbytes
"""
    + "quoted words of an author\n" * 38
)
RUN = '{"benchmark": "a/b", "measurements": [{"metric": "m", "unit": "ms", "better": "lower", "values": [1.5, 2.5]}]}\n'
TEXTS: dict[str, Callable[[], str]] = {
    "dirty_log_perf_test": lambda: numbered(MODE, rounds),
    "memslot_perf_test": lambda: numbered(
        "Testing map performance with 99999 runs, 1 seconds each\n",
        lambda n: f"Test took 0.{n:09d}s for slot setup + 1.067689410s all iterations\n",
    ),
    "access_tracking_perf_test": lambda: numbered(
        "Populating memory             : 1.900000000s\n", lambda n: f"Writing to idle memory        : 0.{n:09d}s\n"
    ),
    "demand_paging_test": lambda: repeated(
        MODE + "Started all vCPUs\n" * 60 + "Total guest execution time: 2.190870000s\n"
    ),
    "mmtest": lambda: numbered(
        "Thread:8, Mem:64M, Time:9 Cmd:(null).\n", lambda n: f"The {n} time: {538233957 + n} ns.\n"
    ),
    "kselftest": logged,
    "qemu-info-migrate": lambda: repeated(MIGRATION),
    "vmexit": lambda: repeated("cpuid 1098\nvmcall 1559\n" + "paging enabled\n" * 70),
    "jsonl": lambda: repeated(RUN),
    "csv": lambda: numbered("benchmark,metric,unit,better,value,vcpus\n", lambda n: f"a/b,latency,us,lower,12.{n},4\n"),
}


def seconds(text: str) -> float:
    gc.collect()
    begin = time.process_time()
    try:
        parsers.parse(Output(text))
    except FormatError as error:
        raise SystemExit(f"the benchmark's own text is refused: {error}") from error
    return time.process_time() - begin


def main() -> None:
    names = sys.argv[1:] or list(TEXTS)
    texts = {name: TEXTS[name]() for name in names}
    taken: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(ROUNDS):
        for name, text in texts.items():
            taken[name].append(seconds(text))
    print(f"{'format':<28}{'MB':>6}{'lines':>9}{'median s':>10}{'MB/s':>7}")
    for name, text in texts.items():
        median = statistics.median(taken[name])
        size = len(text) / 1e6
        print(f"{name:<28}{size:>6.1f}{text.count(chr(10)):>9}{median:>10.2f}{size / median:>7.1f}")
    slow = [name for name in names if statistics.median(taken[name]) > LIMIT_S]
    print(f"conclusion: {'slower than 2 s: ' + ', '.join(slow) if slow else 'all within 2 s'}")


if __name__ == "__main__":
    main()
