"""Every captured output beside what the parsers must say about it."""

import json
import os
from pathlib import Path

import pytest

from cli.parse import as_object
from ingest import parsers
from ingest.outputs import find_outputs, read_output

OUTPUTS = Path(__file__).resolve().parents[3] / "fixtures" / "outputs"
FOUND = find_outputs(OUTPUTS)


@pytest.mark.parametrize("found", FOUND, ids=[found.relative_path for found in FOUND])
def test_output_gives_the_expected_records(found) -> None:
    captured = read_output(found)
    golden = found.stem.with_name(found.stem.name + ".expected.json")

    records = [as_object(record, captured.relative_path) for record in parsers.parse(captured.output)]

    if os.environ.get("KVMPERF_UPDATE_GOLDEN"):
        golden.write_text(json.dumps(records, indent=1) + "\n")
    assert json.loads(golden.read_text()) == records
