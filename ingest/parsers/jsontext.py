"""JSON out of untrusted text: whole documents or one a line, within limits, with the place of what is wrong."""

import json
import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NoReturn

from ingest.parsers.lines import clean
from ingest.records import FormatError

_DEEP = "nested too deeply to be an output"


class JsonTextError(Exception):
    """What is wrong with a JSON text, in words, and on which of its lines (1-based)."""

    def __init__(self, what: str, line: int = 1) -> None:
        super().__init__(what)
        self.what, self.line = what, line


def looks_like_json(text: str) -> bool:
    """Whether the first character that is neither blank nor a prefix of mails and runners opens an object or a list."""
    return text[:4096].lstrip(" \t\r\n>#\ufeff")[:1] in {"{", "["}


def is_quoted(text: str) -> bool:
    """Whether the text stands in a mail."""
    return text[:4096].lstrip()[:1] == ">"


def load(text: str, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:  # Any: that is what JSON is
    """The one document in the text. NaN and Infinity are refused; `1e999` comes back as infinite."""
    try:
        return _decoder(pairs).decode(text)
    except json.JSONDecodeError as error:
        raise JsonTextError(f"no valid JSON: {error.msg} (column {error.colno})", error.lineno) from error
    except RecursionError as error:
        raise JsonTextError(_DEEP) from error
    except ValueError as error:  # an integer of thousands of digits
        raise JsonTextError("holds a number that is far too large") from error


def objects(text: str, source: str) -> Iterator[tuple[int, dict[str, Any]]]:  # Any: that is what JSON is
    """The objects in the text with their lines: one document (an object or a list of them), or one object a line.

    A document over several lines is on line 0: where in it a number stands is not known. Lines that hold no JSON
    (prompts, logs) are passed over, unless that leaves nothing.
    """
    is_shifted = text[:4096].lstrip()[:1] in {">", "#"}
    plain = "\n".join(line.text for line in clean(text)) if is_shifted else text
    try:
        document = load(plain)
    except JsonTextError as error:
        found = list(_by_line(plain))
        if not found:
            raise FormatError(source, error.line, error.what, "pass the JSON as QEMU printed it, whole") from error
        yield from found
        return
    for one in document if isinstance(document, list) else [document]:
        if isinstance(one, dict):
            yield (1 if "\n" not in plain.strip() else 0), one


def number(value: object) -> float | None:
    """A JSON number as a finite float; None for anything else, booleans included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _by_line(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for place, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if stripped[:1] != "{" or stripped[-1] != "}":  # an attempt costs more than all other lines together
            continue
        try:
            one = load(stripped)
        except JsonTextError:
            continue
        if isinstance(one, dict):
            yield place, one


@lru_cache(maxsize=8)  # making one costs as much as reading a line
def _decoder(pairs: Callable[[list[tuple[str, Any]]], Any] | None) -> json.JSONDecoder:
    return json.JSONDecoder(parse_constant=_refuse, object_pairs_hook=pairs)


def _refuse(constant: str) -> NoReturn:
    raise JsonTextError(f"{constant} is no number that JSON knows")
