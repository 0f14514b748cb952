from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from db.values import CaptureContext, RevisionFacts
from ingest import captures
from ingest.context import Given, context
from ingest.errors import InputError
from ingest.outputs import Captured
from ingest.records import Better, Measurement, Output, Unit


def captured(text, **facts):
    return Captured(Output(text=text, source="01.out", **facts), text.encode(), b"", "dlp/01.out")


def test_rounds_of_a_phase_become_one_row_in_their_order():
    rounds = [
        Measurement("dirty", Unit.SECOND, Better.LOWER, 3.0, iteration=4, phase="later"),
        Measurement("dirty", Unit.SECOND, Better.LOWER, 2.0, iteration=3, phase="later"),
        Measurement("dirty", Unit.SECOND, Better.LOWER, 9.0, iteration=1, phase="round1"),
    ]

    found = {one.metric: one.values.tolist() for one in captures.measurements(rounds)}

    assert found == {"dirty.later": [2.0, 3.0], "dirty.round1": [9.0]}


def test_warm_up_comes_first_and_is_counted():
    values = [
        Measurement("t", Unit.SECOND, Better.LOWER, 1.0, iteration=1),
        Measurement("t", Unit.SECOND, Better.LOWER, 7.0, iteration=2, warmup=True),
    ]

    (found,) = captures.measurements(values)

    assert (found.values.tolist(), found.warmup) == ([7.0, 1.0], 1)


def test_what_no_parser_knows_keeps_its_bytes_and_a_reason():
    new = captures.capture(captured("Dear list,\n"))

    assert new.runs == ()
    assert new.files == {"stdout": b"Dear list,\n"}
    assert "no parser" in new.quarantined


def test_times_become_instants():
    new = captures.capture(captured("", command="./kvm_clock_test", exit_status=0, started_at=0.0, ended_at=1.5))

    assert new.started_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert [run.status for run in new.runs] == ["pass"]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (Given(label="a", host="h" * 201), "--host"),
        (Given(label="a\x1b", host="h"), "--label"),
        (Given(label="a,b", host="h"), "--label"),
        (Given(host="h", series="a b", version=1), "--series"),
        (Given(host="h", kernel="6.1", patch="1/2"), "--patch"),
        (Given(host="h", commit="12345"), "--commit"),
    ],
)
def test_a_context_that_cannot_be_meant_names_its_option(given, names):
    with pytest.raises(InputError, match=names):
        context(given)


def test_a_host_alone_brings_no_facts_of_this_machine():
    found = context(Given(label="a", host="elsewhere"))

    assert found == CaptureContext("elsewhere", RevisionFacts(label="a"))


def test_without_a_host_this_machine_is_meant():
    found = context(Given(label="a"))

    running = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert found.boot_id == running
    assert found.boot_since is not None
    assert found.state


def test_facts_give_kernel_and_host():
    facts = Path(__file__).resolve().parents[2] / "fixtures/demo/series/ic-1/host.json"

    found = context(Given(label="a", host_facts=facts))

    assert (found.host, found.revision.kernel) == ("labhost", "6.1.0-56-amd64")
    assert found.state["virtualization"].startswith("emulated")


def test_values_are_floats():
    (found,) = captures.measurements([Measurement("t", Unit.COUNT, Better.NONE, 3)])

    assert found.values.dtype == np.float64
