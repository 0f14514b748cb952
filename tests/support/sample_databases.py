"""Databases for the dashboard's tests: two hosts, three revisions, a patch series, real and hostile outputs."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from db.engine import connect, writing
from db.values import CaptureContext, NewCapture, NewMeasurement, NewRun, RevisionFacts
from db.writes import Writer
from ingest.captures import capture
from ingest.outputs import find_outputs, read_output

OUTPUTS = Path(__file__).parents[2] / "fixtures" / "outputs"
EPOCH = datetime(2024, 1, 8, tzinfo=UTC)
BENCHMARK = "kvm-selftests/dirty_log_perf_test"
HOSTILE = "<script>alert(1)</script> **bold** $x^2$ :smile: [a](http://x.example)"
LABELS = ("split-on", "split-off", "split-on-again")
STATE = {
    "cpu.model": "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
    "cpu.sockets": "2",
    "cpu.cores_per_socket": "20",
    "cpu.threads_per_core": "2",
    "microcode": "0x5003604",
    "thp.enabled": "madvise",
    "kvm.eager_page_split": "Y",
    "virtualization": "bare metal",
}
METRICS = (
    ("dirty_memory_time", "s", "lower", 0.186),
    ("clear_dirty_log_time", "s", "lower", 3.3),
    ("dirty_pages_rate", "pages/s", "higher", 250_000.0),
    ("populate_memory_time", "s", "lower", 6.3),
)
EFFECTS = {  # revision label -> metric -> factor
    "split-off": {"dirty_memory_time": 1.5, "clear_dirty_log_time": 0.6, "dirty_pages_rate": 0.8},
}


def url(path: Path) -> str:
    """The address of the database file."""
    return f"sqlite:///{path}"


def empty(path: Path) -> str:
    """A database with tables and nothing in them."""
    connect(url(path), create=True).dispose()
    return url(path)


def build(path: Path) -> str:
    """The whole sample; the same bytes of numbers every time."""
    rng = np.random.default_rng(1)
    engine = connect(url(path), create=True)
    with writing(engine) as connection:
        writer = Writer(connection, origin="test", now=EPOCH)
        for day, label in enumerate(LABELS):
            facts = RevisionFacts(
                kernel="6.12.0-rc3", label=label, subject=f"{label}: KVM: x86/mmu", committed_at=EPOCH
            )
            for host in ("bm3", "bm4"):
                _boots(writer, rng, host, facts, day)
        for k in range(7):
            facts = RevisionFacts(
                commit=f"{k:x}a5e{k}" * 8,
                series="mmu-lockless",
                version=2,
                patch=k,
                subject=f"KVM: patch {k}",
                kernel="6.12.0",
            )
            _boots(writer, rng, "bm3", facts, 10 + k, boots=2)
        _failing(writer, "split-off")
        _hostile(Writer(connection, origin="test", now=EPOCH - timedelta(days=30)), rng)
        _real(Writer(connection, origin="test", now=EPOCH - timedelta(days=20)))
    engine.dispose()
    return url(path)


def failures_only(path: Path) -> str:
    """Nothing but runs that failed: there is something to see, and nothing to compare."""
    engine = connect(url(path), create=True)
    with writing(engine) as connection:
        writer = Writer(connection, origin="test", now=EPOCH)
        for label in LABELS[:2]:
            _failing(writer, label)
    engine.dispose()
    return url(path)


def _boots(writer: Writer, rng: np.random.Generator, host: str, facts: RevisionFacts, day: int, boots: int = 4) -> None:
    name = facts.label or f"patch-{facts.patch}"
    state = STATE | {"kvm.eager_page_split": "N" if name == "split-off" else "Y"}
    if name == "split-on-again":
        state |= {"thp.enabled": "always"}
    for boot in range(boots):
        drift = float(np.exp(rng.normal(0, 0.008)))
        for run in range(3):
            when = EPOCH + timedelta(days=day, hours=boot, minutes=run)
            runs = tuple(_run(rng, facts, vcpus, drift) for vcpus in (1, 2, 4))
            context = CaptureContext(host=host, revision=facts, boot_id=f"{host}-{name}-{boot}", state=state)
            writer.store(
                context,
                NewCapture(f"{name}/{boot}/{run}.out", {"stdout": f"{when}".encode()}, "./dlp", 0, when, runs=runs),
            )


def _run(rng: np.random.Generator, facts: RevisionFacts, vcpus: int, drift: float) -> NewRun:
    effects = EFFECTS.get(facts.label, {})
    culprit = 1.3 if (facts.patch or 0) >= 4 else 1.0
    measured = tuple(
        NewMeasurement(
            metric,
            unit,
            better,
            level
            * drift
            * vcpus**0.7
            * effects.get(metric, 1.0)
            * (culprit if metric == "dirty_memory_time" else 1.0)
            * np.exp(rng.normal(0, 0.01, 5)),
        )
        for metric, unit, better, level in METRICS
    )
    return NewRun(BENCHMARK, {"vcpus": vcpus, "backing_src": "anonymous_thp"}, "pass", "dirty_log_perf", 1, measured)


def _failing(writer: Writer, label: str) -> None:
    run = NewRun("kvm-selftests/memslot_perf_test", {"slots": 512}, "fail", "memslot_perf", 1, ())
    facts = RevisionFacts(kernel="6.12.0-rc3", label=label, subject=f"{label}: KVM: x86/mmu", committed_at=EPOCH)
    context = CaptureContext(host="bm3", revision=facts, boot_id=f"bm3-{label}-0", state=STATE)
    capture = NewCapture(
        f"{label}/fail.out", {"stdout": label.encode()}, "./memslot_perf_test", 254, EPOCH, runs=(run,)
    )
    writer.store(context, capture)


def _hostile(writer: Writer, rng: np.random.Generator) -> None:
    for label, factor in ((HOSTILE, 1.0), (f"{HOSTILE} 2", 1.4)):
        facts = RevisionFacts(label=label, subject="\x1b[31mred " + "x" * 1_000_000, kernel="6.1")
        for boot in range(3):
            values = factor * np.exp(rng.normal(0, 0.01, 4))
            run = NewRun(
                "suite/<img src=x onerror=alert(1)>",
                {"<b>p</b>": "**v**"},
                "pass",
                "f",
                1,
                (NewMeasurement("<i>time</i>*[a-z]*", "s", "lower", values),),
                ("<u>warning</u>",),
            )
            context = CaptureContext(
                host="<h1>host</h1>",
                revision=facts,
                boot_id=f"boot<{label}>{boot}",
                state={"microcode": f"<b>{label}</b>"[:40]},
            )
            when = EPOCH - timedelta(days=9) + timedelta(hours=boot)
            writer.store(
                context, NewCapture(f"{label}{boot}", _odd_output(f"{label}{boot}"), HOSTILE, 0, when, runs=(run,))
            )


def _odd_output(mark: str) -> dict[str, bytes]:
    """What no parser reads, with everything that a careless page would take for more than text."""
    lines = [mark, "<img src=x onerror=alert(1)>", "**bold** $x^2$ :smile: [a](javascript:alert(1))", "y" * 1_000_000]
    return {"stdout": "\n".join(lines).encode() + b"\n\x1b[31mred\x00\x07\xff\r\n</div></script>", "<b>x</b>": b"{}"}


def _real(writer: Writer) -> None:
    """Outputs that parsers read: one that passed, one that was killed, and one that nothing reads."""
    facts = RevisionFacts(kernel="6.12.0", label="real-outputs", committed_at=EPOCH - timedelta(days=60))
    context = CaptureContext(
        host="bm9", revision=facts, boot_id="bm9-1", state=STATE, facts=b'{"as": "collected"}', tags={"bench": "rack 3"}
    )
    found = OUTPUTS / "dirty_log_perf_test"
    for name in ("five-rounds-6.12.out", "killed-6.1.out"):
        stored = writer.store(context, capture(read_output(find_outputs(found / name)[0])))
        assert stored.outcome == "stored"
    text = b"<b>no</b> parser **reads** this\n" + HOSTILE.encode() + b"\n"
    writer.store(context, NewCapture("<i>odd</i>.out", {"stdout": text}, quarantined="no parser <b>recognises</b> it"))
