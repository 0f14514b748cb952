from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from db.values import RevisionRow
from report.names import spelled
from report.spellings import spellings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
names = st.sampled_from(["", "v6.1", "6.1.0", "abcd", "abcdef", "deadbeefdead", "a,b", "s@v1", "s@v1/2", "label"])
commits = st.sampled_from(["", "abcdef0123456789", "abcd" * 10, "deadbeefdead" + "0" * 28, "deadbeefdead" + "1" * 28])
places = st.sampled_from([("", None, None), ("s", 1, None), ("s", 1, 0), ("s", 1, 2), ("t", 2, 1)])


@st.composite
def stored(draw):
    found = []
    for number in range(draw(st.integers(0, 7))):
        series, version, patch = draw(places)
        row = RevisionRow(number + 1, draw(names), draw(commits), draw(names), "", NOW, NOW, series, version, patch)
        found.append(row)
    return found


@given(stored())
def test_it_says_what_the_careful_way_says(revisions):
    assert spellings(revisions) == {revision.id: spelled(revision, revisions) for revision in revisions}
