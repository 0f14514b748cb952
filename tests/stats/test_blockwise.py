import numpy as np
import pytest

from stats.compare import Policy, Samples, Verdict, compare


def blocks(effects, noise=0.02, runs=6, level=(0.0, -3.0, -1.0)):
    """One metric in shared boots, each with an effect (log) of its own."""
    rng = np.random.default_rng(7)
    rows = [
        (side, boot, rng.normal(level[boot] + side * effect, noise))
        for boot, effect in enumerate(effects)
        for side in (0, 1)
        for _ in range(runs)
    ]
    side, boot, logs = (np.array(column) for column in zip(*rows, strict=True))
    return Samples(np.zeros(side.size, int), side.astype(int), boot.astype(int), np.arange(side.size), np.exp(logs))


def judged(effects, **more):
    (found,) = compare(blocks(effects, **more), metrics=1, better=np.array([-1]), policy=Policy())
    return found


def test_a_change_that_every_block_shows_is_not_lost_because_they_differ_in_size():
    found = judged([-4.3, -2.8])

    assert found.verdict is Verdict.IMPROVEMENT
    assert np.log1p(found.ci) == pytest.approx([-4.3, -2.8], abs=0.1)
    assert any("differs between boots" in text for text in found.warnings)


@pytest.mark.parametrize("effects", [[0.3, -0.3], [0.5, 0.0], [0.5, 0.01], [0.3, 0.4, -0.2]])
def test_blocks_that_do_not_all_show_it_beyond_the_margin_prove_nothing(effects):
    assert judged(effects).verdict is Verdict.INCONCLUSIVE


def test_swapping_the_sides_mirrors_the_answer():
    down, up = judged([-1.0, -0.4]), judged([1.0, 0.4])

    assert (down.verdict, up.verdict) == (Verdict.IMPROVEMENT, Verdict.REGRESSION)


def test_blocks_that_agree_are_weighed_together_as_before():
    found = judged([0.2, 0.2])

    assert found.verdict is Verdict.REGRESSION
    assert found.ci[1] - found.ci[0] < 0.25
    assert not any("differs between boots" in text for text in found.warnings)
