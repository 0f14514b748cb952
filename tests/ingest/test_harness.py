import pytest

from ingest.harness import era

BENCH = "kvm-selftests/dirty_log_perf_test"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Random seed: 0x6b8b4567\nTest iterations: 2\n", "hex random seed, as in 6.12"),
        ("# Random seed: 0x6b8b4567\n# Test iterations: 2\n", "hex random seed, as in 6.12"),
        ("Test iterations: 2\nRandom seed: 1\n", "decimal random seed, as in 6.2"),
        ("Test iterations: 2\nguest physical test memory: [0x1, 0x2)\n", "no random seed, as in 6.1"),
        ("Test iterations: 2\nguest physical test memory offset: 0x7fbfff000\n", "memory offset, before 5.18"),
        ("", ""),
    ],
)
def test_the_era_is_read_from_what_selftests_print(text, expected):
    assert era(BENCH, text) == expected


def test_other_programs_have_no_era():
    assert era("mmtests/hackbench", "Random seed: 0x1\n") == ""
