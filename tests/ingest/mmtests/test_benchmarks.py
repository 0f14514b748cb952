"""Each benchmark's logs in its own grammar, where no captured logs are at hand or where something is amiss in them."""

import pytest
from mmtests_tree import HACKBENCH, TIMED, printed, read_logs, series

from ingest.parsers.mmtests.catalog import BENCHMARKS, GNU_TIME, known
from ingest.records import Better, FormatError, Status, Unit

WOKEN = "[Run 1]: Wokeup 2 of 2 threads in 0.1920 ms\n[Run 2]: Wokeup 2 of 2 threads in 0.0180 ms\nWokeup 2 of 2\n"
NETPERF = """MIGRATED TCP REQUEST/RESPONSE TEST from 0.0.0.0 port 0
Interim result:  727.02 10^3bits/s over 1.000 seconds ending at 1795346108.986
Socket Size   Request  Resp.   Elapsed  Throughput
bytes  bytes    bytes    bytes   secs.    10^3bits/sec

16384  131072  1        1       1.00     749.22
16384  131072
"""
STREAM = """Size    Size    Size     Time     Throughput
bytes  bytes   bytes    secs.    10^6bits/sec

131072  16384     64    1.00      749.22
"""
IPERF = """[  5]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec  0.011 ms  0/159 (0%)
Test Complete. Summary Results:
[ ID] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams
[  5]   0.00-1.00   sec  1.25 MBytes  10.5 Mbits/sec  0.000 ms  0/159 (0%)  sender
[  5]   0.00-1.00   sec  1.25 MBytes  9.25 Mbits/sec  0.011 ms  0/159 (0%)  receiver
[  7]   0.00-1.00   sec  1.25 MBytes  1.5 Mbits/sec  0.000 ms  0/159 (0%)  sender
[  7]   0.00-1.00   sec  1.25 MBytes  1.25 Mbits/sec  0.011 ms  0/159 (0%)  receiver
[SUM]   0.00-1.00   sec  2.50 MBytes  12.0 Mbits/sec  0.000 ms  0/159 (0%)  sender
Server output:
[  5]   0.00-1.00   sec  1.25 MBytes  9.99 Gbits/sec  0.011 ms  0/159 (0%)  receiver
"""
FSMARK = """#  ./fs_mark -D 10
FSUse%        Count         Size    Files/sec     App Overhead
    12         1000         4096       9817.1             7744
    12         2000         4096      10514.3             8094
"""
THP = "fault 0 base 12 100 1\nfault 1 huge 200 110 0\nfault 0 base 14 120 0\nnoise\n"
REDIS_COLUMNS = ("avg", "min", "p50", "p95", "p99", "max")
REDIS = f""""test","rps",{",".join(f'"{one}_latency_ms"' for one in REDIS_COLUMNS)}
"LPUSH","833333.31","0.031","0.008","0.031","0.039","0.079","3.767"
"LPUSH (needed to benchmark LRANGE)","408163.28","0.073","0.008","0.031","0.047","0.711","13.191"
"""
SALAD = "PARENT  CHILD   LATENCY\n000     000     142\n000     001     4220\n"
TWO_NODES = "available: 2 nodes (0-1)\nnode 0 cpus: 0\nnode 1 cpus: 1\n"

