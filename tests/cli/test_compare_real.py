"""Comparisons of real runs through the command: an emulated host, two configurations, three boots."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Run = Callable[..., CompletedProcess[str]]
UPLOADS = (  # configuration, boot, label
    ("a1", "mt-il2", "a1"),
    ("a2", "mt-il2", "a2"),
    ("a1", "ic-il2", "a1"),
    ("b", "ic-il2", "b"),
    ("a2", "mt-il1", "a2-other-load"),
)


@pytest.fixture(scope="module")
def real(make_kvmperf: Callable[[Path], Run], tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "kvm-lab" / "ab"
    if not root.is_dir():
        pytest.skip("the corpus ../shared is not here: this test compares real runs of it")
    run = make_kvmperf(tmp_path_factory.mktemp("real") / "k.db")
    for configuration, boot, label in UPLOADS:
        folder = root / configuration / boot
        facts = ("--host-facts", folder / "host") if (folder / "host").exists() else ()
        run("upload", folder, "--label", label, "--boot-id", boot, "--host", "lab", *facts)
    return run


def answers(run: Run, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("compare", *words, "--json").stdout.splitlines()]


def test_two_sets_of_one_configuration_in_a_noisy_boot_raise_no_flag(real: Run) -> None:
    found = answers(real, "a1", "a2", "--boot", "mt-il2")

    assert len(found) >= 30
    assert {one["verdict"] for one in found} <= {"inconclusive", "equivalent", "not comparable"}


def test_the_three_effects_of_eager_splitting_are_found_with_their_sign(real: Run) -> None:
    found = answers(real, "a1", "b", "--boot", "ic-il2", "--vary", "kvm.eager_page_split")

    ratios = {  # -g: the dirty log is not cleared by hand
        (one["metric"], one["verdict"], "" if one["params"].get("manual_protect") else "-g"): 1 + one["effect"]
        for one in found
        if one["verdict"] in {"regression", "improvement"}
    }
    assert 0.01 <= ratios["clear_dirty_log_time.round1", "improvement", ""] <= 0.06
    assert 1.4 <= ratios["dirty_memory_time.round2", "regression", ""] <= 1.7
    assert 1.45 <= ratios["dirty_memory_time.round1", "regression", "-g"] <= 1.7


def test_two_boots_of_one_configuration_under_different_load_are_inconclusive(real: Run) -> None:
    found = answers(real, "a1", "a2-other-load", "--boot", "mt-*")

    judged = [one for one in found if one["verdict"] != "not comparable"]
    assert judged
    assert {one["verdict"] for one in judged} == {"inconclusive"}
