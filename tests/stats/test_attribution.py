"""Which patch did it: planted culprits, none, gaps, timer steps, and a real series measured patch by patch."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stats.attribution import Attribution, StateSamples, attribute, attribute_many
from stats.policy import Policy


def series(seed, steps, *, patches=6, boots=3, runs=3, shared=True, noise=0.01, boot_noise=0.02):
    """Values of states 0 … patches; `steps` are the changes {patch: effect}."""
    rng = np.random.default_rng(seed)
    state, boot, _run = np.indices((patches + 1, boots, runs)).reshape(3, -1)
    level = np.zeros(patches + 1)
    for k, effect in steps.items():
        level[k:] += np.log1p(effect)
    height = rng.normal(0, boot_noise, (patches + 1, boots))
    height = height[0][boot] if shared else height[state, boot]
    logs = level[state] + height + rng.normal(0, noise, state.size)
    code = boot if shared else state * boots + boot
    return StateSamples(state, code, np.arange(state.size), 0.02 * np.exp(logs))


def only(samples, kept):
    return StateSamples(samples.state[kept], samples.boot[kept], samples.run[kept], samples.value[kept])


def test_no_patch_is_named_where_none_changed_anything():
    found = attribute_many([series(seed, {}) for seed in range(12)], states=7)

    assert [one.culprits for one in found] == [()] * 12
    assert all(one.none is not None and one.none > 0.9 for one in found)


def test_one_culprit_is_named_with_its_effect():
    found = attribute(series(1, {4: 0.07}), states=7)

    assert found.culprits == (4,)
    assert found.patches[3].effect == pytest.approx(0.07, abs=0.02)
    assert found.patches[5].cumulative == pytest.approx(0.07, abs=0.02)
    assert found.patches[3].posterior is not None
    assert found.patches[3].posterior > 0.95


def test_two_culprits_that_cancel_are_both_named():
    found = attribute(series(2, {2: 0.08, 5: -0.07}), states=7)

    assert found.culprits == (2, 5)
    assert found.patches[5].cumulative == pytest.approx(1.08 * 0.93 - 1, abs=0.02)


def test_a_change_in_a_gap_has_suspects_and_no_culprit():
    samples = series(3, {4: 0.1})
    found = attribute(only(samples, ~np.isin(samples.state, (3, 4))), states=7)

    assert found.culprits == ()
    assert found.suspects == (3, 4, 5)
    assert found.patches[3].effect is None
    assert found.patches[4].since == 2
    assert found.patches[4].effect == pytest.approx(0.1, abs=0.02)


def test_unequal_runs_and_missing_cells_do_not_matter():
    samples = series(4, {3: 0.08}, boots=4)
    kept = np.random.default_rng(0).random(samples.state.size) < 0.75

    assert attribute(only(samples, kept), states=7).culprits == (3,)


def test_boots_of_their_own_are_the_units():
    found = attribute(series(5, {3: 0.3}, shared=False, boots=4), states=7)

    assert found.culprits == (3,)
    assert attribute(series(5, {3: 0.05}, shared=False, boots=1), states=7).none is None


def test_a_series_of_thirty_patches_is_searched():
    found = attribute(series(6, {17: 0.08, 24: 0.08}, patches=30, boots=2, runs=2), states=31)

    assert found.culprits == (17, 24)


def test_a_grossly_slow_run_does_not_fool_it():
    samples = series(7, {3: 0.07}, noise=0.003)
    value = samples.value.copy()
    value[[5, 40]] *= (12, 25)
    found = attribute(StateSamples(samples.state, samples.boot, samples.run, value), states=7)

    assert found.culprits == (3,)
    assert any("far from the others" in text for text in found.warnings)


def test_steps_of_a_timer_are_no_culprit():
    rng = np.random.default_rng(8)
    state, boot, _run = np.indices((7, 2, 3)).reshape(3, -1)
    steps = rng.integers(0, 2, state.size) + (state >= 3)  # repeats jump by one, and so does patch 3
    value = 0.02 + 0.004 * steps + rng.normal(0, 1e-8, state.size)
    found = attribute(StateSamples(state, boot, np.arange(state.size), value), states=7)

    assert found.culprits == ()
    assert any("steps of 0.004" in text for text in found.warnings)


def test_steps_that_no_boot_shows_alone_are_noise_too():
    state, boot, run = np.indices((7, 4, 2)).reshape(3, -1)
    value = 0.02 + 0.004 * ((state + boot) % 2) + 1e-9 * run  # repeats of a boot agree, boots differ by a step
    found = attribute(StateSamples(state, boot, np.arange(state.size), value), states=7)

    assert found.culprits == ()


def test_constant_states_are_not_judged_by_statistics():
    state, _run = np.indices((4, 2)).reshape(2, -1)
    found = attribute(
        StateSamples(state, np.zeros_like(state), np.arange(state.size), np.array([3.0, 3, 4, 4])[state]), states=4
    )

    assert found.culprits == (2,)
    assert "constant" in found.why


def test_one_run_a_state_says_that_nothing_is_known():
    samples = series(9, {3: 0.5}, boots=1, runs=1)
    found = attribute(samples, states=7)

    assert (found.none, found.culprits) == (None, ())
    assert all(one.posterior is None for one in found.patches)
    assert "no spread is known" in found.why


@settings(max_examples=15)
@given(seed=st.integers(0, 999), power=st.integers(-20, 20))
def test_order_of_rows_and_unit_do_not_matter(seed, power):
    samples = series(seed, {3: 0.06}, boots=2)
    order = np.random.default_rng(seed).permutation(samples.state.size)
    other = StateSamples(
        samples.state[order], samples.boot[order], samples.run[order], samples.value[order] * 2.0**power
    )

    assert_same(attribute(samples, states=7), attribute(other, states=7))


@settings(max_examples=10)
@given(seed=st.integers(0, 999))
def test_a_neutral_state_in_between_keeps_the_others(seed):
    samples = series(seed, {3: 0.08})
    more = series(seed + 1000, {3: 0.08}, patches=7)
    found = attribute(samples, states=7)
    state = np.where(samples.state > 5, samples.state + 1, samples.state)
    extra = samples.state == 5
    longer = StateSamples(
        np.concatenate([state, state[extra] + 1]),
        np.concatenate([samples.boot, samples.boot[extra]]),
        np.concatenate([samples.run, samples.run[extra] + 1000]),
        np.concatenate([samples.value, samples.value[extra]]),
    )

    assert more.state.max() == 7
    assert attribute(longer, states=8).culprits == found.culprits


def assert_same(one: Attribution, other: Attribution) -> None:
    assert one.culprits == other.culprits
    assert [p.effect for p in one.patches] == pytest.approx([p.effect for p in other.patches], abs=1e-9)
    assert [p.posterior for p in one.patches] == pytest.approx([p.posterior for p in other.patches], abs=1e-6)


def test_states_out_of_range_are_refused():
    with pytest.raises(ValueError, match="states must lie in"):
        attribute(series(1, {}), states=3)


STATES = ("base", *(f"v1-{k}of6" for k in range(1, 7)))


def measured(folder: Path, boots: tuple[str, ...]) -> dict[tuple[str, str], StateSamples]:
    """The metrics of the measured series, by test and metric."""
    from ingest.outputs import read_outputs
    from ingest.parsers import parse

    rows: dict[tuple[str, str], list[tuple[int, int, int, float]]] = {}
    for number, captured in enumerate(read_outputs([folder / boot for boot in boots])):
        state, test = Path(captured.output.source).parts[-3:-1]
        boot = Path(captured.output.source).parts[-4]
        for record in parse(captured.output):
            for one in record.measurements:
                if one.better != "none":
                    row = (STATES.index(state), boots.index(boot), number, one.value)
                    rows.setdefault((test, one.series), []).append(row)
    columns = {key: list(zip(*found, strict=True)) for key, found in rows.items()}
    return {
        key: StateSamples(*(np.array(column) for column in three), np.array(values))
        for key, (*three, values) in columns.items()
    }


def culprits(found: dict[tuple[str, str], Attribution], word: str) -> set[tuple[int, ...]]:
    return {one.culprits for (_, metric), one in found.items() if word in metric}


def test_the_real_series_in_boots_with_long_slices_names_patch_3(shared):
    metrics = measured(shared / "corpus/series-lab/runs", ("icg-1", "icg-2"))
    found = dict(zip(metrics, attribute_many(list(metrics.values()), states=7), strict=True))

    assert culprits(found, "clear_dirty_log") == {(3,)}
    effects = [one.patches[2].effect for (_, metric), one in found.items() if "clear_dirty_log_time" in metric]
    assert effects == pytest.approx([0.07] * len(effects), abs=0.01)
    others = [one.culprits for (_, metric), one in found.items() if "clear_dirty_log" not in metric]
    assert set(others) == {()}


def test_the_real_series_in_boots_of_exact_guests_names_patch_5(shared):
    metrics = measured(shared / "corpus/series-lab/runs", ("ic-1", "ic-2"))
    found = dict(zip(metrics, attribute_many(list(metrics.values()), states=7), strict=True))
    named = {key: one for key, one in found.items() if one.culprits}

    assert set(named) == {
        ("dlp-4k", "populate_memory_time"),
        ("dpt", "total_guest_execution_time"),
        ("dpt", "overall_paging_rate.before_fix"),
    }
    assert {one.culprits for one in named.values()} == {(5,)}
    assert named["dlp-4k", "populate_memory_time"].patches[4].effect == pytest.approx(0.057, abs=0.01)
    assert named["dpt", "total_guest_execution_time"].patches[4].effect == pytest.approx(0.052, abs=0.01)
    quantised = [one for (_, metric), one in found.items() if metric.startswith("clear_dirty_log_time")]
    assert all("timer or scheduler" in " ".join(one.warnings) for one in quantised)


def test_the_real_series_over_all_boots_says_the_same(shared):
    metrics = measured(shared / "corpus/series-lab/runs", ("ic-1", "ic-2", "icg-1", "icg-2"))
    found = dict(zip(metrics, attribute_many(list(metrics.values()), states=7, policy=Policy()), strict=True))

    assert culprits(found, "clear_dirty_log") == {(3,)}
    assert culprits(found, "total_guest_execution_time") == {(5,)}
    assert culprits(found, "dirty_memory_time") | culprits(found, "memslot") | culprits(found, "disable") == {()}


@pytest.mark.parametrize("patches", [4, 12])
def test_sets_weighed_together_say_what_they_say_one_by_one(monkeypatch, patches):
    samples = series(5, {2: 0.06}, patches=patches)
    together = attribute(samples, states=patches + 1)

    monkeypatch.setattr("stats.culprits.TOGETHER", 1)
    alone = attribute(samples, states=patches + 1)

    assert [one.posterior for one in alone.patches] == pytest.approx([one.posterior for one in together.patches])
    assert (alone.culprits, alone.none) == (together.culprits, pytest.approx(together.none))