LOGS = {
    "perffutexwake": ({"benchlog-2-_-1": WOKEN}, {"wake-latency-2": [192e-6, 18e-6]}),
    "futexbench-requeue": (
        {"workloads": "requeue\n", "requeue-4.log": WOKEN.replace("Wokeup", "Requeued")},
        {"requeue-private-4": [192e-6, 18e-6]},
    ),
    "futexbench-wake": (
        {"workloads": "wake\n", "wake-2.log": f"blocking on 2 threads (at [shared] futex 0x1)\n{WOKEN}"},
        {"wake-shared-2": [192e-6, 18e-6]},
    ),
    "kernbench": ({"time-8-1": TIMED}, {"Elapsed-8": [61.88], "System-8": [1.01], "User-8": [0.25]}),
    "gitcheckout": (
        {"time-1-1": "0.01user 0.02system 1:02:03elapsed 5%CPU\n"},
        {"Elapsed-1": [3723.0], "System-1": [0.02], "User-1": [0.01]},
    ),
    "netperf-ipv4-tcp-rr": ({"protocols": "TCP_RR\n", "TCP_RR-1.1": NETPERF}, {"tcprr-send-1": [749220.0]}),
    "netperf-ipv4-tcp": (
        {"protocols": "TCP_STREAM\n", "TCP_STREAM-64.1": STREAM},
        {"tcpstream-send-64": [749220000.0]},
    ),
    "iperf3-ipv4-udp": (
        {"protocols": "udp\n", "udp-64-0-2.1": IPERF},
        {"send-64-0-2": [12e6], "recv-64-0-2": [10.5e6]},
    ),
    "fsmark": ({"fsmark-1.log": FSMARK}, {"files_sec-1": [9817.1, 10514.3]}),
    "redis": (
        {"redis-2-1.log": REDIS},
        {
            "LPUSH-RPS-2": [833333.31],
            "LPUSH-RPS-2.needed_to_benchmark_LRANGE": [408163.28],
            "LPUSH-lat95-2": [39e-6],
            "LPUSH-lat95-2.needed_to_benchmark_LRANGE": [47e-6],
            "LPUSH-lat99-2": [79e-6],
            "LPUSH-lat99-2.needed_to_benchmark_LRANGE": [711e-6],
            "LPUSH-latAvg-2": [31e-6],
            "LPUSH-latAvg-2.needed_to_benchmark_LRANGE": [73e-6],
            "LPUSH-latMax-2": [3767e-6],
            "LPUSH-latMax-2.needed_to_benchmark_LRANGE": [13191e-6],
            "LPUSH-latMin-2": [8e-6],
            "LPUSH-latMin-2.needed_to_benchmark_LRANGE": [8e-6],
        },
    ),
    "thpchallenge": (
        {"threads-1.log": THP},
        {
            "fault-base-1": [12e-6, 14e-6],
            "fault-both-1": [12e-6, 200e-6, 14e-6],
            "fault-huge-1": [200e-6],
            "huge-1": [1 / 3],
            "local-base-1": [0.5],
            "remote-base-1": [0.5],
            "local-huge-1": [0.0],
            "remote-huge-1": [1.0],
        },
    ),
    "dbench": (
        {
            "benchlog-loadfile-4": "1 2 3 12.5 5 6 7 1000\n",
            "benchlog-tput-4": "4 100 250.5 MB/sec 1 2\n",
            "benchlog-op-4": "NTCreateX 100 0.25 3.1\n",
        },
        {"loadfile-4": [0.0125], "op-NTCreateX-4": [0.00025], "tput-4": [250500000.0]},
    ),
}


@pytest.mark.parametrize("benchmark", LOGS)
def test_logs_become_operations_in_base_units(benchmark: str) -> None:
    logs, expected = LOGS[benchmark]

    record = read_logs(benchmark, logs)

    assert record.status is Status.PASS
    assert series(record) == {name: pytest.approx(values, rel=1e-12) for name, values in expected.items()}


@pytest.mark.parametrize("benchmark", LOGS)
def test_the_printed_numbers_can_be_had_again(benchmark: str) -> None:
    logs, _expected = LOGS[benchmark]
    family = known(benchmark)
    assert family is not None

    record = read_logs(benchmark, logs)

    text = " ".join(content for content in logs.values() if isinstance(content, str))
    for operation, values in printed(record).items():
        if benchmark != "iperf3-ipv4-udp" and not operation.startswith(("huge", "local", "remote", "Elapsed")):
            for value in values:  # redis and perf futex are printed in a thousandth of MMTests' unit
                assert any(f"{value * scale:.10g}" in text for scale in (1, 1e-3, 1e3))


def test_forks_are_told_by_node() -> None:
    record = read_logs("saladfork", {"saladfork-0.log": SALAD}, numactl_txt=TWO_NODES)

    assert series(record) == {"local": [142e-6], "remote": [4220e-6], "local_v_total": [0.5]}
    assert {one.metric: one.better for one in record.measurements}["local_v_total"] is Better.NONE


def test_without_numactl_every_fork_is_local_and_the_record_says_so() -> None:
    record = read_logs("saladfork", {"saladfork-0.log": SALAD})

    assert series(record)["local_v_total"] == [1.0]
    assert "numactl" in record.warnings[0]


