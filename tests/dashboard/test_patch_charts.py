import pytest

from dashboard.charts.patches import Step, Track, heat_map, waterfall
from dashboard.charts.style import COLOURS, GREY
from dashboard.parts.wording import signed

QUIET = Step(1, "quiet", 0.0004, -0.001, 0.001, 0.0004, -0.001, 0.001)
SLOWER = Step(2, "slower <b>", 0.10, 0.08, 0.12, 0.10, 0.08, 0.12, "*", "+10.0%; slower <b>")
FASTER = Step(3, "faster", -0.05, -0.06, -0.04, 0.045, 0.03, 0.06, "?")


def test_a_waterfall_goes_from_where_the_metric_stood_to_where_it_stands():
    bars = waterfall(Track("time", 1, (QUIET, SLOWER, FASTER))).data[0]

    assert bars.x == ("1", "2", "3", "all")
    assert [base + y for base, y in zip(bars.base, bars.y, strict=True)] == pytest.approx([0.04, 10, 4.5, 4.5])
    assert bars.base == pytest.approx([0, 0.04, 10, 0])


def test_its_intervals_are_those_against_the_base():
    errors = waterfall(Track("time", 1, (QUIET, SLOWER))).data[0].error_y

    assert errors.array[1:] == pytest.approx([2, 2])
    assert errors.arrayminus[1:] == pytest.approx([2, 2])


def test_worse_is_orange_better_is_blue_and_the_word_says_who_did_it():
    figure = waterfall(Track("time", 1, (QUIET, SLOWER, FASTER)))

    assert figure.data[0].marker.color[1:] == (COLOURS[1], COLOURS[0], GREY)
    assert [(note.x, note.text) for note in figure.layout.annotations] == [(1, "culprit +10.0%"), (2, "suspect -5.0%")]
    assert waterfall(Track("rate", -1, (SLOWER,))).data[0].marker.color[0] == COLOURS[0]


def test_steps_add_up_where_the_base_was_not_measured():
    unknown = [Step(k, "", 0.1, None, None, None, None, None) for k in (1, 2)]

    bars = waterfall(Track("time", 1, tuple(unknown))).data[0]

    assert bars.base[1] + bars.y[1] == pytest.approx(21)


def test_nothing_measured_is_an_empty_waterfall():
    assert waterfall(Track("time", 1, ())).data[0].y == (0,)


def test_a_heat_map_has_every_patch_and_says_what_was_not_measured():
    others, named = heat_map([Track("<b>time</b>", 1, (QUIET, SLOWER))], 3).data

    assert (others.text[0], named.text[0]) == (["0.0", "", ""], ["", "+10.0*", ""])
    assert others.z[0][0] is not None
    assert others.z[0][1:] == [None, None]
    assert (named.z[0][0], named.z[0][2]) == (None, None)
    assert named.z[0][1] > 0.6
    assert named.customdata[0][2] == "not measured"
    assert "<b>" not in named.y[0]
    assert "<b>" not in named.customdata[0][1]


def test_text_on_a_cell_that_lets_the_page_shine_through_is_readable_on_light_and_dark():
    others, named = heat_map([Track("time", 1, (QUIET, SLOWER))], 2).data

    assert others.textfont.color == GREY
    assert named.textfont.color is None
    assert "<" not in named.texttemplate
    assert all(not colour.startswith("rgba") for _, colour in named.colorscale)


@pytest.mark.parametrize(
    ("effect", "told"), [(0.0, "0.0%"), (-0.0004, "0.0%"), (0.0004, "0.0%"), (-0.0006, "-0.1%"), (0.5, "+50.0%")]
)
def test_a_change_that_rounds_to_nothing_has_no_sign(effect, told):
    assert signed(effect) == told
