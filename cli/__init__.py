"""The `kvmperf` command: one thin file per command group, heavy imports inside the commands."""
