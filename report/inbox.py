"""Answers "what needs me?": tests that fail or are skipped now, hosts that fell silent, what came in last."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from db import operation_queries, queries
from db.operation_queries import Arrived, Ended
from db.values import RevisionRow


@dataclass(frozen=True, slots=True)
class InboxReport:
    """What was noticed without judging a number: bad endings newest first, arrivals newest first, the quarantine."""

    ended: tuple[Ended, ...]
    arrived: tuple[Arrived, ...]
    quarantined: int

    def failing(self, hosts: Collection[str] = (), benchmarks: Collection[str] = ()) -> list[Ended]:
        """Failures, time-outs and kills; then what is skipped now and passed before."""
        wanted = [
            one
            for one in self.ended
            if (not hosts or one.host in hosts)
            and (not benchmarks or one.benchmark in benchmarks)
            and (one.status != "skip" or one.passed_before)
        ]
        return sorted(wanted, key=lambda one: (one.status == "skip", not one.passed_before))


def build(connection: Connection) -> InboxReport:
    """Everything at once."""
    return InboxReport(
        ended=operation_queries.ended_badly(connection),
        arrived=operation_queries.arrived(connection),
        quarantined=len(queries.quarantine(connection)),
    )


def before(revision: RevisionRow, known: Sequence[RevisionRow]) -> tuple[RevisionRow, ...]:
    """What a new revision is to be compared with: the base of its version, else the newest before it; or nothing.

    `known` is in order of time.
    """
    if revision.series:
        of_version = [one for one in known if (one.series, one.version) == (revision.series, revision.version)]
        return tuple(one for one in of_version if one.patch == 0 and one.id != revision.id)[:1]
    earlier = [one for one in known if not one.series and one.order < revision.order]
    return tuple(earlier[-1:])
