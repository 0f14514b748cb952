"""Trends in plain text."""

from trend_lines import line

from report.trend_text import render


def test_a_change_has_the_direction_of_a_comparison_whatever_the_sign():
    up, down = (render([line(values)]).splitlines()[-1] for values in ((4.98, 6.48), (-4.98, -6.48)))

    assert "+30.1%" in up
    assert "-30.1%" in down


def test_of_nothing_there_is_no_change_in_per_cent():
    assert render([line((0.0, 2.0))]).splitlines()[-1].split()[4] == "-"


def test_the_columns_say_what_they_are():
    header, first = render([line((1.0, 1.1))]).splitlines()[2:4]

    assert header.split() == ["revision", "median", "[95%", "interval]", "vs", "first"]
    assert header.index("first") + len("first") == first.index("%") + 1
