"""Host facts: what a machine is and how it is set, from the running machine, captured files, or a facts JSON.

This package is also packed into the stand-alone collector: it imports nothing else of ours (`given` apart, which the
collector leaves out) and runs on Python 3.8.
"""

from .collect import read_folder, read_machine
from .record import FactsError, HostFacts, read_json

__all__ = ["FactsError", "HostFacts", "read_folder", "read_json", "read_machine"]
