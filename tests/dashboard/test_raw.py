from hypothesis import given
from hypothesis import strategies as st

from dashboard.parts.raw import MOST, Gap, RawLine, excerpt, to_html


def _numbers(pieces):
    return [piece.number for piece in pieces if isinstance(piece, RawLine)]


@given(
    st.integers(1, 400),
    st.sets(st.integers(1, 400), max_size=20),
    st.booleans(),
)
def test_shown_and_left_out_lines_are_all_lines(count, marked, whole):
    told = dict.fromkeys((line for line in marked if line <= count), "x = 1 s")

    pieces = excerpt([f"line {i}" for i in range(1, count + 1)], told, whole=whole)

    assert sum(piece.lines if isinstance(piece, Gap) else 1 for piece in pieces) == count
    assert set(told) <= set(_numbers(pieces))


def test_of_too_many_marked_lines_those_that_are_meant_are_shown():
    lines = ["x"] * 100_000

    shown = _numbers(excerpt(lines, dict.fromkeys(range(1, 100_001), "a = 1"), frozenset({77_000})))

    assert 77_000 in shown
    assert {1, 100_000} <= set(shown)
    assert len(shown) == MOST


@given(st.text(max_size=200))
def test_no_text_becomes_markup(text):
    shown = to_html([RawLine(1, text, text, is_meant=True)])

    inside = shown.split("</style>")[1]
    assert inside.count("<") == inside.count("</") * 2
    assert inside.count("<script") == 0


def test_a_mark_is_a_sign_and_words_not_only_a_colour():
    shown = to_html([RawLine(7, "time: 1s", "time = 1 s", is_meant=True), RawLine(8, "other: 2s", "other = 2 s")])

    assert "▶ time: 1s" in shown
    assert "• other: 2s" in shown
    assert "→ time = 1 s" in shown
