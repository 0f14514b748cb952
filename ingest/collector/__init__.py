"""The stand-alone collector: runs a benchmark N times on a host and keeps everything about it in one bundle.

Packed with `ingest.hostfacts` into kvmperf-collect.pyz, so everything here but `build` is standard library only, runs
on Python 3.8 and imports nothing else of ours. `pack` is the one writer of bundles; the upload client uses it too.
"""

VERSION = 1
