"""Severities, differences and the one-line summary of host states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.hoststate import SEVERITY, Difference, Severity, differences, severity, short_model, state_digest, summary_line

states = st.dictionaries(
    st.sampled_from(["microcode", "thp.enabled", "kvm.tdp_mmu", "swap", "new.field"]), st.text(min_size=1), max_size=5
)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("cpu.model", Severity.BLOCK),
        ("microcode", Severity.BLOCK),
        ("virtualization", Severity.BLOCK),
        ("kernel.debug.KASAN", Severity.BLOCK),
        ("thp.enabled", Severity.DOWNGRADE),
        ("cpufreq.governor", Severity.DOWNGRADE),
        ("mitigations.spectre_v2", Severity.DOWNGRADE),
        ("kvm.eager_page_split", Severity.DOWNGRADE),
        ("kvm_intel.ept", Severity.DOWNGRADE),
        ("kernel.preempt_mode", Severity.DOWNGRADE),
        ("thp.khugepaged.pages_to_scan", Severity.NOTE),
        ("firmware", Severity.NOTE),
        ("nobody.knows", Severity.NOTE),
    ],
)
def test_severity_of_a_field(field, expected):
    assert severity(field) == expected


def test_no_row_of_the_table_is_shadowed():
    """A later, narrower row would never be asked."""
    exact = [(pattern, found) for pattern, found in SEVERITY if "*" not in pattern]

    assert [(pattern, severity(pattern)) for pattern, _ in exact] == exact


@given(states)
def test_a_state_does_not_differ_from_itself(state):
    assert differences(state, dict(reversed(state.items()))) == ()
    assert state_digest(state) == state_digest(dict(reversed(state.items())))


@given(states, states)
def test_swapped_sides_differ_in_the_same_fields(left, right):
    swapped = tuple(Difference(d.field, d.right, d.left, d.severity) for d in differences(right, left))

    assert differences(left, right) == swapped


@given(states, states)
def test_an_unknown_side_is_never_more_than_a_note(left, right):
    for found in differences(left, right):
        assert (found.left and found.right) or found.severity == Severity.NOTE


def test_gravest_difference_comes_first():
    left = {"swap": "on", "thp.enabled": "always", "microcode": "0x1"}
    right = {"swap": "off", "thp.enabled": "never", "microcode": "0x2"}

    assert [d.field for d in differences(left, right)] == ["microcode", "thp.enabled", "swap"]


def test_fields_under_comparison_are_left_out():
    left, right = (
        {"kvm.eager_page_split": "Y", "kvm_intel.pml": "Y"},
        {"kvm.eager_page_split": "N", "kvm_intel.pml": "N"},
    )

    assert [d.field for d in differences(left, right, ["kvm.eager_page_split"])] == ["kvm_intel.pml"]
    assert differences(left, right, ["kvm*"]) == ()


def test_a_parameter_that_turned_from_int_to_bool_is_the_same():
    assert differences({"kvm_amd.nested": "1"}, {"kvm_amd.nested": "Y"}) == ()
    assert len(differences({"kvm.halt_poll_ns_shrink": "0"}, {"kvm.halt_poll_ns_shrink": "2"})) == 1


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz", "Xeon Gold 6248"),
        ("Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", "Xeon E5-2680 v4"),
        ("AMD EPYC 7543 32-Core Processor", "EPYC 7543"),
        ("13th Gen Intel(R) Core(TM) i7-1370P", "13th Gen Intel Core i7-1370P"),
        ("QEMU TCG CPU version 2.5+", "QEMU TCG CPU version 2.5+"),
        ("", ""),
    ],
)
def test_short_model(model, expected):
    assert short_model(model) == expected


def test_summary_of_a_bare_metal_host():
    state = {
        "cpu.model": "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
        "cpu.sockets": "2",
        "cpu.cores_per_socket": "20",
        "cpu.threads_per_core": "2",
        "microcode": "0x5003604",
        "thp.enabled": "madvise",
        "virtualization": "bare metal",
    }

    assert summary_line(state) == "Xeon Gold 6248, 2x20x2, microcode 0x5003604, THP madvise"


def test_summary_leaves_out_what_is_unknown():
    assert summary_line({}) == "unknown host"
    assert summary_line({"cpu.online": "0-3", "virtualization": "nested kvm"}) == "CPUs 0-3, nested kvm"
