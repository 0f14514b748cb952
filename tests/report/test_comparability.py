import pytest

from db.hoststate import Severity
from report.comparability import judge

XEON = {"cpu.model": "Xeon", "kvm.eager_page_split": "Y", "thp.enabled": "always"}
SPLIT_OFF = {**XEON, "kvm.eager_page_split": "N"}
EPYC = {**XEON, "cpu.model": "EPYC"}
NEWER_KERNEL = {**XEON, "kvm.new_knob": "1"}
STATES = {1: XEON, 2: SPLIT_OFF, 3: EPYC, 4: NEWER_KERNEL}


@pytest.mark.parametrize(
    ("base", "head", "vary", "expected"),
    [
        ({1}, {1}, (), None),
        ({1}, {2}, (), Severity.DOWNGRADE),
        ({1}, {2}, ("kvm.eager_page_split",), None),
        ({1}, {2}, ("kvm.*",), None),
        ({1}, {3}, (), Severity.BLOCK),
        ({1}, {3}, ("kvm.*",), Severity.BLOCK),
        ({1}, {4}, (), Severity.NOTE),
        ({1, 2}, {1, 2}, (), None),
        ({1, 2}, {1}, (), Severity.DOWNGRADE),
        ({-1}, {1}, (), None),
        ({-1}, {-1}, (), None),
    ],
)
def test_the_gravest_difference_decides(base, head, vary, expected):
    assert judge(base, head, STATES, vary).severity is expected


def test_the_sentence_names_field_both_values_and_the_way_out():
    found = judge({1}, {2}, STATES, ())

    assert found.why == (
        "host states differ: kvm.eager_page_split Y -> N; if that is what you compare: --vary kvm.eager_page_split"
    )
