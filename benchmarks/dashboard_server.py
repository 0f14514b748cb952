"""The dashboard as `kvmperf dashboard` starts it, with one line of JSON a script run: its wall and processor seconds.

Started by benchmarks/dashboard.py: python benchmarks/dashboard_server.py PORT LINES [SCRIPT]; the database in
KVMPERF_DB. SCRIPT is served in place of the dashboard: what Streamlit takes by itself.
"""

import json
import sys
import time
from functools import wraps
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.web.cli import main

from cli.serve import _command


def time_runs(lines: Path) -> None:
    """Write down how long each run of a script took, from its request to its last element."""
    run = ScriptRunner._run_script  # noqa: SLF001 (the only place that sees a whole run)

    @wraps(run)
    def timed(self: ScriptRunner, rerun_data: object) -> None:
        wall, processor = time.perf_counter(), time.thread_time()
        try:
            run(self, rerun_data)
        finally:
            told = {"wall": time.perf_counter() - wall, "cpu": time.thread_time() - processor}
            with lines.open("a") as out:
                out.write(json.dumps(told) + "\n")

    ScriptRunner._run_script = timed  # noqa: SLF001


if __name__ == "__main__":
    time_runs(Path(sys.argv[2]))
    command = _command(int(sys.argv[1]), "127.0.0.1")[3:]
    if len(sys.argv) > 3:
        command[1] = sys.argv[3]
    sys.argv = ["streamlit", *command]
    main()
