"""What of a host can change its numbers: the severity of each field, and the differences between two host states.

Standard library only, no database: `report` judges comparability with it, `ingest` collects the fields.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

State = Mapping[str, str]


class Severity(StrEnum):
    """What a difference does to a verdict: forbids it, weakens it, or is only mentioned."""

    BLOCK = "block"
    DOWNGRADE = "downgrade"
    NOTE = "note"


# The first pattern that matches decides; what matches none is a note.
SEVERITY: tuple[tuple[str, Severity], ...] = (
    # another machine, or the same one under another roof
    ("virtualization", Severity.BLOCK),
    ("cpu.vendor", Severity.BLOCK),
    ("cpu.model", Severity.BLOCK),
    ("cpu.family_model_stepping", Severity.BLOCK),
    ("microcode", Severity.BLOCK),
    ("cpu.online", Severity.BLOCK),
    ("cpu.sockets", Severity.BLOCK),
    ("cpu.cores_per_socket", Severity.BLOCK),
    ("numa.nodes", Severity.BLOCK),
    # a debug kernel measures its own checks
    ("kernel.debug.*", Severity.BLOCK),
    # the same machine, set differently
    ("cpu.threads_per_core", Severity.DOWNGRADE),
    ("cpu.isolated", Severity.DOWNGRADE),
    ("cpu.nohz_full", Severity.DOWNGRADE),
    ("smt.*", Severity.DOWNGRADE),
    ("memory.total", Severity.DOWNGRADE),
    ("kernel.cmdline", Severity.DOWNGRADE),
    ("kernel.preempt*", Severity.DOWNGRADE),
    ("thp.khugepaged.*", Severity.NOTE),
    ("thp.*", Severity.DOWNGRADE),
    ("hugepages.*", Severity.DOWNGRADE),
    ("ksm.run", Severity.DOWNGRADE),
    ("numa_balancing", Severity.DOWNGRADE),
    ("lru_gen.*", Severity.DOWNGRADE),
    ("cpufreq.*", Severity.DOWNGRADE),
    ("cpuidle.*", Severity.DOWNGRADE),
    ("clocksource", Severity.DOWNGRADE),
    ("mitigations.*", Severity.DOWNGRADE),
    ("kvm.*", Severity.DOWNGRADE),
    ("kvm_intel.*", Severity.DOWNGRADE),
    ("kvm_amd.*", Severity.DOWNGRADE),
    ("*", Severity.NOTE),
)

_RANK = {Severity.BLOCK: 0, Severity.DOWNGRADE: 1, Severity.NOTE: 2}
_MODULE_PARAMETER = re.compile(r"kvm(_intel|_amd)?\.")
_BOOLEAN = {"1": "Y", "0": "N"}
_NOISE_IN_MODEL = re.compile(r"\((R|TM|r|tm)\)|\bCPU\b(?! version)|\bProcessor\b|\b\d+-Core\b|@.*$|^(Intel|AMD)\b")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that two host states do not agree on; an empty side means that it is not known there."""

    field: str
    left: str
    right: str
    severity: Severity


def severity(field: str) -> Severity:
    """What a difference in this field does to a verdict."""
    return next(found for pattern, found in SEVERITY if fnmatchcase(field, pattern))


def differences(left: State, right: State, vary: Iterable[str] = ()) -> tuple[Difference, ...]:
    """The fields in which two states differ, gravest first, then by name.

    `vary` holds glob patterns of fields that are themselves under comparison: they are left out. A field known on
    one side only is never more than a note: not knowing is no difference.
    """
    patterns = tuple(vary)
    found = [
        _difference(field, left.get(field, ""), right.get(field, ""))
        for field in left.keys() | right.keys()
        if not any(fnmatchcase(field, pattern) for pattern in patterns)
        and not _is_same(field, left.get(field, ""), right.get(field, ""))
    ]
    return tuple(sorted(found, key=lambda one: (_RANK[one.severity], one.field)))


def state_digest(state: State) -> str:
    """SHA-256 of the state as canonical JSON: equal digests, equal states."""
    canonical = json.dumps(dict(state), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def summary_line(state: State) -> str:
    """A host in one line: `Xeon Gold 6248, 2x20x2, microcode 0x5003604, THP madvise`; what is unknown is left out."""
    where = state.get("virtualization", "")
    parts = (
        short_model(state.get("cpu.model", "")),
        _topology(state),
        "" if where == "bare metal" else where,
        _labelled("microcode", state.get("microcode", "")),
        _labelled("THP", state.get("thp.enabled", "")),
    )
    return ", ".join(part for part in parts if part) or "unknown host"


def short_model(model: str) -> str:
    """A CPU model without trademarks and clock: `Xeon Gold 6248`."""
    return " ".join(_NOISE_IN_MODEL.sub(" ", model).split())


def _difference(field: str, left: str, right: str) -> Difference:
    return Difference(field, left, right, severity(field) if left and right else Severity.NOTE)


def _is_same(field: str, left: str, right: str) -> bool:
    if _MODULE_PARAMETER.match(field):  # some parameters turned from int to bool: kvm_amd.nested was 1 and became Y
        return _BOOLEAN.get(left, left) == _BOOLEAN.get(right, right)
    return left == right


def _topology(state: State) -> str:
    """Sockets x cores x threads."""
    counts = [state.get(f"cpu.{part}", "") for part in ("sockets", "cores_per_socket", "threads_per_core")]
    return "x".join(counts) if all(counts) else _labelled("CPUs", state.get("cpu.online", ""))


def _labelled(label: str, value: str) -> str:
    return f"{label} {value}" if value else ""
