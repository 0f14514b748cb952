"""Megabytes that look like a format and are not: each of its lines grown, cut, glued and repeated."""

import random
import re
from collections.abc import Callable, Iterator

SIZE = 10_000_000
MODE = "Testing guest mode: PA-bits:ANY, VA-bits:48,  4K pages\n"
# A short text of every format, with each kind of its lines.
SAMPLES = {
    "kselftest": "TAP version 13\n1..1\n# selftests: kvm: dirty_log_perf_test\n# Test iterations: 2\n"
    "# Iteration 1 dirty memory time: 0.1s\nok 1 selftests: kvm: dirty_log_perf_test\n"
    "# selftests: kvm: sync_regs_test\n# TAP version 13\n# ok 1 sync_regs_test.read_invalid\n"
    "not ok 2 selftests: kvm: sync_regs_test # exit=254\n",
    "dirty_log_perf_test": "Test iterations: 2\n" + MODE + "Populate memory time: 0.1s\n"
    "Iteration 1 dirty memory time: 0.123456789s\nIteration 1 get dirty log time: 0.123456789s\n"
    "Get dirty log over 2 iterations took 0.000030000s. (Avg 0.000015000s/iteration)\n"
    "vCPU 0 iteration 1 dirty memory time: 0.1s\nDisabling dirty logging time: 0.1s\n",
    "demand_paging_test": MODE + "Started all vCPUs\nTotal guest execution time: 2.190870000s\n"
    "Overall demand paging rate: 5982.646346 pgs/sec\nPer-vcpu demand paging rate:\t5.000000 pgs/sec/vcpu\n",
    "memslot_perf_test": "Testing unmap chunked performance with 2 runs, 1 seconds each\n"
    "Test took 0.053738991s for slot setup + 5.033209979s all iterations\nDone 1 iterations, avg 5.033209979s each\n"
    "Best runtime result was 1.5s per iteration (with 2 iterations)\n"
    "Best slot setup time for the whole test area was 0.5s\n",
    "kvm_page_table_test": MODE + "Testing memory backing src type: anonymous\n"
    "KVM_CREATE_MAPPINGS: total execution time: 1.500000000s\n\nKVM_ADJUST_MAPPINGS: total execution time: 1.5s\n",
    "access_tracking_perf_test": "Populating memory             : 1.900000000s\nMark memory idle   : 0.5s\n"
    "lru_gen avg pass duration     : 0.5s, (passes:12, total:6.5s)\n"
    "vCPU0: idle pages: 1 out of 2, failed to mark idle: 3 no pfn: 4\n",
    "execute_perf_test": "Populating memory             : 1.900000000s\nExecuting from memory         : 1.900000000s\n",
    "mmu_stress_test": "run1 = 1.500000000s, reset = 0.000018763s, run2 = 0.5s, ro = 81.063504438s, rw = 14.9s\n",
    "max_guest_memory_test": "Running with 4gb of guest memory and 2 vCPUs\nrun1 = 1.5s, reset = 0.1s, run2 = 0.5s\n",
    "memslot_modification_stress_test": MODE + "Finished creating vCPUs\nMemslot zap quirk enabled\n"
    "All vCPU threads joined\n",
    "mmtest": "Thread:8, Mem:1024M, Time:10 Cmd:(null).\nThe 0 time: 538233957 ns.\nRun 10 times, Avg time:5 ns.\n",
    "migrate-perf": "Mem:1024M, Vcpu:4.\nRun 10 times, Avg time:   512466818 ns.\n",
    "qemu-info-migrate": "globals:\nstore-global-state: on\nMigration status: completed\ntotal time: 6844 ms\n"
    "downtime: 680 ms\ntransferred ram: 281942 kbytes\nthroughput: 340.50 mbps\nTime (ms): total=10, setup=2, down=8\n"
    "Sizes (KB): psize=4, total=2,\n  remaining=4\n",
    "qemu-query-migrate": '{"return": {"status": "completed", "total-time": 6844, "ram": {"transferred": 288708608, '
    '"mbps": 340.5, "normal": 3}}}\n',
    "qemu-dirty-rate": "Status: measured\nStart Time: 1 (ms)\nSample Pages: 512 (per GB)\nDirty rate: 12 (MB/s)\n",
    "qemu-migration-events": '{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "MIGRATION", "data": '
    '{"status": "setup"}}\n{"timestamp": {"seconds": 3, "microseconds": 2}, "event": "MIGRATION_PASS", "data": '
    '{"pass": 1}}\n',
    "qemu-guestperf": '{"progress_history": [{"duration": 1.5, "downtime": 2, "ram": {"transferred_bytes": 3}}]}\n',
    "vmexit": "before:\ncpuid 1098\n 12 vmcall 1559\nmmio-no-eventfd:pci-mem 4000\n",
    "realmode": "739 cycles/emulated jump instruction\n",
    "svm": "    Latency VMRUN : max: 12345 min: 2345 avg: 2400\n",
    "micro-bench": "name    total ns    avg ns\nhvc   30305056.0    462.0\n",
    "dirty-log-perf": "get dirty log:   80824 ns for          1 dirty pages\n",
    "unit-tests": "PASS apic (56 tests, 1 skipped)\nFAIL vmx (timeout; duration=90s)\nSKIP pku (0 tests)\n",
    "mmtests-json": '{"_ResultData": {"a": [{"SampleNrs": [1], "Values": ["1.5"]}]}, '
    '"_TestName": "r", "_ModuleName": "ExtractTrunc"}\n',
    "mmtests-table": "                 base        new\nAmean     1     0.0290 (   0.00%)    0.0300 *  -3.45%*\n"
    "Stddev    1        0.0010 (   0.00%)      0.0020 (-100.00%)\n",
    "jsonl": '{"benchmark": "a/b", "measurements": '
    '[{"metric": "m", "unit": "s", "better": "lower", "values": [1.5]}]}\n',
    "csv": "benchmark,metric,unit,better,value,vcpus\na/b,latency,us,lower,12.5,4\n",
    "lkp": "commit: \n  0b2874537210b158 (x)\n---------------- ---------------------------\n"
    "         %stddev     %change         %stddev\n      1234 ±  3%     -11.9%       1087 ±  2%  will-it-scale.ops\n"
    "       fail:runs  %reproduction    fail:runs\n           :9           67%           6:6     a.fail\n",
    "page-table-lists": "KVM_CREATE_MAPPINGS: 62.752s 62.123s 61.733s\nBefore patch:\n"
    "KVM_UPDATE_MAPPINGS: before 104.35s -> after  90.42s  +13.35%\n",
    "mail-table": "+-------+----------+--------+\n| vCPUs | Before (s) | After (s) |\n|     1 |   303.5 |  291.5 |\n"
    "Config  Metric  Before  After\na  time  1.5s  2.5s\n",
    "kvm-selftest": "Random seed: 0x6b8b4567\n==== Test Assertion Failure ====\n  x86/a_test.c:12: false\n"
    "     1\t0x000000000040 (inlined by) main at a_test.c:12\nok 1 a\n1..0 # SKIP - no\n",
    "assertion": "==== Test Assertion Failure ====\n1..0 # SKIP - requirement not met\n[FAIL]\n",
}


