"""Bundles for tests: whole ones, and tars that claim to be one."""

import io
import json
import tarfile

from ingest.collector import pack

DIRTY_LOG = b"""Test iterations: 2, interval: 10 (ms)
Testing guest mode: PA-bits:ANY, VA-bits:48,  4K pages
guest physical test memory: [0xffbfffff000, 0xffffffff000)
Populate memory time: 0.100000000s
Enabling dirty logging time: 0.000010000s

Iteration 1 dirty memory time: 0.010000000s
Iteration 1 get dirty log time: 0.000010000s
Iteration 1 clear dirty log time: 0.001000000s
Iteration 2 dirty memory time: 0.020000000s
Iteration 2 get dirty log time: 0.000020000s
Iteration 2 clear dirty log time: 0.002000000s
Disabling dirty logging time: 0.001000000s
Get dirty log over 2 iterations took 0.000030000s. (Avg 0.000015000s/iteration)
Clear dirty log over 2 iterations took 0.003000000s. (Avg 0.001500000s/iteration)
"""
PART = {"outputs": "s001", "facts": "", "context": {"host": "bm1", "label": "a", "boot_id": "b1"}}


def output(number=1):
    """The files of one run of dirty_log_perf_test."""
    return {
        f"s001/dlp-1/{number:03d}.out": DIRTY_LOG,
        f"s001/dlp-1/{number:03d}.cmd": b"./dirty_log_perf_test -v 1\n",
        f"s001/dlp-1/{number:03d}.rc": b"0\n",
        f"s001/dlp-1/{number:03d}.time": f"{1000 + number}.0 {1001 + number}.0\n".encode(),
    }


def write(path, files, parts=(PART,), compress=False):
    """A bundle with these files."""
    members = [pack.member(name, content) for name, content in files.items()]
    pack.write_file(path, pack.manifest(members, parts, "test"), members, compress)
    return path


def write_tar(path, told, members):
    """A tar with this manifest and these (TarInfo, content), whatever they are."""
    text = json.dumps(told).encode()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for header, content in [(tarfile.TarInfo(pack.MANIFEST), text), *members]:
            header.size = len(content)
            tar.addfile(header, io.BytesIO(content))
    return path
