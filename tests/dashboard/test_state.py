from hypothesis import given
from hypothesis import strategies as st

from dashboard.state import CompareView, TrendsView, decode, encode

texts = st.text(min_size=1, max_size=40)
lists = st.lists(texts, max_size=4, unique=True).map(tuple)
compares = st.builds(
    CompareView,
    base=texts,
    head=lists,
    metric=texts,
    vary=lists,
    show=st.sampled_from(["changes", "everything"]),
    row=texts,
)
trends = st.builds(TrendsView, benchmark=texts, case=lists, metric=lists, host=lists, start=texts, log=st.booleans())


@given(st.one_of(compares, trends))
def test_a_view_survives_its_url(view):
    assert decode(type(view), encode(view)) == view


def test_a_url_says_only_what_differs_from_the_defaults():
    view = CompareView(base="split-on", head=("split-off",))

    assert encode(view) == {"base": ["split-on"], "head": ["split-off"]}
    assert encode(CompareView()) == {}


def test_keys_of_others_and_monstrous_values_are_left_alone():
    query = {"embed": ["true"], "base": ["x" * 10_000], "metric": ["time"]}

    assert decode(CompareView, query) == CompareView(metric="time")


def test_a_switch_is_read_by_its_word():
    assert decode(TrendsView, {"log": ["1"]}).log
    assert not decode(TrendsView, {"log": ["0"]}).log
