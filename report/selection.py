"""Which of the stored things to look at: exact time series, a first pair of revisions, the cases of a scaling curve."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from db.queries import Filters
from db.values import RevisionRow, RunCount, SeriesRow

SCALES = ("vcpus", "memory", "memslots")  # parameters that a curve can run over, first choice first


@dataclass(frozen=True, slots=True)
class Chosen(Filters):
    """Filters that let exactly these time series through, whatever their names look like as globs."""

    ids: frozenset[int] = frozenset()

    def only(self) -> Collection[int]:
        """The chosen ones."""
        return self.ids

    def takes(self, series: SeriesRow) -> bool:
        """Whether a time series is one of the chosen."""
        return series.id in self.ids


def first_pair(revisions: Sequence[RevisionRow], counts: Collection[RunCount]) -> tuple[int, int] | tuple[()]:
    """The newest revision and the newest before it with a test case in common on one host (base, head), or nothing.

    Revisions in their order in time; only runs that passed count.
    """
    cases: dict[int, set[tuple[str, int]]] = {}
    for count in counts:
        if count.status == "pass":
            cases.setdefault(count.revision_id, set()).add((count.host, count.test_case_id))
    measured = [revision.id for revision in revisions if revision.id in cases]
    for position in range(len(measured) - 1, 0, -1):
        for base in reversed(measured[:position]):
            if cases[base] & cases[measured[position]]:
                return base, measured[position]
    return ()


def scaling_family(series: SeriesRow, others: Sequence[SeriesRow]) -> tuple[str, tuple[SeriesRow, ...]]:
    """The time series that differ from this one in one scaling parameter only, ordered by it; else ("", ())."""
    for name in SCALES:
        family = [one for one in others if _is_sibling(series, one, name)]
        if len({one.params[name] for one in family}) > 1:
            return name, tuple(sorted(family, key=lambda one: float(one.params[name])))
    return "", ()


def _is_sibling(series: SeriesRow, other: SeriesRow, name: str) -> bool:
    numeric = isinstance(other.params.get(name), int | float)
    same = (series.host, series.benchmark, series.metric, series.unit) == (
        other.host,
        other.benchmark,
        other.metric,
        other.unit,
    )
    rest = {k: v for k, v in series.params.items() if k != name}
    return numeric and same and rest == {k: v for k, v in other.params.items() if k != name}
