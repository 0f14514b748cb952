"""Every verdict with its sentence, the edges (constant, zero, negative, missing values), and the warnings."""

import dataclasses

import numpy as np
import pytest

from stats.compare import Policy, Samples, Verdict, compare
from stats.wording import _apart

QUIET = [[1.00, 1.01, 0.99], [1.01, 1.00, 1.00], [0.99, 1.00, 1.01], [1.00, 1.01, 1.00]]
NOISY = [[1.0], [2.0], [0.5], [1.4]]


def times(rows, factor):
    return [[value * factor for value in row] for row in rows]


@pytest.mark.parametrize(
    ("base", "head", "better", "verdict", "why"),
    [
        (
            QUIET,
            times(QUIET, 1.2),
            -1,
            "regression",
            "+20 % (95 % interval +19.6 to +20.4 %) is beyond the margin of 2 %",
        ),
        (QUIET, times(QUIET, 1.2), 1, "improvement", "+20 %"),
        (QUIET, times(QUIET, 0.8), -1, "improvement", "-20 % (95 % interval -20.3 to -19.7 %)"),
        (QUIET, times(QUIET, 0.8), 1, "regression", "4 against 4 boots"),
        (QUIET, QUIET, -1, "equivalent", "the 90 % interval -0.395 to +0.397 % lies inside +-2 %; 4 against 4 boots"),
        (
            QUIET,
            times(QUIET, 1.018),
            -1,
            "inconclusive",
            "is significant (q 1.3e-05), but not beyond the margin of 2 %",
        ),
        (NOISY, times(NOISY, 1.3), -1, "inconclusive", "+30 % (95 % interval -53.2 to +261 %) may be noise (q 0.55)"),
        ([[3, 3], [3, 3]], [[4, 4], [4, 4]], -1, "regression", "not judged by statistics: values are constant, 3 -> 4"),
        (
            [[3, 3], [3, 3]],
            [[3, 3], [3, 3]],
            -1,
            "equivalent",
            "not judged by statistics: values are constant and equal",
        ),
        ([[300], [300]], [[301], [301]], -1, "equivalent", "values are constant, 300 -> 301, inside the margin of 2 %"),
        ([[0, 0], [0, 0]], [[4, 4], [4, 4]], -1, "regression", "not judged by statistics: values are constant, 0 -> 4"),
        (QUIET, times(QUIET, 1.2), 0, "not comparable", "a description without a better direction"),
        (QUIET, [], -1, "not comparable", "no values on the head side"),
        ([], QUIET, -1, "not comparable", "no values on the base side"),
        (
            QUIET[:1],
            times(QUIET[:1], 1.2),
            -1,
            "inconclusive",
            "1 boot a side: the spread between boots is unknown; +20 %",
        ),
        ([[1.0]], [[1.2]], -1, "inconclusive", "1 boot a side: no spread is known; +20 %"),
    ],
)
def test_each_verdict_says_why(judge_one, base, head, better, verdict, why):
    found = judge_one(base, head, better=better)

    assert found.verdict.value == verdict
    assert why in found.why
    assert found.why.isascii()


def test_one_boot_a_side_shows_the_interval_inside_the_boot_and_a_plan(judge_one):
    found = judge_one([[1.0, 1.1, 1.0, 1.05]], [[1.2, 1.3, 1.2, 1.25]])

    assert (found.p, found.q, found.interval_scope) == (None, None, "within boot only")
    assert found.ci[0] < found.effect < found.ci[1]
    assert found.boots_more >= 1
    assert f"{found.boots_more} more boot" in found.why


def test_runs_are_the_unit_on_the_users_word_which_is_repeated(judge_one):
    found = judge_one(QUIET[:1], times(QUIET[:1], 1.3), Policy(unit="run"))

    assert (found.verdict, found.design) == (Verdict.REGRESSION, "runs")
    assert any("on the user's word" in text for text in found.warnings)


def test_unknown_boots_make_runs_the_unit_and_say_so(make_samples, make_noise):
    found = compare(
        make_samples(make_noise(1, (3, 2, 1, 6, 2)), known_boots=False), metrics=3, better=-np.ones(3), policy=Policy()
    )

    assert {a.design for a in found} == {"runs"}
    assert all("boots are unknown" in a.warnings[0] for a in found)
    assert all(a.n[0].boots == 0 for a in found)


def test_one_shared_boot_with_several_runs_is_judged_with_a_warning(make_samples, make_noise):
    logs = make_noise(2, (10, 2, 1, 8, 2))
    logs[0, 1] += 0.2

    found = compare(make_samples(logs, shared_boots=True), metrics=10, better=-np.ones(10), policy=Policy())

    assert found[0].verdict is Verdict.REGRESSION
    assert any("one shared boot" in text for text in found[0].warnings)


def test_zero_spread_on_one_side_is_unknown_and_not_certain(judge_one):
    found = judge_one([[1.0], [1.0], [1.0]], [[1.0], [1.3], [1.6]])

    assert found.verdict is Verdict.INCONCLUSIVE
    assert 0.05 < found.p < 1


