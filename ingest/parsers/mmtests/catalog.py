"""What is known of each benchmark: how its logs are read, units and true directions, and what MMTests makes of it.

Directions here are ours. MMTests' own are kept (`preferred`) because its summaries and signs follow them: it takes
stress-ng, sysbench cpu, futex hash and the requests per second of redis for lower-is-better, which they are not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ingest.parsers.mmtests.benchmarks import cpu, disk, locks, network, timing
from ingest.parsers.mmtests.logs import Logs
from ingest.parsers.mmtests.scan import Scan
from ingest.records import Better, Unit

Reader = Callable[[Logs, Scan], None]


@dataclass(frozen=True, slots=True)
class Family:
    """Operations with one unit: `printed` times 10**`power` times `times` is the base unit."""

    unit: Unit
    better: Better
    printed: str
    power: int = 0
    times: int = 1

    def base(self, text: str) -> float:
        """A printed number in the base unit, rounded once where the factor is a power of ten."""
        mantissa, _, exponent = text.lower().partition("e")
        return float(f"{mantissa}e{int(exponent or 0) + self.power}") * self.times

    @property
    def factor(self) -> float:
        """What a printed number is multiplied by."""
        return 10.0**self.power * self.times


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark of MMTests.

    `families` by the beginning of an operation's name, or, where the key has a dash in front, by what stands inside
    it; "" is all the others. `beside` are files of the iteration that the reader needs.
    """

    read: Reader
    families: Mapping[str, Family]
    preferred: str = "Lower"
    summary: str = "Multiops"
    beside: tuple[str, ...] = field(default=())

    def family(self, operation: str) -> Family:
        """The family of an operation: that of the longest key that fits."""
        return self.families[self.key(operation)]

    def key(self, operation: str) -> str:
        """The key of an operation's family."""
        return max((key for key in self.families if _fits(operation, key)), key=len)


def _fits(operation: str, key: str) -> bool:
    return key in operation if key.startswith("-") else operation.startswith(key)


LOW, HIGH, NEITHER = Better.LOWER, Better.HIGHER, Better.NONE
SECONDS = Family(Unit.SECOND, LOW, "s")
_MILLISECONDS = Family(Unit.SECOND, LOW, "ms", -3)
_MICROSECONDS = Family(Unit.SECOND, LOW, "us", -6)
_NANOSECONDS = Family(Unit.SECOND, LOW, "ns", -9)
_OPS = Family(Unit.OPERATION_PER_SECOND, HIGH, "ops/s")
_MEGABITS = Family(Unit.BIT_PER_SECOND, HIGH, "10^6bits/s", 6)
# What the header of a netperf log says; MMTests' configuration names one unit and netperf may print another.
NETPERF_UNITS: Mapping[str, Family] = {
    "10^9bits": Family(Unit.BIT_PER_SECOND, HIGH, "10^9bits/s", 9),
    "10^6bits": _MEGABITS,
    "10^3bits": Family(Unit.BIT_PER_SECOND, HIGH, "10^3bits/s", 3),
    "per sec": _OPS,
}
_SHARE = Family(Unit.RATIO, NEITHER, "ratio")
_PERCENT = Family(Unit.RATIO, NEITHER, "%", -2)
_TIME = {"": SECONDS}

GNU_TIME = Benchmark(timing.gnu_time, _TIME)
_HACKBENCH = Benchmark(cpu.hackbench, _TIME)
_NETPERF = Benchmark(network.netperf, {"": _MEGABITS}, preferred="Higher")
_IPERF3 = Benchmark(network.iperf3, {"": _MEGABITS}, preferred="Higher")
_FUTEX = Benchmark(locks.futexbench, {"": _MILLISECONDS})
_DBENCH = Benchmark(disk.dbench, {"": _MILLISECONDS, "tput": Family(Unit.BYTE_PER_SECOND, HIGH, "MB/s", 6)})

# A name is looked up as it is, then without its last `-word`, as MMTests does.
BENCHMARKS: Mapping[str, Benchmark] = {
    "hackbench": _HACKBENCH,
    "perfpipe": Benchmark(cpu.usecs_per("usecs-op"), {"": _MICROSECONDS}, summary="Normalisedops"),
    "perfsyscall": Benchmark(cpu.usecs_per("usecs/syscall"), {"": _MICROSECONDS}),
    "perffutexwake": Benchmark(locks.futex_wake, {"": _MICROSECONDS}),
    "futexbench-hash": Benchmark(locks.futexbench, {"": _OPS}),
    "futexbench": _FUTEX,
    **dict.fromkeys(
        (
            "time_unmap",
            "poundsyscall",
            "trunc",
            "kernbench",
            "gitcheckout",
            "nas",
            "autonumabench",
            "usemem",
            "kvmstart",
        ),
        GNU_TIME,
    ),
    "saladfork": Benchmark(cpu.saladfork, {"": _MICROSECONDS, "local_v_total": _SHARE}, beside=("numactl.txt",)),
    "sysbenchcpu": Benchmark(cpu.sysbench_cpu, {"": _OPS}),
    "sysbenchmutex": Benchmark(locks.sysbench_mutex, {"": _MILLISECONDS}),
    "stressng": Benchmark(cpu.stressng, {"": _OPS}),
    "cyclictest": Benchmark(cpu.cyclictest, {"": _MICROSECONDS, "Overflow": Family(Unit.COUNT, LOW, "count")}),
    "netperf": _NETPERF,
    "iperf3": _IPERF3,
    "redis": Benchmark(
        network.redis,
        {"": _MICROSECONDS, "-RPS-": Family(Unit.OPERATION_PER_SECOND, HIGH, "1000 ops/s", 3)},
        summary="Singleops",
    ),
    "fsmark": Benchmark(disk.fsmark, {"": _OPS}, preferred="Higher"),
    "fio": Benchmark(
        disk.fio,
        {"": Family(Unit.BYTE_PER_SECOND, HIGH, "KiB/s", 0, 1024), "latency": _NANOSECONDS},
        preferred="Higher",
    ),
    "thpchallenge": Benchmark(
        disk.thpchallenge,
        {"": _MICROSECONDS, "huge": _PERCENT, "local": _PERCENT, "remote": _PERCENT, "fault-huge": _MICROSECONDS},
    ),
    "dbench": _DBENCH,
    "tbench": _DBENCH,
}
_SECONDS_LIKE = ("User", "System", "Elapsed", "user", "syst", "elsp")


def known(name: str) -> Benchmark | None:
    """The benchmark of this name, cutting `-word` by `-word` from the end; None when it means nothing here."""
    while name:
        if name in BENCHMARKS:
            return BENCHMARKS[name]
        name = name.rpartition("-")[0]
    return None


def plain(operation: str, better: Better) -> Family:
    """The family of an operation of a benchmark that is not known: GNU time's words, else numbers as printed."""
    if operation.startswith(_SECONDS_LIKE):
        return SECONDS
    return Family(Unit.COUNT, better, "as printed")
