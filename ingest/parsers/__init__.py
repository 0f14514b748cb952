"""Text of one benchmark output in, records out. Pure: no files, no database.

`FORMATS` is the registry: to teach kvmperf another program, write a file beside this one and add its row here.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ingest.parsers import (
    access_tracking,
    any_selftest,
    demand_paging,
    dirty_log_perf,
    guest_memory,
    kselftest,
    later,
    memslot_modification,
    memslot_perf,
    mmtests,
    mmu_stress,
    page_table,
    program,
    xapic_ipi,
)
from ingest.parsers.margins import without_margin
from ingest.parsers.runner_case import program_of
from ingest.records import Format, FormatError, Output, Record, UnknownFormatError

_SELFTESTS = (
    dirty_log_perf.PROGRAM,
    demand_paging.PROGRAM,
    memslot_perf.PROGRAM,
    page_table.PROGRAM,
    access_tracking.ACCESS_TRACKING,
    access_tracking.EXECUTE,
    mmu_stress.MMU_STRESS,
    mmu_stress.MAX_GUEST_MEMORY,
    memslot_modification.PROGRAM,
    xapic_ipi.PROGRAM,
)
_QEMU = (
    *later.rows(
        "qemu_info_migrate",
        [("qemu-info-migrate", 1)],
        (
            "Migration status:",
            "transferred ram:",
            "expected downtime:",
            "Time (ms):",
            "store-global-state:",
            "total time: ",
        ),
    ),
    *later.rows(
        "qemu_query_migrate",
        [("qemu-query-migrate", 1), ("qemu-dirty-rate", 1)],
        ('"return"', '"status"', '"sample-pages"', "Sample Pages: "),
    ),
    *later.rows("qemu_migration_events", [("qemu-migration-events", 1)], ('"MIGRATION',)),
    *later.rows("qemu_guestperf", [("qemu-guestperf", 1)], ('"progress_history"',)),
)
_UNIT_TESTS = (
    *later.rows(
        "unit_test_output",
        [(f"kvm-unit-tests/{name}", 2) for name in ("vmexit", "realmode", "svm", "micro-bench", "dirty-log-perf")],
        (
            *(
                "cpuid",
                "call ",
                "_cr8",
                "mov_dr",
                "inl_from",
                "outl_to",
                "ipi",
                "round",
                "wr_",
                "rd_",
                "deadline",
                "mmio-",
            ),
            *(
                "portio-",
                "invlpg",
                "rdtsc",
                "rdpmc",
                "pause",
                "hlt",
                "vmexit",
                " cycles/",
                "Latency ",
                "avg ns",
                "dirty log:",
            ),
        ),
    ),
    *later.rows(
        "unit_test_results",
        [("kvm-unit-tests", 1)],
        (" tests", "(timeout; duration=", "(terminated on SIG", "SUMMARY: ", "TAP version 13", "run_tests.sh"),
    ),
)
_ANY = (
    *later.rows("any_jsonl", [("jsonl", 1)], ('"benchmark"',)),
    *later.rows("any_csv", [("csv", 1)], ("benchmark",)),
)
_MAILS = (
    *later.rows("lkp", [("lkp-report", 1)], ("%stddev", "fail:runs")),
    *later.rows("page_table_lists", [("kvm_page_table_test-mail", 1)], ("_MAPPINGS:", "_BLOCKS:"), bare=True),
    *later.rows(
        "mail_tables",
        [("mail-table", 1)],
        ("|", "efore", "ithout", "aseline", "ase ", "ld ", "anilla", "itigated", "npatched", "Rate", "Time,"),
        bare=True,
    ),
)
# In order of precedence: a row further down is asked only when no row above recognises the output.
FORMATS: tuple[Format, ...] = (
    kselftest.make_format(_SELFTESTS),
    *(program.make_format(one) for one in _SELFTESTS),
    guest_memory.make_format(guest_memory.MMTEST),
    guest_memory.make_format(guest_memory.MIGRATE_PERF),
    *_QEMU,
    *_UNIT_TESTS,
    *mmtests.FORMATS,
    *_ANY,
    *_MAILS,
    any_selftest.FORMAT,
)
_BY_NAME = {row.name: row for row in FORMATS}
_MAX_LINES = 2_000_000  # no benchmark prints that many; a line costs a few hundred bytes while it is read


def parse(output: Output, format: str = "") -> list[Record]:  # noqa: A002 - the word that people type
    """The runs in the output, in order; `format` names a row of the registry instead of looking for it.

    A text without a command line can hold runs of several programs (a mail): each is read by its own parser.
    """
    if output.text.count("\n") > _MAX_LINES:
        raise FormatError(output.source, 0, f"more than {_MAX_LINES:,} lines", "capture one run per file")
    if "\xa0" in output.text:  # the blanks of web pages and mail programs
        output = replace(output, text=output.text.replace("\xa0", " "))
    with _without_collection():
        try:
            return _parse(output, format)
        except FormatError:
            if found := _read_without_margin(output, format):
                return found
            raise


def _read_without_margin(output: Output, name: str) -> list[Record]:
    """The runs with numbers in a text that can be read once what a logger wrote in front of its lines is gone."""
    bare = without_margin(output.text)
    if bare.margin is None:
        return []
    try:
        records = _parse(replace(output, text=bare.text), name)
    except FormatError:
        return []
    note = f"The text was cleaned first: {bare.margin.name} taken off the front of its lines."
    is_quote = bare.margin.is_quote
    return [
        replace(one, warnings=(*one.warnings, note), reported=one.reported or is_quote)
        for one in records
        if one.measurements
    ]


@contextmanager
def _without_collection() -> Iterator[None]:
    """Records are trees of tuples: looking for cycles among 200,000 of them took a quarter of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parse(output: Output, name: str) -> list[Record]:
    rows = _chosen(output, name)
    if len(rows) == 1:
        return rows[0].parse(output)
    records: list[Record] = []
    errors: list[FormatError] = []
    for row in rows:
        try:
            records += row.parse(output)
        except FormatError as error:
            errors.append(error)
    if not records:
        raise errors[0]
    return [record for record in records if record.measurements] or records[:1]


def _chosen(output: Output, name: str) -> Sequence[Format]:
    if name:
        return (_named(name, output),)
    if output.files:
        return mmtests.FORMATS[:1]
    if FORMATS[0].recognises(output):  # a log of the kselftest runner
        return FORMATS[:1]
    # Most outputs come with a command line: asking thirty rows about each took a third of the time of reading it.
    named = _BY_NAME.get(program_of(output))
    if named is not None and named.recognises(output):
        return (named,)
    recognised = [row for row in FORMATS[1:] if row.recognises(output)]
    if not recognised:
        raise UnknownFormatError(output.source, 0, _what(output), f"name its format with --format: {_names()}")
    return [row for row in recognised if row is not any_selftest.FORMAT] or recognised


def _named(name: str, output: Output) -> Format:
    for row in FORMATS:
        if row.name == name:
            return row
    raise UnknownFormatError(output.source, 0, f"there is no format {name!r}", f"known formats: {_names()}")


def _names() -> str:
    return ", ".join(row.name for row in FORMATS)


def _what(output: Output) -> str:
    if output.command:
        return f"no parser knows the program of {output.command[:80]!r}"
    return "no parser recognises the text" if output.text.strip() else "the file is empty and no command line is known"
