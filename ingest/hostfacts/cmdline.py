"""The kernel command line without what says only where to boot from and where to print.

Kept: every undotted parameter that is not in `_NO_EFFECT`, and dotted ones of modules in `_MODULES`. Any other dotted
name (`lab.boot=7`, `systemd.unit=`) is a marker or belongs to user space: a mark per boot must not make two boots of a
host look like two hosts. Runs on Python 3.8 and imports nothing of ours.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

_NO_EFFECT = frozenset(
    (
        *("BOOT_IMAGE", "BOOTIF", "initrd", "root", "rootfstype", "rootflags", "rootwait", "rootdelay", "ro", "rw"),
        *("resume", "resume_offset", "init", "rdinit", "single", "emergency", "rescue", "boot", "cryptdevice"),
        *("quiet", "splash", "rhgb", "debug", "console", "earlycon", "earlyprintk", "loglevel", "ignore_loglevel"),
        *("log_buf_len", "netconsole", "no_console_suspend", "consoleblank", "fbcon", "video", "vga", "nomodeset"),
        *("panic", "reboot", "ip", "nfsroot", "nfsaddrs", "ds", "autoinstall", "biosdevname", "hostname", "plymouth"),
    )
)
_MODULES = (
    *("kvm", "kvm_intel", "kvm_amd", "irqbypass", "vfio*", "vhost*", "virtio*", "tun", "iommu*", "intel_iommu"),
    *("intel_idle", "intel_pstate", "amd_pstate", "acpi_cpufreq", "cpufreq*", "cpuidle*", "haltpoll", "processor"),
    *("rcupdate", "rcutree", "srcutree", "workqueue", "clocksource", "watchdog", "printk_ratelimit", "psi", "random"),
    *("transparent_hugepage", "page_alloc", "page_reporting", "memory_hotplug", "zswap", "zram", "ksm", "damon*"),
    *("kasan", "kcsan", "kmsan", "kfence", "sysctl", "nvme*", "scsi_mod", "dm_mod", "xen*", "hv_*", "mce", "apic"),
)
_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')


def canonical(text: str) -> tuple[str, tuple[str, ...]]:
    """The parameters that can change numbers, sorted by name, and the names of those left out.

    Parameters of one name keep their order (the last wins), and a `hugepagesz=` stays with its `hugepages=`. What
    follows `--` is for init. Values left out are not repeated: they can be secrets.
    """
    kept: list[tuple[str, str]] = []
    dropped: list[str] = []
    for word in _WORD.findall(text):
        if word == "--":
            break
        name, assigned, value = _parameter(word)
        if not _has_effect(name):
            dropped.append(name)
        elif name == "hugepages" and kept and kept[-1][0] == "hugepagesz" and " " not in kept[-1][1]:
            kept[-1] = ("hugepagesz", f"{kept[-1][1]} {name}{assigned}{value}")
        else:
            kept.append((name, name + assigned + value))
    kept.sort(key=lambda one: one[0])
    return " ".join(parameter for _, parameter in kept), tuple(sorted(set(dropped)))


def _parameter(word: str) -> tuple[str, str, str]:
    """Name, `=` and value; the kernel reads `-` and `_` in a name as the same letter."""
    name, assigned, value = word.partition("=")
    return name.strip('"').replace("-", "_"), assigned, value


def _has_effect(name: str) -> bool:
    if name in _NO_EFFECT or not name:
        return False
    prefix, dot, _ = name.partition(".")
    return not dot or any(fnmatchcase(prefix, module) for module in _MODULES)