def texts(sample: str, size: int = SIZE) -> Iterator[tuple[str, str]]:
    """The hostile texts made of a sample, by the name of what was done to it."""
    for name, change in CHANGES.items():
        yield name, filled(change(sample), size)


def filled(text: str, size: int = SIZE) -> str:
    """As much of a text, over and over, as makes so many characters of at most the lines that a text may have."""
    lines = text.count("\n")
    copies = size // max(1, len(text)) + 1
    if lines * copies > 1_900_000:
        copies = 1_900_000 // lines
    return (text * copies)[:size]


def _each_line(change: Callable[[str], str]) -> Callable[[str], str]:
    return lambda sample: "".join(change(line) + "\n" for line in sample.split("\n")[:-1])


def _shuffled(sample: str) -> str:
    chance = random.Random(1)  # noqa: S311 - a reproducible order, no secret
    lines = [line for line in sample.split("\n") for _ in range(50)]
    chance.shuffle(lines)
    return "\n".join(lines)


CHANGES: dict[str, Callable[[str], str]] = {
    "repeated": lambda sample: sample,
    "on one line": lambda sample: sample.replace("\n", " "),
    "glued": lambda sample: sample.replace("\n", "").replace(" ", ""),
    "shuffled": _shuffled,
    "halved": _each_line(lambda line: line[: len(line) // 2]),
    "without their ends": _each_line(lambda line: line[:-1]),
    "long numbers": lambda sample: re.sub(r"\d+", "7" * 3000, sample),
    "long blanks": lambda sample: re.sub(r" +", " " * 3000, sample),
    "long words": lambda sample: re.sub(r"([A-Za-z]+)", lambda found: found[0] * 400, sample),
    "lines of a hundred copies": _each_line(lambda line: line * 100),
    "lines of a hundred cut copies": _each_line(lambda line: line[:-1] * 100 + "x"),
    "deeply quoted": _each_line(lambda line: "> " * 300 + line),
    "minus signs": lambda sample: re.sub(r"\d", "-", sample),
    "brackets": lambda sample: re.sub(r"[\w.]+", "[{(", sample),
    "many carriage returns": lambda sample: sample.replace(" ", "\r"),
}
