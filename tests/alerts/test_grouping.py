from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stepped import by_series, step

from alerts.evidence import LONE, is_clear, lone
from alerts.grouping import SLACK, Anchor, bundle

steps = st.lists(
    st.builds(
        step,
        series=st.integers(1, 12),
        head=st.integers(1, 60),
        effect=st.sampled_from([-0.3, -0.05, 0.05, 0.2]),
        z=st.floats(3.5, 20),
        host=st.sampled_from(["bm1", "bm2"]),
        line=st.sampled_from(["", "next"]),
        noise=st.sampled_from([0.0, 0.003, 0.02, 0.05]),
    ),
    max_size=25,
    unique_by=lambda one: (one.series.id, one.head),
)


@given(steps)
def test_every_step_is_in_one_group_and_no_group_has_a_series_twice(found):
    groups = bundle(by_series(found), ())

    told = [one for group in groups for one in group.steps]
    assert sorted(map(id, told)) == sorted(map(id, found))
    for group in groups:
        assert len({one.series.id for one in group.steps}) == len(group.steps)
        assert len({one.line for one in group.steps}) == 1


@given(steps)
def test_steps_of_a_group_overlap_its_clearest_one(found):
    for group in bundle(by_series(found), ()):
        first, last = group.strongest.reach
        assert all(one.reach[0] <= last and first <= one.reach[1] for one in group.steps)


_MOVED = ((1, 44, 12.0, -0.3, 0.0), (2, 47, 5.0, -0.3, 0.0), (3, 44, 4.0, -0.3, 0.0), (4, 43, 12.0, -0.05, 0.02))
_CHAINED = (
    (1, 45, 12.0, -0.3, 0.0),
    (2, 46, 9.0, -0.3, 0.0),
    (3, 46, 4.0, -0.3, 0.0),
    (4, 51, 4.0, -0.3, 0.0),
    (5, 51, 5.0, -0.05, 0.05),
)


@pytest.mark.parametrize("rows", [_MOVED, _CHAINED])
def test_no_step_is_left_behind_when_a_change_moves_or_two_are_put_together(rows):
    found = [step(series=n, head=head, z=z, effect=effect, noise=noise) for n, head, z, effect, noise in rows]

    for group in bundle(by_series(found), ()):
        first, last = group.strongest.reach
        assert all(one.reach[0] <= last and first <= one.reach[1] for one in group.steps)


@given(steps, st.randoms())
def test_the_order_of_steps_does_not_matter(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)

    once, again = ([{id(one) for one in group.steps} for group in bundle(by_series(x), ())] for x in (found, shuffled))

    assert once == again


@given(steps)
def test_grouping_what_is_grouped_changes_nothing(found):
    groups = bundle(by_series(found), ())
    anchors = [
        Anchor(number, one.series.id, one.line, one.head, one.row.effect > 0)
        for number, group in enumerate(groups)
        for one in group.steps
    ]

    again = bundle(by_series(found), anchors)

    assert [{id(x) for x in one.steps} for one in again] == [{id(x) for x in one.steps} for one in groups]


def test_a_step_that_moves_a_little_stays_in_its_group():
    anchor = Anchor(7, 1, "", 20, rises=True)

    moved, far, turned = (
        bundle(by_series([one]), [anchor]) for one in (step(head=20 + SLACK), step(head=24), step(effect=-0.1))
    )

    assert [one.group for one in moved] == [7]
    assert [one.group for one in (*far, *turned)] == [None, None]


def test_a_small_step_in_noise_lies_further_off_than_its_standard_errors_say():
    clear = step(1, head=20, effect=0.022, z=14.0, noise=0.003)

    noisy, quiet = (
        bundle(by_series([clear, step(2, head=24, effect=0.025, z=9.0, noise=noise)]), ()) for noise in (0.016, 0.008)
    )

    assert [len(one.steps) for one in noisy] == [2]
    assert [one.strongest.head for one in noisy] == [20]
    assert [len(one.steps) for one in quiet] == [1, 1]


def test_however_small_a_step_it_joins_nothing_far_off():
    clear = step(1, head=20, effect=0.022, z=14.0, noise=0.003)

    near, far = (bundle(by_series([clear, step(2, head=head, effect=0.02, z=9.0, noise=0.1)]), ()) for head in (25, 26))

    assert [len(near), len(far)] == [1, 2]


def test_a_step_across_a_silence_joins_no_two_changes():
    across = replace(step(3, head=34, z=40.0), base=24)

    groups = bundle(by_series([step(1, head=25, z=20.0), step(2, head=34, z=20.0), across]), ())

    assert [one.strongest.head for one in groups] == [25, 34]
    assert [len(one.steps) for one in groups] == [1, 2]


def test_steps_of_the_host_belong_to_no_group():
    assert bundle(by_series([step(at_host=1.0)]), ()) == []


def test_one_clear_step_is_enough_and_a_thin_one_is_not():
    assert is_clear([step(z=LONE)], 200)
    assert not is_clear([step(z=LONE - 0.1)], 200)
    assert not is_clear([step(z=LONE + 9, points=2)], 200)


def test_independent_witnesses_help_each_other_and_metrics_of_one_run_do_not():
    thin = LONE - 0.5

    assert is_clear([step(1, z=thin), step(2, z=thin, host="bm2", case=1)], 200)
    assert is_clear([step(1, z=thin), step(2, z=thin, case=2)], 200)
    assert not is_clear([step(1, z=thin), step(2, z=thin)], 200)
    assert not is_clear([step(1, z=thin + 9, points=2), step(2, z=thin + 9, case=2, points=2)], 200)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_time_series_ask_for_clearer_steps(one, other):
    assert lone(max(one, other)) >= lone(min(one, other))
    assert lone(one) >= LONE


def test_a_step_that_other_hosts_place_surely_is_theirs_where_it_did_not_move_here():
    known = [step(i, head=20, effect=0.1, z=20.0, host=f"bm{i}") for i in (1, 2)]
    astray = {"head": 28, "z": 9.0, "host": "bm3"}

    found = [bundle(by_series([*known, step(3, effect=effect, **astray)]), ()) for effect in (0.1, 0.2)]
    far = bundle(by_series([*known, step(3, effect=0.1, head=31, z=9.0, host="bm3")]), ())
    of_one = bundle(by_series([known[0], step(3, effect=0.1, **astray)]), ())

    assert [len(one) for one in (*found, far, of_one)] == [1, 2, 2, 2]
    assert found[0][0].strongest.head == 20


def test_a_group_is_where_most_of_it_says():
    astray = step(1, head=18, z=10.0, noise=0.2)
    others = [step(i, head=21, z=8.0, case=i, noise=0.2) for i in (2, 3, 4)]
    anchor = Anchor(7, 1, "", 18, rises=True)

    (group,) = bundle(by_series([astray, *others]), [anchor])

    assert (group.group, group.strongest.head) == (7, 21)


def test_a_group_whose_steps_had_gone_has_no_claim_on_those_of_another_change():
    gone, clear = Anchor(7, 2, "", 19, rises=True, is_live=False), Anchor(8, 1, "", 20, rises=True)

    joined = bundle(by_series([step(1, head=20), step(2, head=20, case=2)]), [gone, clear])
    alone = bundle(by_series([step(2, head=20)]), [gone])

    assert [(one.group, len(one.steps)) for one in joined] == [(8, 2)]
    assert [one.group for one in alone] == [7]
