"""What earlier revisions of the same host and test cases say about noise: a second source for small comparisons."""

from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy import Connection

from db import queries
from db.values import IntArray, RevisionRow, SampleTable
from report.noise import replicates
from stats.samples import History
from stats.variance import Spreads, as_history, components

# Many metrics know their noise from each other; few need it from the past (of three metrics with two boots a side, 37 %
# of 5 % changes are found with twelve earlier boots and 10 % without).
MOST_METRICS = 30
WARNING = "the noise is also judged by earlier revisions measured on this host"
MOST_REVISIONS = 20  # the newest ones; a host changes, and every row read costs time


def earlier(
    connection: Connection, table: SampleTable, known: Sequence[RevisionRow], compared: Sequence[RevisionRow]
) -> Mapping[int, Spreads]:
    """The spreads of each time series of `table` over the newest other revisions, where that may help.

    Empty for comparisons of many metrics, and where boots are shared (there the boot's level cancels).
    """
    series = [int(one) for one in np.unique(table.series)]
    if not 0 < len(series) <= MOST_METRICS or _shares_boots(table):
        return {}
    skip = {one.id for one in compared}
    others = [one.id for one in known if one.id not in skip][-MOST_REVISIONS:]
    if not others:
        return {}
    past = queries.samples(connection, series, others)
    same = np.isin(past.state, table.state)  # noise in another host state says nothing
    found = ((one, replicates(past, one, np.flatnonzero((past.series == one) & same))) for one in series)
    return {
        one: components(columns) for one, columns in found if columns.value.size and bool((columns.value > 0).all())
    }


def for_pairs(past: Mapping[int, Spreads], table: SampleTable, pairs: Sequence[tuple[int, IntArray]]) -> History | None:
    """What the past says about each pair (time series, rows of the table that are compared); None where nothing.

    Left out where what is compared is noisier than the past was.
    """
    if not any(series in past for series, _ in pairs):
        return None
    now, before = [], []
    for series, rows in pairs:
        columns = replicates(table, series, rows)
        usable = series in past and bool((columns.value > 0).all())
        now.append(components(columns if usable else replicates(table, series, rows[:0])))
        before.append(past[series] if usable else now[-1])
    history = as_history(before, now)
    unused = [series not in past for series, _ in pairs]
    history.variance[unused], history.df[unused] = np.nan, 0.0
    return history if (history.df > 0).any() else None


def _shares_boots(table: SampleTable) -> bool:
    known = table.boot >= 0
    pairs = np.unique(np.stack([table.boot[known], table.revision[known]]), axis=1)
    return bool(np.unique(pairs[0]).size < pairs.shape[1])