@pytest.mark.parametrize("shift", [0.0, -3.0])
def test_zero_and_negative_values_are_judged_without_logs(judge_one, shift):
    base = [[value + shift for value in row] for row in ([0.0, 1.0], [1.1, 0.9], [1.0, 1.0], [0.95, 1.05])]
    head = [[value + shift for value in row] for row in ([9.0, 9.1], [9.1, 8.9], [9.0, 9.0], [8.95, 9.05])]

    found = judge_one(base, head)

    assert found.verdict is Verdict.REGRESSION
    assert any("zero or negative" in text for text in found.warnings)
    assert found.ci[0] < found.effect < found.ci[1]


def test_a_base_of_zero_has_no_relative_effect(judge_one):
    found = judge_one([[0.0, 1.0, -1.0]] * 4, [[50.0, 52.0, 51.0], [51.0, 50.0, 52.0], [49, 51, 50], [50, 50, 51]])

    assert found.verdict is Verdict.REGRESSION
    assert found.effect is None
    assert "0 -> 50.5" in found.why


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="missing is never zero"):
        Samples(*np.zeros((4, 2), dtype=np.int64), np.array([1.0, bad]))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"side": [0, 2]}, "side must be"), ({"metric": [0, 7]}, "metric codes"), ({"run": [5, 5]}, "run codes")],
)
def test_codes_that_make_no_sense_are_refused(change, message):
    columns = {"metric": [0, 0], "side": [0, 1], "boot": [0, 1], "run": [0, 1]} | change
    arrays = {name: np.array(column) for name, column in columns.items()}

    with pytest.raises(ValueError, match=message):
        compare(Samples(value=np.ones(2), **arrays), metrics=1, better=np.array([-1]), policy=Policy())


def test_no_rows_at_all_are_no_crash():
    empty = np.zeros(0, dtype=np.int64)

    found = compare(
        Samples(empty, empty, empty, empty, np.zeros(0)), metrics=2, better=np.array([-1, 1]), policy=Policy()
    )

    assert [a.verdict for a in found] == [Verdict.NOT_COMPARABLE] * 2


def test_the_margin_can_differ_per_metric(make_samples, make_noise):
    logs = make_noise(3, (2, 2, 6, 3, 3), (0.001, 0.001, 0.001))
    logs[:, 1] += 0.05
    margin = np.array([0.02, 0.10])

    found = compare(make_samples(logs), metrics=2, better=-np.ones(2), policy=Policy(margin=margin))

    assert [a.verdict for a in found] == [Verdict.REGRESSION, Verdict.EQUIVALENT]


def test_all_of_one_side_first_is_a_warning(make_samples, make_noise):
    samples = make_samples(make_noise(4, (2, 2, 3, 2, 1)))
    in_turn = dataclasses.replace(samples, start=samples.run.astype(float))
    mixed = dataclasses.replace(samples, start=(samples.run * 5 % 12).astype(float))

    warned, calm = (compare(one, metrics=2, better=-np.ones(2), policy=Policy()) for one in (in_turn, mixed))

    assert all("drift is confounded" in " ".join(a.warnings) for a in warned)
    assert not any("drift" in " ".join(a.warnings) for a in calm)


def test_noise_that_remembers_is_a_warning(make_samples):
    drift = np.repeat(np.sin(np.linspace(0, 6, 40)), 1).reshape(1, 1, 1, 40, 1) * 0.1
    logs = np.concatenate([drift, drift], axis=1)
    samples = make_samples(logs, shared_boots=True)
    timed = dataclasses.replace(samples, start=(samples.run % 40 * 2 + samples.side).astype(float))

    found = compare(timed, metrics=1, better=-np.ones(1), policy=Policy())

    assert any("correlated" in text for text in found[0].warnings)


def test_coarse_values_warn_and_cannot_be_more_certain_than_their_step(judge_one):
    found = judge_one([[3, 3], [3, 3], [3, 3], [3, 4]], [[4, 4], [4, 4], [4, 3], [4, 4]])

    assert any("steps of 1 " in text for text in found.warnings)
    assert found.ci[1] - found.ci[0] > 0.15


def test_coarse_values_are_found_in_any_order_of_rows():
    values = np.array([3, 3, 3, 4, 4, 4, 4, 3] * 20, dtype=float)
    metric = np.tile([0, 1], 80)
    rows = np.arange(160)
    samples = Samples(metric, rows // 2 % 2, rows // 16, rows, np.where(metric == 0, values, 1 + rows * np.pi / 1e3))

    found = compare(samples, metrics=2, better=-np.ones(2), policy=Policy())

    assert [any("coarse" in text for text in a.warnings) for a in found] == [True, False]


def test_the_plan_shows_the_margin_or_the_observed_effect(judge_one):
    wide = judge_one(NOISY, times(NOISY, 1.3))
    rows = [[1.0], [1.03], [0.97], [1.0]]
    near = judge_one(rows, times(rows, 1.001))

    assert wide.power_at == pytest.approx(wide.effect)
    assert near.power_at == 0.02
    assert near.boots_more > 10


def test_a_small_effect_is_planned_against_the_margin(judge_one):
    found = judge_one(QUIET, times(QUIET, 1.018))

    assert f"{found.boots_more} more boot" in found.why
    assert "tell it from the margin" in found.why


@pytest.mark.parametrize(
    ("effect", "told"), [(0.02001, "+2.001"), (0.01999, "+1.999"), (0.02, "+2"), (-0.0200004, "-2.00004"), (0.1, "+10")]
)
def test_numbers_beside_the_margin_have_the_digits_that_tell_them_from_it(effect, told):
    assert _apart(effect, 0.02) == told
