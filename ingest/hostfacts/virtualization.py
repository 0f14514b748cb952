"""Whether a host is bare metal, itself a guest, or emulated. Runs on Python 3.8 and imports nothing of ours.

Numbers of KVM in a guest or under emulation are about another machine. Each witness is readable without root on most
machines, none on all: the first that names a platform decides.
"""

from __future__ import annotations

import re

BARE_METAL = "bare metal"
EMULATED = "emulated tcg"

_PLATFORMS = (
    ("kvm", re.compile(r"\bkvm|google compute engine|amazon ec2|openstack|firecracker", re.IGNORECASE)),
    ("vmware", re.compile(r"vmware", re.IGNORECASE)),
    ("hyper-v", re.compile(r"hyper-?v|virtual machine|^microsoft$", re.IGNORECASE)),
    ("virtualbox", re.compile(r"virtualbox|innotek", re.IGNORECASE)),
    ("xen", re.compile(r"\bxen", re.IGNORECASE)),
    ("bhyve", re.compile(r"\bbhyve", re.IGNORECASE)),
    ("parallels", re.compile(r"parallels", re.IGNORECASE)),
)
_DETECTED = re.compile(r"Hypervisor detected: (.+)")
_EMULATOR = re.compile(r"qemu|bochs", re.IGNORECASE)


def virtualization(
    model: str, flags: set[str], lscpu: dict[str, str], dmi: str, dmesg: str, witnesses: dict[str, str]
) -> str:
    """`bare metal`, `nested kvm` (and other platforms, or `nested unknown`), `emulated tcg`; "" without a CPU.

    `witnesses` holds "hypervisor" (/sys/hypervisor/type), "xen" (/proc/xen/capabilities) and "clocksources".
    """
    if not model and not flags:
        return ""
    if model.startswith("QEMU TCG CPU"):
        return EMULATED
    if "control_d" in witnesses.get("xen", ""):
        return "xen dom0"
    is_guest = "hypervisor" in flags
    detected = _DETECTED.search(dmesg)
    for said in (
        lscpu.get("Hypervisor vendor", ""),
        detected.group(1) if detected else "",
        witnesses.get("hypervisor", ""),
        witnesses.get("clocksources", "") if is_guest else "",
        _dmi_of_guest(dmi, is_guest),
    ):
        platform = _platform(said)
        if platform:
            return f"nested {platform}"
    return "nested unknown" if is_guest or _EMULATOR.search(dmi) else BARE_METAL


def _platform(said: str) -> str:
    return next((name for name, pattern in _PLATFORMS if pattern.search(said)), "")


def _dmi_of_guest(dmi: str, is_guest: bool) -> str:
    """Clouds rent bare metal under the names of their guests: there the CPU's flag must agree."""
    return dmi if is_guest or not re.search(r"amazon|google|openstack", dmi, re.IGNORECASE) else ""
