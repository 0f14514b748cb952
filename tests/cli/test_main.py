import subprocess
import sys

import pytest
from typer.main import get_command

from cli.main import COMMANDS, app


def test_help_lists_every_command(kvmperf):
    shown = kvmperf("--help").stdout

    for name, _ in COMMANDS:
        assert f" {name} " in shown


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_every_command_has_help_with_an_example(kvmperf, name):
    assert "Example: kvmperf " in " ".join(kvmperf(name, "--help").stdout.split())


def test_every_subcommand_of_db_has_an_example():
    group = get_command(app).commands["db"]

    assert all("Example: kvmperf db" in (command.help or "") for command in group.commands.values())


@pytest.mark.parametrize(
    "words", [("nonsense",), ("compare", "--frobnicate"), ("compare", "a1"), ("compare", "a", "b", "--margin", "x")]
)
def test_wrong_usage_is_2(kvmperf, words):
    assert kvmperf(*words, code=2).stderr


def test_help_and_parse_load_nothing_heavy():
    """The speed of `--help` and `parse` is what they do not import."""
    probe = (
        "import sys; from cli.main import app\n"
        "from ingest import parsers, outputs\n"
        "heavy = {'sqlalchemy', 'numpy', 'scipy', 'pandas', 'streamlit', 'plotly', 'pydantic', 'httpx2', 'alembic'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_command_asked_for_by_name_loads_no_other():
    probe = (
        "import sys; from cli.main import application\n"
        "application('parse')\n"
        "print(sorted(name for name in sys.modules if name.startswith('cli.')))"
    )

    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "['cli.main', 'cli.parse']"
