"""Reports made by hand, for rendering tests: no database, no statistics."""

from datetime import UTC, datetime

from db.hoststate import Difference, Severity
from db.queries import Filters
from db.values import RevisionRow, SeriesRow
from report.comparability import Comparability
from report.comparison import Absent, Report, Request, Row
from report.pairs import against
from stats.compare import Comparison, Policy, Replication, Verdict
from stats.effects import GeometricMean

NOW = datetime(2026, 11, 1, tzinfo=UTC)
STATE = {
    "cpu.model": "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
    "cpu.sockets": "2",
    "cpu.cores_per_socket": "20",
    "cpu.threads_per_core": "2",
    "microcode": "0x5003604",
    "thp.enabled": "madvise",
    "virtualization": "bare metal",
}
PARAMS = {"vcpus": 64, "bytes_per_vcpu": 1 << 30, "backing_src": "anonymous_thp", "random_access": False}


def revision(id_, name, **more):
    facts = {"kernel": "6.12-rc3", "commit": "8e929cb546ee1f00", "subject": "", **more}
    return RevisionRow(id=id_, label=name, committed_at=None, first_seen_at=NOW, **facts)


def result(verdict, base, head, ci, **more):
    told = {
        "p": 0.001,
        "q": 0.004,
        "n": (Replication(4, 20, 100), Replication(4, 20, 100)),
        "design": "nested",
        "why": f"{head / base - 1:+.1%} is what it is",
        **more,
    }
    return Comparison(verdict, head / base - 1, ci, base=base, head=head, **told)


def row(metric, found, *, head="v2", unit="s", better="lower", comparability=None, number=0):
    series = SeriesRow(
        number or hash(metric) % 999, "bm3", "kvm-selftests/dirty_log_perf_test", 1, PARAMS, metric, unit, better
    )
    return Row(head, series, found, comparability or Comparability(None, ()), "v6.12-rc3")


THP = Difference("thp.enabled", "always", "madvise", Severity.DOWNGRADE)
ROWS = (
    row("clear_dirty_log_time.round1", result(Verdict.IMPROVEMENT, 3.309, 2.010, (-0.41, -0.37)), number=1),
    row("dirty_memory_time", result(Verdict.REGRESSION, 0.186, 0.281, (0.44, 0.58)), number=2),
    row("populate_memory_time", result(Verdict.EQUIVALENT, 6.298, 6.310, (-0.01, 0.01)), number=3),
    row(
        "disable_dirty_logging_time",
        result(Verdict.INCONCLUSIVE, 3.003, 2.950, (-0.06, 0.03), boots_more=3, warnings=("timer steps",)),
        number=4,
    ),
    row(
        "enable_dirty_logging_time",
        result(Verdict.INCONCLUSIVE, 0.003, 0.0031, None),
        comparability=Comparability(Severity.DOWNGRADE, (THP,), "host states differ: thp.enabled always -> madvise"),
        number=5,
    ),
)
ABSENT = (Absent("v2", "failed", "bm3", "kvm-selftests/demand_paging_test", {"vcpus": 4}, "head", 2),)


def report(rows=ROWS, heads=("v2",), absent=ABSENT, base="v6.12-rc3"):
    first = revision(1, base)
    others = tuple(revision(2 + i, name, subject="KVM: lockless") for i, name in enumerate(heads))
    return Report(
        base=first,
        heads=others,
        rows=tuple(rows),
        absent=absent,
        hosts={"bm3": STATE},
        differences=(THP,),
        geomeans=dict.fromkeys(heads, GeometricMean(-0.07, None, 4)),
        request=Request(base, tuple(heads), Filters(), (), Policy()),
        pairs=against(first, others),
    )
