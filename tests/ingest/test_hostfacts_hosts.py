"""Hosts that nobody captured: every tree here is constructed from what such kernels print, to reach what no lab has."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.hoststate import Severity, differences, summary_line
from ingest.hostfacts import cmdline, kernel, processor, read_folder, settings
from ingest.hostfacts.virtualization import virtualization

CPU = "sys/devices/system/cpu"


def cpuinfo(model, sockets=1, cores=1, threads=1, **entries):
    """The text of /proc/cpuinfo for a machine of equal CPUs."""
    common = {"vendor_id": "GenuineIntel", "cpu family": 6, "model": 85, "model name": model, "stepping": 7}
    count = sockets * cores * threads
    blocks = []
    for number in range(count):
        topology = {"physical id": number % sockets, "siblings": cores * threads, "cpu cores": cores}
        block = {"processor": number, **common, "flags": "fpu vme vmx", "cpu MHz": 1000 + number, **topology, **entries}
        blocks.append("".join(f"{name}\t: {value}\n" for name, value in block.items()))
    return "\n".join(blocks)


INTEL = {
    "proc/cpuinfo": cpuinfo("Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz", 2, 20, 2, microcode="0x5003604"),
    "proc/meminfo": "MemTotal:       394867812 kB\nMemFree: 1 kB\nSwapTotal: 8388604 kB\n",
    "proc/cmdline": "BOOT_IMAGE=/vmlinuz-6.16 root=UUID=1-2 ro quiet mitigations=off isolcpus=2-5 kvm.tdp_mmu=1",
    "proc/version": "Linux version 6.16.0 (a@b) (gcc) #1 SMP PREEMPT_RT Mon Jan 1 00:00:00 UTC 2026",
    f"{CPU}/online": "0-79",
    f"{CPU}/smt/control": "on",
    f"{CPU}/cpufreq/policy0/scaling_governor": "performance",
    f"{CPU}/cpufreq/policy1/scaling_governor": "powersave",
    f"{CPU}/cpufreq/policy0/scaling_driver": "intel_pstate",
    f"{CPU}/cpufreq/policy0/energy_performance_preference": "balance_performance",
    f"{CPU}/intel_pstate/no_turbo": "1",
    f"{CPU}/cpuidle/current_driver": "intel_idle",
    f"{CPU}/vulnerabilities/spectre_v2": "Vulnerable; IBPB: disabled; STIBP: disabled; BHI: Not affected",
    "sys/devices/system/node/node0/cpulist": "0-39",
    "sys/devices/system/node/node1/cpulist": "40-79",
    "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages": "16",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    "sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled": "always inherit madvise [never]",
    "sys/module/kvm_intel/parameters/ept": "Y",
    "sys/class/dmi/id/sys_vendor": "Dell Inc.",
    "sys/class/dmi/id/product_name": "PowerEdge R640",
    "sys/class/dmi/id/bios_version": "2.10.2",
    "sys/class/dmi/id/bios_date": "02/24/2021",
}
AMD_GUEST = {
    "proc/cpuinfo": cpuinfo(
        "AMD EPYC 7543 32-Core Processor", 1, 4, 2, vendor_id="AuthenticAMD", flags="svm hypervisor"
    ),
    "sys/devices/system/clocksource/clocksource0/available_clocksource": "kvm-clock tsc acpi_pm",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "kvm-clock",
    f"{CPU}/cpufreq/boost": "1",
}


@pytest.fixture
def captured(tmp_path):
    def read(files):
        for name, content in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else (content + "\n").encode())
        return read_folder(tmp_path)

    return read


def test_intel_bare_metal(captured):
    state = captured(INTEL).state

    expected = {
        "virtualization": "bare metal",
        "cpu.vendor": "GenuineIntel",
        "cpu.family_model_stepping": "6-85-7",
        "cpu.online": "0-79",
        "numa.nodes": "2",
        "memory.total": "384 GiB",
        "swap": "on",
        "kernel.cmdline": "isolcpus=2-5 kvm.tdp_mmu=1 mitigations=off",
        "kernel.preempt": "rt",
        "cpufreq.governor": "performance, powersave",
        "cpufreq.driver": "intel_pstate",
        "cpufreq.epp": "balance_performance",
        "cpufreq.turbo": "off",
        "cpuidle.driver": "intel_idle",
        "hugepages.1048576kB.nr": "16",
        "thp.64kB.enabled": "never",
        "mitigations.spectre_v2": "Vulnerable; IBPB: disabled; STIBP: disabled",
        "kvm_intel.ept": "Y",
        "smt.control": "on",
        "firmware": "2.10.2 02/24/2021",
    }
    assert {field: state.get(field) for field in expected} == expected
    assert summary_line(state) == "Xeon Gold 6248, 2x20x2, microcode 0x5003604, THP madvise"


def test_amd_guest_of_kvm(captured):
    state = captured(AMD_GUEST).state

    assert state["virtualization"] == "nested kvm"
    assert state["cpufreq.turbo"] == "on"
    assert summary_line(state) == "EPYC 7543, 1x4x2, nested kvm"


def test_a_guest_does_not_compare_with_bare_metal(captured):
    bare = captured(INTEL)
    guest_cpu = INTEL["proc/cpuinfo"].replace("fpu vme vmx", "fpu vme vmx hypervisor")
    guest = captured({**INTEL, "proc/cpuinfo": guest_cpu})

    found = differences(bare.state, guest.state)

    assert [(d.field, d.severity) for d in found] == [("virtualization", Severity.BLOCK)]


@pytest.mark.parametrize(
    ("dmi", "flags", "vendor", "dmesg", "expected"),
    [
        ("Dell Inc. PowerEdge", "vmx", "", "", "bare metal"),
        ("Amazon EC2 m5.metal", "vmx", "", "", "bare metal"),
        ("Amazon EC2 m5.large", "hypervisor", "", "", "nested kvm"),
        ("QEMU Standard PC (Q35 + ICH9, 2009)", "hypervisor", "KVM", "", "nested kvm"),
        ("QEMU Standard PC (Q35 + ICH9, 2009)", "hypervisor", "", "", "nested unknown"),
        ("QEMU Standard PC (Q35 + ICH9, 2009)", "vmx", "", "", "nested unknown"),
        ("Microsoft Corporation Virtual Machine", "hypervisor", "Microsoft", "", "nested hyper-v"),
        ("Microsoft Corporation Surface Laptop", "vmx", "", "", "bare metal"),
        ("VMware, Inc. VMware Virtual Platform", "hypervisor", "", "", "nested vmware"),
        ("innotek GmbH VirtualBox", "hypervisor", "", "", "nested virtualbox"),
        ("Oracle Corporation ORACLE SERVER X8-2", "vmx", "", "", "bare metal"),
        ("Xen HVM domU", "hypervisor", "Xen", "", "nested xen"),
        ("", "hypervisor", "", "[    0.000000] Hypervisor detected: Microsoft Hyper-V\n", "nested hyper-v"),
        ("", "hypervisor", "", "[    0.000000] Hypervisor detected: KVM\n", "nested kvm"),
        ("", "", "", "", "bare metal"),
    ],
)
def test_what_a_host_runs_on(dmi, flags, vendor, dmesg, expected):
    found = virtualization("Some CPU", set(flags.split()), {"Hypervisor vendor": vendor}, dmi, dmesg, {})

    assert found == expected


def test_xen_dom0_is_named():
    assert virtualization("CPU", set(), {}, "", "", {"xen": "control_d", "hypervisor": "xen"}) == "xen dom0"


def test_without_a_cpu_nothing_is_claimed():
    assert virtualization("", set(), {}, "QEMU", "", {}) == ""


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("b=2 a=1", "a=1 b=2"),
        ("kvm-intel.nested=1", "kvm_intel.nested=1"),
        ("lab.boot=7 lab.job=x systemd.unit=a rd.break", ""),
        ("nokaslr nohz_full=1-3 rcu_nocbs=1-3", "nohz_full=1-3 nokaslr rcu_nocbs=1-3"),
        (
            "hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=512",
            "hugepagesz=1G hugepages=4 hugepagesz=2M hugepages=512",
        ),
        ("hugepages=512 transparent_hugepage=never", "hugepages=512 transparent_hugepage=never"),
        ("console=ttyS0,115200 console=tty0 idle=poll", "idle=poll"),
        ("root=/dev/sda1 tsc=reliable -- --token secret", "tsc=reliable"),
        ('x="a  b" y', 'x="a  b" y'),
        ('x="never closed', 'x="never closed'),
    ],
)
def test_canonical_command_line(given_text, expected):
    assert cmdline.canonical(given_text)[0] == expected


def test_parameters_of_one_name_keep_their_order():
    assert cmdline.canonical("mem=4G a mem=2G")[0] == "a mem=4G mem=2G"


def test_values_left_out_are_not_repeated():
    assert cmdline.canonical("ds=nocloud;h=secret lab.token=secret") == ("", ("ds", "lab.token"))


@pytest.mark.parametrize(
    ("kib", "expected"),
    [
        (4_007_384, "4 GiB"),  # 6.1 and 6.12 on one machine
        (4_014_428, "4 GiB"),
        (36 * 2**20 - 900_000, "36 GiB"),
        (394_867_812, "384 GiB"),
        (1, "9.53674e-07 GiB"),
        (0, ""),
    ],
)
def test_installed_memory(kib, expected):
    assert settings.memory_total({"MemTotal": f"{kib} kB"}) == expected


def test_debug_options_from_the_config(captured):
    config = "CONFIG_KASAN=y\n# CONFIG_KCSAN is not set\nCONFIG_PROVE_LOCKING=y\n"

    state = captured({**INTEL, "proc/config.gz": gzip.compress(config.encode())}).state

    assert state["kernel.debug.KASAN"] == state["kernel.debug.PROVE_LOCKING"] == "y"
    assert state["kernel.debug.KCSAN"] == "n"


def test_a_cut_off_config_is_unreadable(captured):
    packed = gzip.compress(b"CONFIG_KASAN=y\n" * 1000)

    facts = captured({**INTEL, "proc/config.gz": packed[: len(packed) // 2]})

    assert "/proc/config.gz" in facts.unreadable
    assert "kernel.debug.KASAN" not in facts.state


def test_debug_kernel_in_the_boot_log():
    first, rest = "[    0.000000] Command line: quiet\n", "[    1.000000] something else\n" * 200

    assert kernel.debug_state("", first + rest) == {"kernel.debug.KASAN": "n", "kernel.debug.LOCKDEP": "n"}
    assert kernel.debug_state("", "[    0.1] kasan: KernelAddressSanitizer initialized\n") == {
        "kernel.debug.KASAN": "y"
    }
    assert kernel.debug_state("", rest) == {}
    assert kernel.debug_state("", first) == {}


@pytest.mark.parametrize(
    ("version", "debugfs", "dmesg", "expected"),
    [
        ("#1 SMP PREEMPT_DYNAMIC Debian", "none (voluntary) full", "", ("dynamic", "voluntary")),
        ("#1 SMP PREEMPT_DYNAMIC Debian", "", "[ 1] Dynamic Preempt: lazy", ("dynamic", "lazy")),
        ("#1 SMP PREEMPT_RT Debian", "", "", ("rt", "")),
        ("#1 SMP PREEMPT Debian", "", "", ("full", "")),
        ("#1 SMP Debian", "", "", ("none or voluntary", "")),
    ],
)
def test_preemption(version, debugfs, dmesg, expected):
    assert tuple(kernel.preempt_state(version, debugfs, dmesg).values()) == expected


@given(st.text())
def test_readers_of_text_never_raise(text):
    processor.processor_state(processor.cpuinfo("processor : 0\n" + text), processor.lscpu(text))
    settings.memory_total(settings.meminfo("MemTotal: " + text))
    settings.swap(text, settings.meminfo(text))
    cmdline.canonical(text)
    kernel.debug_state(text, text)
    kernel.release(text, text)


def test_lscpu_of_newer_util_linux_nests_its_fields():
    nested = '{"lscpu": [{"field": "Vendor ID:", "data": "X", "children": [{"field": "Model name:", "data": "Y"}]}]}'

    assert processor.lscpu(nested) == {"Vendor ID": "X", "Model name": "Y"}
