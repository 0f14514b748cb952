"""Every other KVM selftest: whether it passed, and each test inside it; nothing measured."""

import re
from dataclasses import replace

from ingest.parsers import commandline, tap
from ingest.parsers.draft import Draft
from ingest.parsers.lines import Line, clean, sample
from ingest.parsers.program import Program, parse_lines
from ingest.parsers.runner_case import program_of, runner_case
from ingest.records import Format, FormatError, Output, Record

NAME = "kvm-selftest"
VERSION = 2
_ASSERTION = "==== Test Assertion Failure ===="
_SEED = re.compile(r"Random seed: 0x[0-9a-f]{1,16}\b")
_MAIN = re.compile(r"\bmain at (?:\w{1,40}/)?(?P<name>[\w-]{1,60})\.c:\d")
_NAME = re.compile(r"[A-Za-z]\w{2,60}\Z")
# Selftests whose names do not end like a test's
_ODD_NAMES = frozenset(
    {
        *("debug_regs", "get_msr_index_features", "get-reg-list", "hyperv_clock", "hyperv_cpuid", "hyperv_evmcs"),
        *("hyperv_features", "hyperv_ipi", "hyperv_tlb_flush", "kvm_create_max_vcpus", "set_boot_cpu_id", "steal_time"),
        *("tsc_scaling_sync", "arch_timer", "arch_timer_edge_cases", "set_id_regs", "vgic_init", "vgic_irq"),
        *("smccc_filter", "aarch32_id_regs", "debug-exceptions", "hypercalls", "no-vgic-v3"),
    }
)
_HEAD = 64 << 10
_SUFFIXES = ("_test", "_tests")


def is_selftest(name: str) -> bool:
    """Whether a program's name looks like a KVM selftest's."""
    return name in _ODD_NAMES or (name.endswith(_SUFFIXES) and _NAME.match(name) is not None)


def make_program(name: str) -> Program:
    """A program that is only known by its name."""
    return Program(
        name=name, version=VERSION, markers=(), options={}, scan=_scan, format=NAME, measures=False, derive=dict
    )


def parse_as(name: str, lines: list[Line], output: Output) -> list[Record]:
    """The record of a selftest known by name, from its cleaned lines."""
    (parent, *others) = parse_lines(make_program(name), lines, output)
    told = tap.results(lines)
    missing = tap.unreported(lines, told) if told else 0
    if missing:
        why = f"{missing} of {len(told) + missing} tests inside said nothing."
        parent = replace(parent, warnings=(*parent.warnings, why))
    return [parent, *others, *tap.records(parent, told)]


def _scan(lines: list[Line], output: Output) -> list[Draft]:
    draft = Draft(is_begun=True, is_finished=any(line.text for line in lines))
    arguments = commandline.invocation(output.command).arguments
    if arguments:
        draft.params["arguments"] = " ".join(arguments)[:200]
    return [draft]


def _recognises(output: Output) -> bool:
    if output.command or runner_case(output).program:
        return is_selftest(program_of(output))
    text = sample(output.text)
    if _file_name(output):
        return True
    return _ASSERTION in text or _SEED.search(text) is not None


def _parse(output: Output) -> list[Record]:
    name = program_of(output) or _name_in(output)
    if not name:
        raise FormatError(
            output.source,
            0,
            "this looks like a KVM selftest, but nothing says which one",
            "write its command line into a file beside it, with the ending .cmd",
        )
    return parse_as(name, clean(output.text), output)


def _name_in(output: Output) -> str:
    """The program that a failed assertion's stack or the file's name tells; empty when neither does."""
    match = _MAIN.search(sample(output.text)) or _MAIN.search(output.stderr)
    return match["name"] if match else _file_name(output)


def _file_name(output: Output) -> str:
    """The program whose log the kselftest runner (`-p`) wrote into a file of its name, every line behind a `#`."""
    name = output.source.rsplit("/", 1)[-1].split(".", 1)[0]
    text = output.text[:_HEAD].strip()
    is_log = text.startswith("#") and all(line.startswith("#") for line in text.split("\n"))
    return name if is_log and is_selftest(name) else ""


FORMAT = Format(name=NAME, version=VERSION, recognises=_recognises, parse=_parse)