def test_two_units_in_one_netperf_are_refused() -> None:
    logs = {"protocols": "TCP_STREAM", "TCP_STREAM-64.1": STREAM, "TCP_STREAM-64.2": STREAM.replace("10^6", "10^3")}

    with pytest.raises(FormatError, match="another unit"):
        read_logs("netperf-ipv4-tcp", logs)


def test_transactions_are_operations() -> None:
    text = NETPERF.replace("10^3bits/sec", "per sec").replace("10^3bits/s", "x")

    record = read_logs("netperf-ipv4-tcp-rr", {"protocols": "TCP_RR", "TCP_RR-1.1": text})

    assert [(one.unit, one.value) for one in record.measurements] == [(Unit.OPERATION_PER_SECOND, 749.22)]


def test_a_log_without_its_result_takes_its_operation_along_and_leaves_the_others() -> None:
    logs = {"hackbench-1": HACKBENCH, "hackbench-2": "# Running 'sched/messaging' benchmark:\n"}

    record = read_logs("hackbench-process-pipes", logs)

    assert record.status is Status.FAIL
    assert series(record) == {"time-1": [0.066]}
    assert "hackbench-2" in record.warnings[0]


def test_logs_without_any_result_are_missing_values_and_never_zeros() -> None:
    failed = "netperf: could not resolve host\n"

    record = read_logs("netperf-ipv4-udp", {"protocols": "UDP_STREAM", "UDP_STREAM-64.1": failed})

    assert (record.status, record.measurements) == (Status.FAIL, ())
    assert "no result" in record.warnings[0]


def test_a_second_try_in_hackbench_is_said() -> None:
    record = read_logs("hackbench-thread-sockets", {"hackbench-1": "# Running 'sched/messaging'\n" + HACKBENCH})

    assert series(record) == {"time-1": [0.066]}
    assert "tried again" in record.warnings[0]


def test_a_timed_command_that_failed_is_said() -> None:
    record = read_logs("poundsyscall", {"time-2-1": f"Command exited with non-zero status 3\n{TIMED}"})

    assert record.warnings == ("time-2-1: the timed command ended with status 3.",)


def test_the_end_of_stress_ng_is_no_stressor() -> None:
    head = "stress-ng: metrc: [1] stressor bogo ops real time\nstress-ng: metrc: [1] (secs) (secs)\n"
    rows = (
        "stress-ng: metrc: [1] mmap 1 1.11 0.14 0.56 0.90 1.43\nstress-ng: info:  [1] successful run completed in 1s\n"
    )

    record = read_logs("stressng", {"stressng-1-1.log": head + rows})

    assert series(record) == {"bops-mmap-1": [0.9]}


def test_a_benchmark_that_only_leaves_times_is_read_by_them() -> None:
    record = read_logs("unheard-of", {"time-4-1": TIMED})

    assert series(record) == {"Elapsed-4": [61.88], "System-4": [1.01], "User-4": [0.25]}


def test_a_benchmark_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(FormatError, match="cannot read the MMTests benchmark unheard-of"):
        read_logs("unheard-of", {"result.log": "1 2 3\n"})


def test_names_are_cut_from_their_end() -> None:
    assert known("hackbench-process-pipes") is BENCHMARKS["hackbench"]
    assert known("futexbench-hash-shared") is BENCHMARKS["futexbench-hash"]
    assert known("trunc") is GNU_TIME
    assert known("specjbb") is None


@pytest.mark.parametrize(
    ("benchmark", "operation", "better"),
    [
        ("stressng", "bops-mmap-1", Better.HIGHER),
        ("sysbenchcpu", "events/sec-2", Better.HIGHER),
        ("futexbench-hash", "hash-private-2", Better.HIGHER),
        ("redis", "GET-RPS-2", Better.HIGHER),
        ("redis", "GET-latAvg-2", Better.LOWER),
    ],
)
def test_directions_are_true_where_those_of_mmtests_are_not(benchmark: str, operation: str, better: Better) -> None:
    found = known(benchmark)
    assert found is not None

    assert found.family(operation).better is better
    assert found.preferred == "Lower"
