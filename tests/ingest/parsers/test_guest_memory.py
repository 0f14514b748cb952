import pytest

from ingest import parsers
from ingest.records import Output, Status

HEADER = "Thread:2, Mem:1024M, Time:3 Cmd:{}.\n"
ROUNDS = "The 0 time: 30 ns.\nThe 1 time: 60 ns.\nThe 2 time: 90 ns.\n"


def times(record) -> list[tuple[int | None, str, int]]:
    return [(one.iteration, one.phase, round(one.value * 1e9)) for one in record.measurements]


def test_rounds_beside_a_command_are_another_experiment() -> None:
    (record,) = parsers.parse(Output(HEADER.format("cat x. y") + ROUNDS + "Run 3 times, Avg time:60 ns.\n"))

    assert record.params["beside"] == "cat x. y"
    assert times(record) == [(0, "even", 30), (1, "odd", 60), (2, "even", 90), (None, "mixed", 60)]


def test_repeated_headers_and_rounds_are_one_run() -> None:
    head = HEADER.format("true")
    text = head + head + ROUNDS[:19] + head + ROUNDS + "Run 3 times, Avg time:60 ns.\n"

    (record,) = parsers.parse(Output(text))

    assert [one.iteration for one in record.measurements] == [0, 1, 2, None]
    assert record.status is Status.PASS


def test_a_header_after_the_average_is_another_run() -> None:
    whole = HEADER.format("(null)") + ROUNDS + "Run 3 times, Avg time:60 ns.\n"

    assert [times(record)[-1] for record in parsers.parse(Output(whole + whole))] == [(None, "", 60)] * 2


def test_lines_glued_to_a_cut_writer_line_are_read() -> None:
    text = HEADER.format("(null)") + "thread 0, call action_wri" + ROUNDS + "Run 3 times, Avg time:60 ns.\n"

    (record,) = parsers.parse(Output(text))

    assert len(record.measurements) == 4


def test_a_killed_run_keeps_its_rounds() -> None:
    (record,) = parsers.parse(Output(HEADER.format("(null)") + ROUNDS[:19], command="./mmtest -c 2 -t 3"))

    assert record.status is Status.KILLED
    assert times(record) == [(0, "", 30)]


def test_nobody_writing_is_never_judged() -> None:
    text = HEADER.format("(null)").replace("Thread:2", "Thread:0") + ROUNDS + "Run 3 times, Avg time:60 ns.\n"

    (record,) = parsers.parse(Output(text, exit_status=0))

    assert record.status is Status.FAIL
    assert all(one.warmup for one in record.measurements)


def test_milliseconds_are_seconds_in_the_end() -> None:
    (record,) = parsers.parse(Output("The 0 time: 538 ms.\nRun 1 times, Avg time:538 ms.\n"))

    assert [one.value for one in record.measurements] == [0.538, 0.538]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Run 10 times, Avg time:   512466818 ns.\n", [0.512466818]),
        ("Run times, Avg time:   512466818 ns.\n", [0.512466818]),
        ("Run 10 times, Avg time:    ns.\n", []),
        ("Vcpu:4, Mem:3072M, Time:2\nThe 0 time: 5 ns.\nThe 1 time: 7 ns.\nRun 2 times, Avg time: 6 ns.\n", [5, 7, 6]),
        ("Mem:3G\nThe time: 5 ns.\nThe time: 7 ns.\nRun 2 times, Avg time: 6 ns.\n", [5, 7, 6]),
    ],
)
def test_migrate_perf_lines_stand_alone_or_together(text: str, values: list[float]) -> None:
    (record,) = parsers.parse(Output(text))

    assert record.benchmark == "guest-memory/migrate-perf"
    expected = [value if value < 1 else value / 1e9 for value in values]
    assert [one.value for one in record.measurements] == expected


def test_a_header_of_pairs_gives_parameters() -> None:
    (record,) = parsers.parse(Output("Vcpu:4, Mem:3072M, Time:2\nRun 2 times, Avg time: 6 ns.\n"))

    assert record.params == {"vcpu": 4, "mem": "3072M", "time": 2, "rounds": 2}
