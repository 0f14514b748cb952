from datetime import UTC, datetime

import pytest

from alerts.rules import MARGIN, Rules, parse, read
from db.errors import UserError
from db.values import SeriesRow

SERIES = SeriesRow(1, "bm1", "kvm/dirty_log", 1, {"vcpus": 4}, "time.round2", "s", "lower")
WHOLE = """
[defaults]
margin = "3%"
owners = ["kvm"]

[silence]
days = 2.5

[[rule]]
benchmark = "dirty_*"
min_boots = 3

[[rule]]
metric = "time"
params = {vcpus = 4}
margin = 0.05
mute = 2027-01-31
reason = "host is moved"
"""


def test_no_rules_are_the_defaults():
    assert parse("") == Rules()
    assert Rules().terms(SERIES).margin == MARGIN


def test_the_last_rule_that_says_something_counts():
    terms = parse(WHOLE).terms(SERIES)

    assert (terms.margin, terms.min_boots, terms.owners, terms.reason) == (0.05, 3, ("kvm",), "host is moved")
    assert terms.is_muted(datetime(2027, 1, 30, tzinfo=UTC))
    assert not terms.is_muted(datetime(2027, 1, 31, tzinfo=UTC))
    assert parse(WHOLE).silent_days == 2.5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("margin = \n", r"r\.toml:1: not TOML"),
        ("[default]\n", r"r\.toml:1: default: unknown; did you mean defaults\?"),
        ("\n[[rule]]\nbenchmrk = 'x'\n", r"r\.toml:3: rule\.benchmrk: unknown; did you mean benchmark\?"),
        ("[[rule]]\nmargin = 0.1\n[[rule]]\n\nmargin = '200%'\n", r"r\.toml:5: rule\.margin: '200%' is no margin"),
        ("[defaults]\nmin_boots = 0\n", r"r\.toml:2: defaults\.min_boots: 0 is no number of boots"),
        ("[[rule]]\nmute = true\n", r"r\.toml:2: rule\.mute: say why"),
        ("[[rule]]\nmute = 'soon'\nreason = 'x'\n", r"r\.toml:2: rule\.mute: 'soon' is neither"),
        ("[[rule]]\nowners = 'ann'\n", r"r\.toml:2: rule\.owners: a list"),
        ("[silence]\ndays = -1\n", r"r\.toml:2: silence\.days: -1 is no positive number"),
        ("rule = 3\n", r"r\.toml:1: rule: rules are written as"),
        ("[[rule]]\nparams = 4\n", r"r\.toml:2: rule\.params: a table"),
        ("[defaults]\nbenchmark = 'x'\n", r"r\.toml:2: defaults\.benchmark: unknown"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_key(text, said):
    with pytest.raises(UserError, match=said):
        parse(text, "r.toml")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"none\.toml: No such file"):
        read(tmp_path / "none.toml")
