"""Noisy bisection: posteriors, the choice of the next revision, and searches that end right."""

import math

import numpy as np
import pytest

from stats.bisection import Bisection, BootNoise, Change, Observation

NOISE = BootNoise(between=0.01**2, within=0.005**2, df=8)


def search(seed, truth, last=8, step=0.05):
    rng = np.random.default_rng(seed)
    state = Bisection.start(last, NOISE, Change(0.05, 0.03))
    boot = 0
    while not state.is_decided and boot < 80:
        revision = state.next_revision()
        log = math.log1p(step) * (revision >= truth) + rng.normal(0, 0.01)
        state = state.observe([Observation(revision, boot, 5 * math.exp(log + rng.normal(0, 0.005))) for _ in range(2)])
        boot += 1
    return state, boot


def test_before_anything_is_measured_the_posterior_is_the_prior():
    state = Bisection((1.0, 1.0, 2.0), NOISE, none=0.2)

    assert state.posterior() == pytest.approx([0.2, 0.2, 0.2, 0.4])


def test_the_ends_are_measured_first():
    state = Bisection.start(4, NOISE)

    assert state.next_revision() == 4
    assert state.observe([Observation(4, 0, 1.0)]).next_revision() == 0


@pytest.mark.parametrize("truth", [1, 4, 8])
def test_a_search_finds_the_first_bad_place(truth):
    state, boots = search(truth, truth)

    assert state.first_bad == truth
    assert boots <= 20


def test_with_little_noise_it_halves():
    quiet = BootNoise(1e-10, 1e-10, df=50)
    ends = [Observation(0, 0, 1.0), Observation(16, 1, 1.05)]
    state = Bisection.start(16, quiet, Change(0.05, 0.03)).observe(ends)

    assert state.next_revision() == 8
    assert state.observe([Observation(8, 2, 1.05)]).next_revision() == 4
    assert state.observe([Observation(8, 2, 1.0)]).next_revision() == 12


def test_a_bad_place_makes_all_places_after_it_bad():
    state = Bisection.start(4, NOISE).observe(
        [Observation(0, 0, 1.0), Observation(2, 1, 1.2), Observation(4, 2, 1.2), Observation(1, 3, 1.0)]
    )

    assert state.bad(2) > 0.9
    assert state.bad(4) == pytest.approx(1.0)
    assert state.bad(0) == 0


def test_no_change_can_win():
    same = [Observation(place, place, 1 + 0.0001 * place) for place in (0, 4, 0, 4, 2)]
    state = Bisection.start(4, NOISE, Change(0.2, 0.02), none=0.5).observe(same)

    assert state.first_bad == 0
    assert state.is_decided


def test_inside_a_shared_boot_its_level_cancels():
    loud = BootNoise(between=0.2**2, within=0.002**2, df=20)
    runs = [Observation(0, 0, 3.0), Observation(4, 0, 3.15), Observation(2, 0, 3.0), Observation(3, 0, 3.0)]
    state = Bisection.start(4, loud, Change(0.05, 0.02)).observe(runs)

    assert state.first_bad == 4
    assert state.is_decided
    assert state.next_revision(boot=0) in range(5)


def test_the_unit_and_the_order_of_runs_do_not_matter():
    runs = [Observation(0, 0, 1.0), Observation(4, 1, 1.05), Observation(2, 2, 1.04), Observation(1, 3, 1.01)]
    one = Bisection.start(4, NOISE).observe(runs)
    other = Bisection.start(4, NOISE).observe([Observation(r.revision, r.boot, 1024 * r.value) for r in runs[::-1]])

    assert one.posterior() == pytest.approx(other.posterior(), rel=1e-6)


def test_a_grossly_slow_run_among_three_counts_little():
    clean = [Observation(p, p, v) for p, v in ((0, 1.0), (4, 1.1), (2, 1.0), (3, 1.0)) for _ in range(3)]
    slow = [*clean, Observation(2, 2, 12.0)]

    assert Bisection.start(4, NOISE).observe(slow).first_bad == 4


def test_impossible_input_is_refused():
    with pytest.raises(ValueError, match="values are positive"):
        Bisection.start(4, NOISE).observe([Observation(5, 0, 1.0)])
    with pytest.raises(ValueError, match="values are positive"):
        Bisection.start(4, NOISE).observe([Observation(2, 0, float("inf"))])
    with pytest.raises(ValueError, match="must be known"):
        Bisection.start(4, BootNoise(0.0, 0.0))
