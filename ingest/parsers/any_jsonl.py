"""Results of any benchmark as JSON Lines: one object a run (`docs/format.md`)."""

from typing import Any

from ingest.parsers import jsontext
from ingest.parsers.any_run import FORMAT_NAME, InvalidRunError, to_record
from ingest.parsers.jsontext import JsonTextError
from ingest.records import Format, FormatError, Output, Record

VERSION = 1
MAX_RUNS = 200_000
_HEAD = 64 << 10


def _parse(output: Output) -> list[Record]:
    records: list[Record] = []
    for place, text in _documents(output):
        try:
            run = jsontext.load(text, _without_twice)
            records += [to_record(one, place) for one in (run if isinstance(run, list) else [run])]
        except JsonTextError as error:
            raise FormatError(output.source, 0, f"line {place + error.line - 1}: {error.what}", _HINT) from error
        except InvalidRunError as error:
            raise FormatError(output.source, 0, f"line {place}: {error}", error.hint or _HINT) from error
        if len(records) > MAX_RUNS:
            raise FormatError(output.source, 0, f"more than {MAX_RUNS} runs in one file", "cut the file")
    if not records:
        raise FormatError(output.source, 0, "holds no run", _HINT)
    return records


def _documents(output: Output) -> list[tuple[int, str]]:
    """The lines that hold something with their numbers; the whole text where the first line alone is no JSON."""
    lines = [(place, line) for place, line in enumerate(output.text.split("\n"), start=1) if line.strip()]
    if len(lines) > 1 and not _is_whole(lines[0][1]) and _opens(lines[0][1]):
        return [(lines[0][0], "\n".join(output.text.split("\n")[lines[0][0] - 1 :]))]
    return lines


def _is_whole(line: str) -> bool:
    try:
        jsontext.load(line)
    except JsonTextError:
        return False
    return True


def _opens(line: str) -> bool:
    """Whether a line that is no JSON can be the first of a document over several lines."""
    return line.strip() in {"{", "["} or line.rstrip().endswith((",", "{", "["))


def _without_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # Any: that is what JSON is
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise JsonTextError(f"the field {twice[:60]!r} stands twice in one object")
    return found


def _recognises(output: Output) -> bool:
    head = output.text[:_HEAD]
    is_shaped = '"benchmark"' in head and ('"measurements"' in head or '"metric"' in head)
    return is_shaped and jsontext.looks_like_json(head) and not jsontext.is_quoted(head)


_HINT = "docs/format.md describes the format"
FORMATS = (Format(name=FORMAT_NAME, version=VERSION, recognises=_recognises, parse=_parse),)
