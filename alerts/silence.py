"""Notices without a step: hosts, test cases and metrics that fell silent, tests that newly fail or are newly skipped.

Each sweep puts what is new into one notice a kind. A notice loses what is well again, and closes itself when nothing
is left. What someone closed by hand stays told as long as it lasts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TypeAlias

from sqlalchemy import Connection

from alerts.decide import Closed
from alerts.notices.notice import Kind
from alerts.rules import Rules
from db import alert_queries, alert_writes, operation_queries, outbox, silence_queries
from db.alert_queries import Group, GroupFilters
from db.detection import Place
from db.silence_queries import CaseRow
from db.values import SeriesRow
from db.words import AlertKind, Evidence
from report.words import case_line

ACTOR = "detect"
LATELY = 40  # revisions of a line that are looked at
FEWEST = 3  # uploads, or revisions, before silence means something
RHYTHM = 3  # of its usual gaps that a host may be silent
REGULAR = 0.7  # of the revisions of its host that a test case must have been measured at
_NAMES = ("host", "benchmark", "case", "metric")
_KINDS = (AlertKind.MISSING_DATA, AlertKind.FAILING_TEST, AlertKind.NEWLY_SKIPPED)

Item: TypeAlias = dict[str, str]
Measured: TypeAlias = Mapping[tuple[str, str], Mapping[int, set[int]]]  # (host, line) -> case -> positions


def settle(connection: Connection, places: Mapping[int, Place], rules: Rules, now: datetime) -> list[tuple[int, str]]:
    """Bring the notices to what is silent or failing now; the groups that changed, with what happened."""
    cases = silence_queries.cases(connection)
    items = {
        AlertKind.MISSING_DATA: _missing(connection, places, cases, rules, now),
        **_failing(connection, places),
    }
    done: list[tuple[int, str]] = []
    for kind in _KINDS:
        heard = [one for one in items[kind] if not _is_muted(one, cases, rules, now)]
        filters = GroupFilters(is_open=None, kinds=(kind.value,), thin=True)
        done += _settled(connection, kind, heard, alert_queries.groups(connection, filters), now)
    return done


def silent_hosts(received: Mapping[str, Sequence[datetime]], days: float, now: datetime) -> list[Item]:
    """The hosts whose uploads have stopped: for so many days, and for longer than three of their usual gaps."""
    found = []
    for host, times in sorted(received.items()):
        since = now - times[-1]
        gaps = [later - earlier for earlier, later in pairwise(times[-20:])]
        if len(times) < FEWEST or since < timedelta(days=days):
            continue
        if since > RHYTHM * timedelta(seconds=median(gap.total_seconds() for gap in gaps)):
            found.append({"host": host, "since": f"{times[-1]:%Y-%m-%d}"})
    return found


def silent_cases(measured: Measured, revisions: int) -> list[tuple[str, int, int]]:
    """Host, test case and last position of cases that their host measured regularly and then left out so often."""
    found = []
    for (host, _), by_case in sorted(measured.items()):
        all_of_host = sorted(set().union(*by_case.values()))
        for case, positions in sorted(by_case.items()):
            last = max(positions)
            until = [one for one in all_of_host if min(positions) <= one <= last]
            after = [one for one in all_of_host if one > last]
            regular = len(positions) >= FEWEST and len(positions) >= REGULAR * len(until)
            if regular and len(after) >= revisions:
                found.append((host, case, last))
    return found


def merge(told: Sequence[Group], items: Iterable[Item]) -> tuple[dict[int, list[Item]], list[Item]]:
    """What is left of each notice that still counts, and what is in none of them. Pure."""
    now = {_key(item): item for item in items}
    left: dict[int, list[Item]] = {}
    known: set[tuple[str, ...]] = set()
    for group in sorted(told, key=lambda one: one.id):
        if group.is_open or group.closed_because == Closed.BY_HAND:
            of_group = [item for item in group.detail.get("items", ()) if _key(item) in now and _key(item) not in known]
            left[group.id] = listed = [_renewed(item, now[_key(item)]) for item in of_group]
            known |= {_key(item) for item in listed}
    return left, [item for key, item in sorted(now.items()) if key not in known]


def _renewed(item: Item, found: Item) -> Item:
    """A host may have spoken between two looks. What a test failed at first stays told."""
    return {**item, "since": found["since"]} if "since" in found else item


def _key(item: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(str(item.get(name, "")) for name in _NAMES)


def _missing(
    connection: Connection, places: Mapping[int, Place], cases: Mapping[int, CaseRow], rules: Rules, now: datetime
) -> list[Item]:
    hosts = silent_hosts(silence_queries.received(connection), rules.silent_days, now)
    newest: dict[str, int] = defaultdict(int)
    for place in places.values():
        newest[place.line] = max(newest[place.line], place.position)
    lately = {number: one for number, one in places.items() if one.position > newest[one.line] - LATELY}
    measured: dict[tuple[str, str], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for host, case, revision in silence_queries.measured(connection, lately.keys()):
        measured[host, lately[revision].line][case].add(lately[revision].position)
    silent = silent_cases(measured, rules.silent_revisions)
    found = [{"host": host, **_case(cases[case])} for host, case, _ in silent]
    skip = {(host, case) for host, case, _ in silent}
    metrics = _silent_metrics(connection, lately, measured, rules.silent_revisions)
    found += [
        {"host": host, **_case(cases[case]), "metric": name} for host, case, name in metrics if (host, case) not in skip
    ]
    return hosts + found


def _silent_metrics(
    connection: Connection, lately: Mapping[int, Place], measured: Measured, revisions: int
) -> list[tuple[str, int, str]]:
    """Host, test case and metric of what the case no longer says, though it still runs."""
    found = []
    for host, case, metric, revision in silence_queries.last_values(connection):
        place = lately.get(revision)
        positions = measured.get((host, place.line), {}).get(case, set()) if place else set()
        if place and sum(one > place.position for one in positions) >= revisions:
            found.append((host, case, metric))
    return sorted(found)


def _failing(connection: Connection, places: Mapping[int, Place]) -> dict[AlertKind, list[Item]]:
    """What passed before on its host and does not at the newest revision there; skipped tests apart."""
    found: dict[AlertKind, list[Item]] = {AlertKind.FAILING_TEST: [], AlertKind.NEWLY_SKIPPED: []}
    for one in operation_queries.ended_badly(connection):
        if one.passed_before and one.revision_id in places:
            kind = AlertKind.NEWLY_SKIPPED if one.status == "skip" else AlertKind.FAILING_TEST
            case = case_line(one.benchmark, sorted(one.params.items()))
            told = {"host": one.host, "benchmark": one.benchmark, "case": case}
            found[kind].append({**told, "status": one.status, "at": places[one.revision_id].name})
    return found


def _case(case: CaseRow) -> Item:
    return {"benchmark": case.benchmark, "case": case_line(case.benchmark, sorted(case.params.items()))}


def _is_muted(item: Item, cases: Mapping[int, CaseRow], rules: Rules, now: datetime) -> bool:
    """Whether a rule says so. A rule for a metric or for parameters speaks of what has them."""
    params = next((one.params for one in cases.values() if _case(one)["case"] == item.get("case")), {})
    about = SeriesRow(0, item["host"], item.get("benchmark", ""), 0, params, item.get("metric", ""), "", "none")
    return bool(rules.rules or rules.defaults.muted_until) and rules.terms(about).is_muted(now)


def _settled(
    connection: Connection, kind: AlertKind, items: Sequence[Item], stored: Sequence[Group], now: datetime
) -> list[tuple[int, str]]:
    left, new = merge(stored, items)
    done: list[tuple[int, str]] = []
    for group in stored:
        if group.id not in left or left[group.id] == list(group.detail.get("items", ())):
            continue
        changed: dict[str, object] = {"detail": {"items": left[group.id]}}
        if left[group.id]:
            changed["subject"] = _subject(kind, left[group.id])
        elif group.is_open:
            changed = {"closed_at": now, "closed_because": Closed.RECOVERED.value}
            done.append(_told(connection, group.id, (Closed.RECOVERED.value, Kind.RECOVERED), now))
        alert_writes.change_group(connection, group.id, changed)
    if new:
        columns = {"kind": kind.value, "evidence": Evidence.CONFIRMED.value, "opened_at": now, "announced_at": now}
        number = alert_writes.add_group(
            connection, {**columns, "subject": _subject(kind, new), "detail": {"items": new}}
        )
        news = Kind.MISSING if kind is AlertKind.MISSING_DATA else Kind.FAILING
        done.append(_told(connection, number, ("announced", news), now))
    return done


def _told(connection: Connection, number: int, what: tuple[str, Kind], now: datetime) -> tuple[int, str]:
    action, news = what
    event = alert_writes.add_event(connection, number, now, (ACTOR, action), {})
    outbox.enqueue(connection, f"{news}:{number}:{event}", news.value, {}, at=now, group_id=number)
    return number, action


def _subject(kind: AlertKind, items: Sequence[Item]) -> str:
    """What a notice is about, in a few words: `host bm3`, `4 test cases on bm1, bm2`."""
    hosts = sorted({item["host"] for item in items})
    where = ", ".join(hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")
    cases = [item for item in items if "case" in item]
    if not cases:
        return f"host{'s' * (len(hosts) > 1)} {where}"
    what = {AlertKind.FAILING_TEST: "test case", AlertKind.NEWLY_SKIPPED: "test case"}.get(kind, "measured thing")
    first = cases[0]["case"] if len(cases) == 1 else f"{len(cases)} {what}s"
    return f"{first} on {where}"[:400]
