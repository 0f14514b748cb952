"""How a host is set: memory management, frequency, idle, mitigations, kvm. Python 3.8, nothing of ours."""

from __future__ import annotations

import re

from .sources import Source

_CPU = "/sys/devices/system/cpu"
_THP = "/sys/kernel/mm/transparent_hugepage"
_HUGEPAGES = "/sys/kernel/mm/hugepages"
_CLOCK = "/sys/devices/system/clocksource/clocksource0"

# field, file; a later row stands in when an earlier one of the same field has nothing
_FILES = (
    ("cpu.online", f"{_CPU}/online"),
    ("cpu.isolated", f"{_CPU}/isolated"),
    ("cpu.nohz_full", f"{_CPU}/nohz_full"),
    ("smt.active", f"{_CPU}/smt/active"),
    ("smt.control", f"{_CPU}/smt/control"),
    ("thp.enabled", f"{_THP}/enabled"),
    ("thp.defrag", f"{_THP}/defrag"),
    ("thp.shmem_enabled", f"{_THP}/shmem_enabled"),
    ("thp.khugepaged.defrag", f"{_THP}/khugepaged/defrag"),
    ("thp.khugepaged.pages_to_scan", f"{_THP}/khugepaged/pages_to_scan"),
    ("thp.khugepaged.scan_sleep_millisecs", f"{_THP}/khugepaged/scan_sleep_millisecs"),
    ("ksm.run", "/sys/kernel/mm/ksm/run"),
    ("lru_gen.enabled", "/sys/kernel/mm/lru_gen/enabled"),
    ("numa_balancing", "/proc/sys/kernel/numa_balancing"),
    ("clocksource", f"{_CLOCK}/current_clocksource"),
    ("cpuidle.driver", f"{_CPU}/cpuidle/current_driver"),
    ("cpuidle.governor", f"{_CPU}/cpuidle/current_governor"),
    ("cpuidle.governor", f"{_CPU}/cpuidle/current_governor_ro"),
)
_POLICY_FILES = (
    ("cpufreq.governor", "scaling_governor"),
    ("cpufreq.driver", "scaling_driver"),
    ("cpufreq.epp", "energy_performance_preference"),
    ("cpufreq.min_khz", "scaling_min_freq"),
    ("cpufreq.max_khz", "scaling_max_freq"),
)
_TURBO = (
    (f"{_CPU}/intel_pstate/no_turbo", {"0": "on", "1": "off"}),
    (f"{_CPU}/cpufreq/boost", {"0": "off", "1": "on"}),
)
_MAY_BE_EMPTY = ("cpu.isolated", "cpu.nohz_full")  # an empty file says: none
_CHOSEN = re.compile(r"\[([^\]]*)\]")


def settings(source: Source) -> dict[str, str]:
    """Every setting that the source shows, canonical: of `always [madvise] never` the chosen word."""
    state: dict[str, str] = {}
    for field, path in _FILES:
        state[field] = state.get(field) or _chosen(source.text(path))
    for field in _MAY_BE_EMPTY:
        is_there = source.text(f"{_CPU}/online") and field.split(".")[1] in source.names(_CPU)
        state[field] = state[field].replace("(null)", "") or ("none" if is_there else "")
    state["numa.nodes"] = _nodes(source)
    for part in (_frequency, _huge_pages, _mitigations, _modules):
        state.update(part(source))
    return state


def memory_total(meminfo: dict[str, str]) -> str:
    """The installed memory, estimated: MemTotal rounded up to an eighth of the power of two below, in GiB.

    MemTotal lacks what the kernel and its firmware took, which differs between kernels by megabytes: rounding to a
    fixed small step would make one host two.
    """
    kib = _kib(meminfo.get("MemTotal", ""))
    if not kib:
        return ""
    step = max((1 << (kib.bit_length() - 1)) // 8, 1)
    return f"{-(-kib // step) * step / (1 << 20):g} GiB"


def swap(swaps: str, meminfo: dict[str, str]) -> str:
    """Whether there is any swap space: on, off, or "" unknown."""
    if swaps:
        return "on" if len(swaps.splitlines()) > 1 else "off"
    total = meminfo.get("SwapTotal", "")
    return ("on" if _kib(total) else "off") if total else ""


def meminfo(text: str) -> dict[str, str]:
    """The entries of /proc/meminfo."""
    return dict(re.findall(r"^(\w[^:\n]*):[ \t]*(\d+(?: kB)?)$", text, re.MULTILINE))


def _chosen(text: str) -> str:
    found = _CHOSEN.search(text)
    return found.group(1) if found else " ".join(text.split())


def _nodes(source: Source) -> str:
    count = sum(1 for name in source.names("/sys/devices/system/node") if re.fullmatch(r"node\d+", name))
    return str(count or "")


def _frequency(source: Source) -> dict[str, str]:
    """Of each frequency setting the distinct values over all CPUs."""
    policies = [f"{_CPU}/cpufreq/{name}" for name in source.names(f"{_CPU}/cpufreq") if name.startswith("policy")]
    if not policies:
        policies = [f"{_CPU}/{name}/cpufreq" for name in source.names(_CPU) if re.fullmatch(r"cpu\d+", name)]
    state = {}
    for field, name in _POLICY_FILES:
        values = {source.text(f"{policy}/{name}") for policy in policies} - {""}
        state[field] = ", ".join(sorted(values))
    for path, meaning in _TURBO:
        state["cpufreq.turbo"] = state.get("cpufreq.turbo") or meaning.get(source.text(path), "")
    return state


def _huge_pages(source: Source) -> dict[str, str]:
    """Reserved huge pages, and the sizes of transparent ones (6.8 and later), by size: `hugepages.2048kB.nr`."""
    state = {}
    for name in source.names(_HUGEPAGES):
        state[f"hugepages.{_size(name)}.nr"] = source.text(f"{_HUGEPAGES}/{name}/nr_hugepages")
    for name in source.names(_THP):
        if name.startswith("hugepages-"):
            state[f"thp.{_size(name)}.enabled"] = _chosen(source.text(f"{_THP}/{name}/enabled"))
    return state


def _size(name: str) -> str:
    return name.partition("-")[2]


def _mitigations(source: Source) -> dict[str, str]:
    """What the kernel does against each vulnerability; newer kernels add parts `BHI: Not affected`, left out."""
    folder = f"{_CPU}/vulnerabilities"
    return {f"mitigations.{name}": _mitigation(source.text(f"{folder}/{name}")) for name in source.names(folder)}


def _mitigation(text: str) -> str:
    parts = [part.strip() for part in text.split(";")]
    return "; ".join(part for part in parts if part and not part.endswith(": Not affected"))


def _modules(source: Source) -> dict[str, str]:
    """The parameters of the kvm modules that are loaded."""
    state = {}
    for module in ("kvm", "kvm_intel", "kvm_amd"):
        folder = f"/sys/module/{module}/parameters"
        for name in source.names(folder):
            state[f"{module}.{name}"] = source.text(f"{folder}/{name}")
    return state


def _kib(text: str) -> int:
    digits = text.partition(" ")[0]
    return int(digits) if digits.isdigit() and len(digits) < 18 else 0
