"""How the kernel was built where that costs time: debug options, preemption. Python 3.8, nothing of ours.

The release is not here: it names the code that was measured, not the host.
"""

from __future__ import annotations

import re

DEBUG_OPTIONS = (
    *("KASAN", "KCSAN", "KMSAN", "LOCKDEP", "PROVE_LOCKING", "PROVE_RCU", "LOCK_STAT", "DEBUG_LOCK_ALLOC"),
    *("DEBUG_MUTEXES", "DEBUG_SPINLOCK", "DEBUG_ATOMIC_SLEEP", "DEBUG_PREEMPT", "DEBUG_PAGEALLOC", "DEBUG_VM"),
    *("DEBUG_OBJECTS", "DEBUG_KMEMLEAK", "SLUB_DEBUG_ON", "KVM_PROVE_MMU", "GCOV_KERNEL", "KCOV"),
)
# Printed at every boot of such a kernel: a log from its first line on that lacks them says no.
_BANNERS = (
    ("KASAN", re.compile(r"KernelAddressSanitizer initialized")),
    ("LOCKDEP", re.compile(r"Lock dependency validator: Copyright")),
)
_FIRST_LINE = re.compile(r"\[ +0\.000000\] (Command line|Linux version)")
_DYNAMIC = re.compile(r"Dynamic Preempt: (\w+)")


def debug_state(config: str, dmesg: str) -> dict[str, str]:
    """`kernel.debug.KASAN` and its like, y or n; without the kernel's config only what the boot log tells."""
    if "CONFIG_" in config:
        built = set(re.findall(r"^CONFIG_(\w+)=y$", config, re.MULTILINE))
        return {f"kernel.debug.{option}": "y" if option in built else "n" for option in DEBUG_OPTIONS}
    said = {option: bool(banner.search(dmesg)) for option, banner in _BANNERS}
    is_whole = _FIRST_LINE.search(dmesg) and dmesg.count("\n") > 100  # a log cut off early tells nothing
    return {f"kernel.debug.{option}": "y" if found else "n" for option, found in said.items() if found or is_whole}


def preempt_state(version: str, debugfs: str, dmesg: str) -> dict[str, str]:
    """The model that was built in, and the mode that a dynamic kernel runs in."""
    if not version:
        return {}
    built = re.search(r"\bPREEMPT(?:_(RT|DYNAMIC|LAZY)|\b)", version)
    name = (built.group(1) or "full").lower() if built else "none or voluntary"
    chosen = re.search(r"\((\w+)\)", debugfs) or _DYNAMIC.search(dmesg)
    return {"kernel.preempt": name, "kernel.preempt_mode": chosen.group(1) if chosen else ""}


def release(uname: str, version: str) -> str:
    """The kernel release (`6.12.107+deb12-amd64`) from `uname -a`, else from /proc/version."""
    words = uname.split()
    found = re.match(r"Linux version (\S+)", version)
    if len(words) > 2:
        return words[2]
    return found.group(1) if found else ""
