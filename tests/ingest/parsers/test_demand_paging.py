import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import parsers
from ingest.parsers.demand_paging import rate_phase
from ingest.records import Output

pages = st.integers(100, 1 << 28)
times = st.integers(10_000_000, 500 * 10**9).filter(lambda nanoseconds: nanoseconds % 10**9 > 1000)


@given(pages, times)
def test_a_right_rate_is_recognised(count: int, nanoseconds: int) -> None:
    rate = float(f"{count / (nanoseconds / 1e9):.6f}")

    assert rate_phase(rate, nanoseconds) == ""


@given(pages, times)
def test_a_wrong_rate_is_never_passed_off_as_right(count: int, nanoseconds: int) -> None:
    seconds, rest = divmod(nanoseconds, 10**9)
    rate = float(f"{count / (seconds + rest / 1e8):.6f}")

    # a whole number of pages can come out by accident: then the printed time and rate agree, and nothing can tell
    truly_whole = abs(rate * nanoseconds / 1e9 - round(rate * nanoseconds / 1e9)) < 1e-3 + 1e-9 * count
    assert rate_phase(rate, nanoseconds) == "before_fix" or truly_whole


@pytest.mark.parametrize(
    ("rate", "phase"), [("4191.712087", "before_fix"), ("7478.319515", ""), ("5000.000000", "unsure")]
)
def test_the_phase_says_which_rate_it_is(rate: str, phase: str) -> None:
    text = f"Total guest execution time: 2.190866540s\nOverall demand paging rate: {rate} pgs/sec\n"

    (record,) = parsers.parse(Output(text))

    assert [one.series for one in record.measurements][-1] == ".".join(filter(None, ["overall_paging_rate", phase]))
    assert bool(phase) == any("rate" in warning for warning in record.warnings)
