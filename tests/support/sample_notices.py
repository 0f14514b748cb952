"""Notices for tests: a regression in two metrics, its recovery, a host that fell silent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.notices.notice import Kind, Moved, Notice

AT = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
CASE = "dirty_log_perf_test backing_src=anonymous_thp bytes_per_vcpu=1G vcpus=64"
PROGRAM = "kvm-selftests/dirty_log_perf_test"
OPENED = Notice(
    kind=Kind.OPENED,
    group=17,
    at=AT,
    title="51.1% regression of dirty_log_perf_test.dirty_memory_time on 6.13.0-rc2",
    why=(
        "dirty_memory_time rose by 51.1% [+44,+58] between 6.13.0-rc1 and 6.13.0-rc2 on bm3 and bm4, 9 standard "
        "deviations of its noise, and 3 later revisions stay there"
    ),
    state="new",
    base="6.13.0-rc1",
    head="6.13.0-rc2",
    base_full="6.13.0-rc1 (8e929cb546ee)",
    head_full='6.13.0-rc2 (a1b2c3d4e5f6) "KVM: x86/mmu: Take the lock for reading when clearing dirty bits"',
    moved=(
        Moved(PROGRAM, CASE, "dirty_memory_time", "s", "lower", "bm3", 0.186, 0.281, 0.5108, (0.44, 0.58)),
        Moved(PROGRAM, CASE, "dirty_memory_time", "s", "lower", "bm4", 0.191, 0.279, 0.4607, (0.41, 0.52)),
        Moved(PROGRAM, CASE, "clear_dirty_log_time", "s", "lower", "bm3", 3.309, 2.010, -0.3926, (-0.41, -0.37)),
        Moved(
            PROGRAM, CASE, "a_name_that_is_too_long_for_the_last_column_of_a_mail", "pages/s", "higher", "bm3",
            250_000.0, 190_000.0, -0.24, None,
        ),
    ),
    hosts=("bm3", "bm4"),
    command="./dirty_log_perf_test -v 64 -b 1G -s anonymous_thp",
    link="https://perf.example.org/inbox?alert=17",
    links=("https://lore.kernel.org/r/20260301-mmu-lockless-v2-0-0123456789ab@example.org",),
)  # fmt: skip
RECOVERED = replace(
    OPENED,
    kind=Kind.RECOVERED,
    at=AT + timedelta(days=2),
    state="fixed",
    owner="alice",
    why="dirty_memory_time is back at its old level since 6.13.0-rc5",
)
SILENT = Notice(
    kind=Kind.MISSING,
    group=18,
    at=AT + timedelta(hours=3),
    title="3 hosts silent",
    why="bm7, bm8 and bm9 sent nothing for 5 days; before, they did every day",
    details=("bm7: last data 2026-02-25, 40 series", "bm8: last data 2026-02-25, 38 series"),
    hosts=("bm7", "bm8", "bm9"),
    link="https://perf.example.org/inbox?alert=18",
)
