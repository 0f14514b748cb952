"""A small MMTests tree, made by hand in the grammar of its logs, and readers of the captured ones."""

from collections.abc import Mapping
from pathlib import Path

from ingest.parsers.mmtests import timestamps, tree
from ingest.records import Output, Record

STAMPS = """start :: 1795346021
test begin :: hackbench-process-pipes 1795346021
test end :: hackbench-process-pipes 1795346031 0
time :: hackbench-process-pipes 2.14 user 1.04 system 8.13 elapsed
test begin :: trunc 1795346031
test end :: trunc 1795346041 0
time :: trunc 1.00 user 2.00 system 3.00 elapsed
finish :: 1795346042
"""
HACKBENCH = "# Running 'sched/messaging' benchmark:\n\n     Total time: 0.066 [sec]\n"
COMMANDS = (
    "/srv/x/bin/perf bench sched messaging --pipe  -g 1 -l 100\n/y/perf bench sched messaging --pipe -g 2 -l 100\n"
)
TIMED = "0.25user 1.01system 1:01.88elapsed 54%CPU (0avgtext+0avgdata 525760maxresident)k\n0inputs+8outputs\n"
BOOT = "b01bcf53-0b3f-473b-b4d3-c065bdced528"
FILES: Mapping[str, str] = {
    "tests-timestamp": STAMPS,
    "kernel.version": "Linux lab 6.18.44-x #1 SMP PREEMPT_DYNAMIC @0 x86_64 GNU/Linux\n",
    "kernel-tuning.txt": f"/proc/sys/kernel/hostname:lab\n/proc/sys/kernel/random/boot_id:{BOOT}\n",
    "lscpu.txt": "CPU(s):   2\nOn-line CPU(s) list: 0,1\nVendor ID: GenuineIntel\nModel name: Xeon\nFlags: fpu\n",
    "hackbench-process-pipes/logs/hackbench-1": HACKBENCH * 2,
    "hackbench-process-pipes/logs/commands.log": COMMANDS,
    "trunc/logs/time-fault-1": TIMED,
    "mpstat-trunc": "what the monitor saw\n",
}


def make_run(
    folder: Path,
    name: str = "6.18-a",
    *,
    files: Mapping[str, str | bytes] = FILES,
    iterations: int = 1,
    first: int = 346,
) -> Path:
    """A run with the same files in each iteration, a thousand seconds after the other from `first` thousand on."""
    for number in range(iterations):
        for path, content in files.items():
            file = folder / name / f"iter-{number}" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            text = content.replace("1795346", f"1795{first + number}") if isinstance(content, str) else content
            file.write_bytes(text.encode() if isinstance(text, str) else text)
    return folder / name


def read_logs(benchmark: str, logs: Mapping[str, str | bytes], **beside: str) -> Record:
    """The record of a benchmark that ended well, from its logs."""
    files = {
        f"{benchmark}/logs/{name}": text.encode() if isinstance(text, str) else text for name, text in logs.items()
    }
    stamps = f"test begin :: {benchmark} 1\ntest end :: {benchmark} 2 0\n"
    files |= {timestamps.FILE: stamps.encode()} | {
        name.replace("_", "."): text.encode() for name, text in beside.items()
    }
    (record,) = tree.parse(Output("", f"run/iter-0/{benchmark}", files=files))
    return record


def printed(record: Record) -> dict[str, list[float]]:
    """The values of each operation in the unit that MMTests prints, by the labels of the record."""
    found: dict[str, list[float]] = {}
    for one in record.measurements:
        found.setdefault(one.metric, []).append(one.value / factor(record, one.metric))
    return found


def factor(record: Record, operation: str) -> float:
    """The factor from the printed unit to the base unit."""
    labels = record.labels
    words = (name.partition(" ")[2] for name in labels if name.startswith("mmtests.factor "))
    fitting = [word for word in words if operation.startswith(word) or f"-{word}-" in operation]
    return float(labels[f"mmtests.factor {max(fitting, key=len)}" if fitting else "mmtests.factor"])


def series(record: Record) -> dict[str, list[float]]:
    """The values of each time series in base units."""
    found: dict[str, list[float]] = {}
    for one in record.measurements:
        found.setdefault(one.series, []).append(one.value)
    return found
