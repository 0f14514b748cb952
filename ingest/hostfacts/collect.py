"""Facts from a source: the running machine, or a folder of captured files. Python 3.8, nothing else of ours."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from . import kernel, processor, settings
from .cmdline import canonical
from .record import FactsError, HostFacts, read_json
from .sources import Folder, Machine, Source
from .virtualization import virtualization

_FACTS_FILE = "facts.json"
_SALT = b"kvmperf host identity\n"  # the raw machine-id must not leave its host; the same salt everywhere, for ever
_HINT = "give a folder with proc-cpuinfo.txt, lscpu.json, sys/ and the like, or a facts JSON"
_READINGS_OF_MEMORY = ("MemTotal", "MemFree", "MemAvailable", "HugePages_Free", "SwapFree")


def read_machine() -> HostFacts:
    """The facts of the machine this runs on. Never raises: what cannot be read is absent."""
    return collect(Machine())


def read_folder(path: Path) -> HostFacts:
    """The facts in a folder of captured files (or in its `host` folder, or its facts.json); FactsError without any."""
    if (path / _FACTS_FILE).is_file():
        return read_json(path / _FACTS_FILE)
    if not path.is_dir():
        raise FactsError(f"{path}: no such folder", _HINT)
    for folder in (path, path / "host"):
        facts = collect(Folder(folder))
        if facts.state or facts.kernel_release:
            return facts
    raise FactsError(f"{path}: no host facts in this folder", _HINT)


def collect(source: Source) -> HostFacts:
    """All facts that a source shows."""
    uname, version = source.uname(), source.expected("/proc/version")
    cpus = processor.cpuinfo(source.expected("/proc/cpuinfo"))
    listed = processor.lscpu(source.command("lscpu"))
    memory = settings.meminfo(source.expected("/proc/meminfo"))
    cmdline, left_out = canonical(source.expected("/proc/cmdline"))
    release = kernel.release(uname, version)
    dmesg = source.command("dmesg")
    state = {
        **processor.processor_state(cpus, listed),
        **settings.settings(source),
        **kernel.debug_state(_config(source, release), dmesg),
        **kernel.preempt_state(version or uname, source.text("/sys/kernel/debug/sched/preempt"), dmesg),
        "memory.total": settings.memory_total(memory),
        "swap": settings.swap(source.text("/proc/swaps"), memory),
        "kernel.cmdline": cmdline,
        "firmware": _firmware(source, dmesg),
    }
    state["virtualization"] = _virtualization(source, state["cpu.model"], processor.flags(cpus, listed), listed, dmesg)
    readings = {
        **_processor_readings(cpus),
        **{f"memory.{name}": memory.get(name, "") for name in _READINGS_OF_MEMORY},
        "kernel.cmdline.left_out": " ".join(left_out),
        "loadavg": source.text("/proc/loadavg"),
        "uptime": source.text("/proc/uptime"),
        "dmi": _dmi(source, dmesg),
    }
    return HostFacts(
        hostname=[*uname.split(), "", ""][1],
        machine_id_hash=_machine_id_hash(source),
        boot_id=_boot_id(source),
        kernel_release=release,
        kernel_version=version or uname,
        state=_known(state),
        readings=_known(readings),
        unreadable=tuple(sorted(source.unreadable)),
    )


def _known(fields: dict[str, str]) -> dict[str, str]:
    """Sorted by name, without the unknown."""
    return {name: fields[name] for name in sorted(fields) if fields[name]}


def _config(source: Source, release: str) -> str:
    """The configuration that the running kernel was built with."""
    name = release if re.fullmatch(r"[\w.+~-]+", release) else "unknown"
    paths = (
        "/proc/config.gz",
        f"/boot/config-{name}",
        f"/lib/modules/{name}/config",
        f"/lib/modules/{name}/build/.config",
    )
    for path in paths:
        found = source.text(path)
        if found:
            return found
    source.unreadable.add("kernel config")
    return ""


def _machine_id_hash(source: Source) -> str:
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        found = source.text(path)
        if re.fullmatch(r"[0-9a-f]{32}", found):
            return hashlib.sha256(_SALT + found.encode("ascii")).hexdigest()
    source.unreadable.add("/etc/machine-id")
    return ""


def _boot_id(source: Source) -> str:
    found = source.expected("/proc/sys/kernel/random/boot_id")
    return found if re.fullmatch(r"[0-9a-fA-F-]{32,36}", found) else ""


def _dmi(source: Source, dmesg: str) -> str:
    """Vendor and product of the machine."""
    named = [source.text(f"/sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name")]
    logged = re.search(r"DMI: (.*), BIOS ", dmesg)
    return " ".join(part for part in named if part) or (logged.group(1) if logged else "")


def _firmware(source: Source, dmesg: str) -> str:
    """Version and date of the BIOS."""
    named = [source.text(f"/sys/class/dmi/id/{name}") for name in ("bios_version", "bios_date")]
    logged = re.search(r"DMI: .*, BIOS (.*)", dmesg)
    return " ".join(part for part in named if part) or (logged.group(1).strip() if logged else "")


def _virtualization(source: Source, model: str, flags: set[str], listed: dict[str, str], dmesg: str) -> str:
    witnesses = {
        "hypervisor": source.text("/sys/hypervisor/type"),
        "xen": source.text("/proc/xen/capabilities"),
        "clocksources": source.text("/sys/devices/system/clocksource/clocksource0/available_clocksource"),
    }
    return virtualization(model, flags, listed, _dmi(source, dmesg), dmesg, witnesses)


def _processor_readings(cpus: list[dict[str, str]]) -> dict[str, str]:
    first = cpus[0] if cpus else {}
    return {"cpu.mhz": first.get("cpu MHz", ""), "cpu.bogomips": first.get("bogomips", "")}
