"""A database in which every stored text tries to be more than text."""

from datetime import UTC, datetime, timedelta

import numpy as np

from db.engine import connect, writing
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer

EPOCH = datetime(2024, 1, 8, tzinfo=UTC)
TRICKS = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(2)>",
    "![i](http://x.example/i.png)",
    "[l](javascript:alert(3))",
    "**bold** `code` :red[r] :smile:",
    r"$\frac{a}{b}$",
    "http://x.example/",
    "\u202egnp.exe\u2066",
    "\x1b[31m\x00\x07",
)
ALL = " ".join(TRICKS)


def build(path):
    """Runs, a patch series, a quarantined output; the number of a run with a line of a megabyte in its output."""
    engine = connect(f"sqlite:///{path}", create=True)
    rng = np.random.default_rng(2)
    with writing(engine) as connection:
        writer = Writer(connection, origin=ALL, now=EPOCH)
        for day, label in enumerate((f"a {ALL}", f"b {ALL}")):
            _boots(writer, rng, RevisionFacts(label=label, subject=ALL, kernel=f"6.1 {ALL}"), day)
        for k in range(4):
            facts = RevisionFacts(commit=f"{k}{'ab' * 19}c", series=f"s {ALL}", version=1, patch=k, subject=ALL)
            _boots(writer, rng, facts, 5 + k)
        context = CaptureContext(host=f"h {ALL}", revision=RevisionFacts(label="q"), boot_id=ALL, tags={ALL: ALL})
        writer.store(context, NewCapture(f"odd {ALL}", {"stdout": _output()}, ALL, quarantined=f"because {ALL}"))
        failed = NewRun(f"suite/{ALL}", {"p": ALL}, "fail", "f", 1, (), (ALL,))
        writer.store(context, NewCapture(f"bad {ALL}", {f"err {ALL}": b"x"}, ALL, 1, EPOCH, runs=(failed,)))
    engine.dispose()
    return f"sqlite:///{path}"


def _boots(writer, rng, facts, day):
    factor = 1.4 if facts.label.startswith("b") or (facts.patch or 0) >= 2 else 1.0
    for boot in range(3):
        values = factor * np.exp(rng.normal(0, 0.005, 4))
        state = {"microcode": f"{day} {ALL}" if facts.label else "1", "cpu.model": ALL}
        context = CaptureContext(host=f"h {ALL}", revision=facts, boot_id=f"{ALL} {boot}", state=state)
        measured = (NewMeasurement(f"m {ALL}", "s", "lower", values),)
        run = NewRun(f"suite/{ALL}", {f"p {ALL}": ALL}, "pass", "f", 1, measured, (ALL,))
        files = {"stdout": f"{day} {boot} ".encode() + _output(), f"x {ALL}": b"{}"}
        when = EPOCH + timedelta(days=day, hours=boot)
        writer.store(context, NewCapture(f"{day}/{boot} {ALL}", files, ALL, 0, when, runs=(run,)))


def _output():
    return "\n".join([*TRICKS, "y" * 1_000_000, "</div></style></script>"]).encode() + b"\xff\r\n"
