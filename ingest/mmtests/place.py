"""Where and on what an iteration was measured: what the user says, else what the tree says."""

import re
from dataclasses import replace
from pathlib import Path

from db.values import CaptureContext
from ingest.context import Given, placed
from ingest.hostfacts import HostFacts
from ingest.hostfacts.given import read_given
from ingest.mmtests.facts import read_facts

_NOT_IN_LABELS = re.compile(r"[@,~\s]")


class Places:
    """The contexts of iterations. Each has its own boot, because a run may reboot between iterations.

    `named` are facts that somebody chose for this tree: they go before its own dumps.
    """

    def __init__(self, given: Given, named: HostFacts | None = None) -> None:
        self._given = given
        self._named = named if given.host_facts is None else read_given(given.host_facts)
        self._known: dict[Path, CaptureContext] = {}

    def of(self, iteration: Path) -> CaptureContext:
        """The context of one iteration.

        Where nothing names the measured code, the run's own name is the label: it is what MMTests compares by.
        """
        if iteration not in self._known:
            facts = self._named or read_facts(iteration)
            self._known[iteration] = placed(self._labelled(iteration.parent.name), facts)
        return self._known[iteration]

    def _labelled(self, run: str) -> Given:
        given = self._given
        if given.label or given.commit or given.kernel or given.series:
            return given
        return replace(given, label=_NOT_IN_LABELS.sub("_", run)[:200])
