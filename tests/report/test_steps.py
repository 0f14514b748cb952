import numpy as np
import pytest
from trend_lines import line

from db.hoststate import Difference, Severity
from report.releases import MOST, releases
from report.steps import steps


def _values(rng, step=1.2, count=60):
    return np.where(np.arange(count) < count // 2, 1.0, step) * np.exp(rng.normal(0, 0.01, count))


@pytest.mark.parametrize(("better", "meaning"), [("lower", "worse"), ("higher", "better"), ("none", "changed")])
def test_a_step_is_found_at_its_revision_and_says_what_it_means(better, meaning):
    (found,) = steps([line(_values(np.random.default_rng(1)), better=better)])

    assert found.point.revision.id == 31
    assert found.effect == pytest.approx(0.2, abs=0.02)
    assert (found.meaning, found.state) == (meaning, "confirmed")


def test_a_step_where_the_host_changes_is_said_to_be_the_hosts():
    changed = {31: (Difference("microcode", "0x1", "0x2", Severity.BLOCK),)}

    found = steps([line(_values(np.random.default_rng(1)), changed=changed)])

    assert all(one.host_changed for one in found)


def test_a_level_line_and_a_short_one_have_no_steps():
    assert steps([line(_values(np.random.default_rng(2), step=1.0)), line([1.0, 2.0, 1.0])]) == ()


def test_the_first_revision_of_each_release_is_marked():
    revisions = [point.revision for point in line([1.0] * 25).points]

    assert releases(revisions) == {1: "6.0", 10: "6.1", 20: "6.2"}


def test_too_many_releases_are_not_marked():
    assert releases([point.revision for point in line([1.0] * 10 * (MOST + 3)).points]) == {}
