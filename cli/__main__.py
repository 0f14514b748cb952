"""`python -m cli`: the same as `kvmperf`."""

from cli.main import main

main()
