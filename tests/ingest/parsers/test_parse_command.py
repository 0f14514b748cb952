import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import parse
from ingest.errors import UnknownFormatError

OUTPUTS = Path(__file__).resolve().parents[3] / "fixtures" / "outputs"
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(parse.parse)
runner = CliRunner()


def test_json_is_one_object_per_run() -> None:
    logs = [str(OUTPUTS / "kselftest" / f"{name}-6.1.out") for name in ("failure", "perf-only", "timeout")]

    result = runner.invoke(app, ["--json", *logs])

    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert len(objects) == 9
    assert set(objects[0]) == {
        *("benchmark", "format", "status", "command", "params", "labels"),
        *("warnings", "measurements", "source", "reported"),
    }


def test_people_get_scaled_units_and_warnings() -> None:
    result = runner.invoke(app, [str(OUTPUTS / "demand_paging_test" / "wrong-rate-6.1.out")])

    assert "kvm-selftests/demand_paging_test  pass" in result.stdout
    assert "! The paging rate is wrong" in result.stdout
    assert "2.19087 s" in result.stdout


def test_an_unreadable_output_among_others_is_told_and_the_rest_printed(tmp_path: Path) -> None:
    (tmp_path / "a.out").write_text("nothing known")
    (tmp_path / "b.out").write_text("Populate memory time: 1.000000000s\n")

    result = runner.invoke(app, ["--json", str(tmp_path)])

    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr.count("\n") == 1
    assert "a.out" in result.stderr


def test_a_single_unreadable_output_keeps_its_hint(tmp_path: Path) -> None:
    (tmp_path / "a.out").write_text("nothing known")

    result = runner.invoke(app, [str(tmp_path / "a.out")])

    assert isinstance(result.exception, UnknownFormatError)
    assert "--format" in result.exception.hint


@pytest.mark.parametrize("module", ["sqlalchemy", "numpy", "pandas", "httpx2", "pydantic"])
def test_parsing_loads_nothing_heavy(module: str) -> None:
    code = f"import sys; from ingest import parsers, outputs; sys.exit({module!r} in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=OUTPUTS.parents[1])

    assert done.returncode == 0
