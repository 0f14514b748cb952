"""Host facts out of the dumps of an iteration: what is there is read, what is not stays unknown."""

import gzip
import lzma
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from mmtests_tree import BOOT, make_run

from ingest.hostfacts import HostFacts
from ingest.mmtests.facts import read_facts

SYSSTATE = """start :: 1
test begin :: trunc 1
file start :: /proc/vmstat
nr_free_pages 1
file start :: /proc/meminfo
MemTotal:       24684084 kB
SwapTotal:             0 kB
file start :: /proc/schedstat
file end :: /proc/meminfo
MemTotal:       1 kB
"""
CPUPOWER = """analyzing CPU 0:
  driver: intel_pstate
  current policy: frequency should be within 800 MHz and 3.50 GHz.
                  The governor "powersave" may decide which speed to use
  boost state support:
    Supported: yes
    Active: yes
"""
DMESG = """[    0.000000] Linux version 6.18.44-x (gcc) #1 SMP
[    0.000000] Command line: BOOT_IMAGE=/boot/x root=/dev/vda mitigations=off
[    0.000000] DMI: QEMU Standard PC, BIOS 1.16 04/01/2014
[    1.000000] clocksource: Switched to clocksource tsc-early
[    2.000000] clocksource: Switched to clocksource tsc
"""
DUMPS: dict[str, str | bytes] = {
    "tests-timestamp": "start :: 1\n",
    "kernel.version": "Linux lab 6.18.44-x #1 SMP PREEMPT_DYNAMIC @0 x86_64 GNU/Linux\n",
    "kernel-tuning.txt.gz": gzip.compress(
        f"/proc/sys/kernel/numa_balancing:1\n/proc/sys/kernel/random/boot_id:{BOOT}\n".encode()
    ),
    "cpu-vulnerabilities.txt": "/sys/devices/system/cpu/vulnerabilities/l1tf:Mitigation: PTE Inversion\n",
    "vm-tuning.txt.xz": lzma.compress(b"/sys/kernel/mm/transparent_hugepage/enabled:always [madvise] never\n"),
    "lscpu.txt": "On-line CPU(s) list:  0-3,8,10,11\nVendor ID: Intel\nModel name: Xeon\nSocket(s): 2\nFlags: fpu\n",
    "numactl.txt": "available: 2 nodes (0-1)\nnode 0 cpus: 0 1\nnode 0 size: 1 MB\nnode 1 cpus: 2\nnode 1 size: 1 MB\n",
    "tests-sysstate.gz": gzip.compress(SYSSTATE.encode()),
    "cpupower.txt": CPUPOWER,
    "cpuidle.txt": "CPUidle driver: intel_idle\nCPUidle governor: menu\n",
    "dmesg.gz": gzip.compress(DMESG.encode()),
    "kconfig-6.18.44-x.txt": "CONFIG_KASAN=y\nCONFIG_SLUB=y\n",
    "preempt-dynamic": "none voluntary (full) lazy",
    "os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
}


def facts(folder: Path, dumps: dict[str, str | bytes]) -> HostFacts:
    return read_facts(make_run(folder, files=dumps) / "iter-0")


def test_every_dump_tells_its_part(tmp_path: Path) -> None:
    found = facts(tmp_path, DUMPS)

    assert (found.hostname, found.kernel_release, found.boot_id) == ("lab", "6.18.44-x", BOOT)
    expected = {
        "cpu.model": "Xeon",
        "cpu.online": "0-3,8,10-11",
        "cpu.sockets": "2",
        "numa.nodes": "2",
        "numa_balancing": "1",
        "thp.enabled": "madvise",
        "mitigations.l1tf": "Mitigation: PTE Inversion",
        "memory.total": "24 GiB",
        "swap": "off",
        "cpufreq.driver": "intel_pstate",
        "cpufreq.governor": "powersave",
        "cpufreq.turbo": "on",
        "cpuidle.driver": "intel_idle",
        "cpuidle.governor": "menu",
        "clocksource": "tsc",
        "kernel.cmdline": "mitigations=off",
        "kernel.debug.KASAN": "y",
        "kernel.debug.LOCKDEP": "n",
        "kernel.preempt": "dynamic",
        "kernel.preempt_mode": "full",
    }
    assert {name: found.state.get(name) for name in expected} == expected
    assert found.readings["os"] == "Debian GNU/Linux 12"


def test_nothing_is_invented_and_nothing_comes_from_this_machine(tmp_path: Path) -> None:
    found = facts(tmp_path, {"tests-timestamp": "start :: 1\n"})

    assert (found.hostname, found.boot_id, found.kernel_release, found.state) == ("", "", "", {})


def test_a_journal_of_one_boot_names_it(tmp_path: Path) -> None:
    boot = "0123456789abcdef" * 2

    one = facts(tmp_path / "one", {"tests-timestamp": "", "journalctl-kernel": f"-- Boot {boot} --\nx\n"})
    two = facts(
        tmp_path / "two", {"tests-timestamp": "", "journalctl-kernel": f"-- Boot {boot} --\n-- Boot {'a' * 32} --\n"}
    )

    assert (one.boot_id, two.boot_id) == (boot, "")


def test_damaged_dumps_are_unknown(tmp_path: Path) -> None:
    found = facts(tmp_path, DUMPS | {"dmesg.gz": b"\x1f\x8b broken", "kernel-tuning.txt.gz": b""})

    assert found.boot_id == ""
    assert "clocksource" not in found.state
    assert "dmesg.gz" in found.unreadable


@given(st.sampled_from(sorted(DUMPS)), st.data())
def test_whatever_the_dumps_hold_there_are_facts(tmp_path_factory, name: str, data: st.DataObject) -> None:
    content = DUMPS[name]
    raw = bytearray(content.encode() if isinstance(content, str) else content)
    for place in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=8)):
        raw[place] = data.draw(st.integers(0, 255))

    found = facts(tmp_path_factory.mktemp("facts"), DUMPS | {name: bytes(raw[: data.draw(st.integers(0, len(raw)))])})

    assert all(isinstance(value, str) and value for value in found.state.values())


def test_captured_trees_tell_their_machine(shared: Path) -> None:
    found = read_facts(shared / "corpus/mmtests/logs/6.18-base/iter-0")

    assert (found.hostname, found.kernel_release) == ("vm", "6.18.44-fc-v669")
    assert found.boot_id == "b01bcf53-0b3f-473b-b4d3-c065bdced528"
    assert found.state["virtualization"] == "nested kvm"
    assert found.state["cpuidle.governor"] == "haltpoll"
    assert found.state["memory.total"] == "24 GiB"
    assert found.state["swap"] == "off"
    assert found.state["cpu.online"] == "0-1"
