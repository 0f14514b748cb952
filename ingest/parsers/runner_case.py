"""Which program and case an output in the tree of the KVM selftest runner belongs to: only its path says so."""

import re
from typing import NamedTuple

from ingest.parsers import commandline
from ingest.records import Output

_PATH = re.compile(r"(?:\A|/)(?P<program>[\w.-]{1,80})/(?P<case>[\w.,=+-]{1,200})\.test/stdout\Z")
_DEFAULT = "default"


class RunnerCase(NamedTuple):
    """`dirty_log_perf_test/2slot_5vcpu.test` as program and case; both empty for an output from elsewhere."""

    program: str = ""
    case: str = ""

    @property
    def has_default_options(self) -> bool:
        """Whether the program ran without options: that is what the runner's `default.test` says."""
        return self.case == _DEFAULT


def runner_case(output: Output) -> RunnerCase:
    """The program and the case that the output's path names."""
    match = _PATH.search(output.source)
    return RunnerCase(match["program"], match["case"]) if match else RunnerCase()


def program_of(output: Output) -> str:
    """The program that the command line runs, or that the runner's path names."""
    return commandline.invocation(output.command).program if output.command else runner_case(output).program
