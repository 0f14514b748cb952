"""Command lines to what was asked of the program: wrappers off, options to canonical parameters, defaults filled in.

Never runs anything and never raises: a command line that makes no sense says nothing.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ingest.parsers.lines import Line
from ingest.records import Param


@dataclass(frozen=True, slots=True)
class Invocation:
    """A program with its arguments, and the wrapper that changes how it runs (`taskset -c 0`), if any."""

    program: str
    arguments: tuple[str, ...] = ()
    wrapper: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a program: the parameter it sets, how its text is read, and the documented default.

    `read` None: a switch that sets `on`. A `default` None is filled in nowhere (the program's default depends on the
    host). A `param` of "" is understood and left out: it does not identify a test case (seeds, verbosity).
    """

    param: str
    read: Callable[[str], Param] | None = None
    default: Param | None = None
    on: Param = True


@dataclass(frozen=True, slots=True)
class _Wrapper:
    with_value: frozenset[str] = frozenset()  # short options that take a value of their own
    positional: int = 0  # arguments of the wrapper before the command
    matters: bool = False  # changes how fast the program runs


@dataclass(slots=True)
class _Words:
    rest: list[str]
    kept: list[str] = field(default_factory=list)


_WRAPPERS: Mapping[str, _Wrapper] = {
    "timeout": _Wrapper(frozenset({"-s", "-k", "--signal", "--kill-after"}), positional=1),
    "taskset": _Wrapper(positional=1, matters=True),
    "numactl": _Wrapper(frozenset({"-C", "-N", "-m", "-i", "-p"}), matters=True),
    "chrt": _Wrapper(positional=1, matters=True),
    "nice": _Wrapper(frozenset({"-n"}), matters=True),
    "ionice": _Wrapper(frozenset({"-c", "-n"}), matters=True),
    "stdbuf": _Wrapper(frozenset({"-o", "-i", "-e"})),
    "sudo": _Wrapper(frozenset({"-u", "-g"})),
    "env": _Wrapper(frozenset({"-u"})),
    "time": _Wrapper(frozenset({"-f", "-o"})),
    "nohup": _Wrapper(),
    "setsid": _Wrapper(),
    "setarch": _Wrapper(positional=1),
    "exec": _Wrapper(),
}
_SHELLS = frozenset({"sh", "bash", "dash", "script"})
_SEPARATORS = frozenset({"|", ";", "&&", "||", "&", "\\"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_REDIRECTION = re.compile(r"\d?[<>]")
_SIZE = re.compile(r"(?P<number>0[xX][0-9a-fA-F]+|\d+)(?P<unit>[kKmMgGtT]?)(?:i?[bB])?\Z")
_INTEGER = re.compile(r"-?(?:(?P<hex>0[xX][0-9a-fA-F]{1,16})|\d{1,18})\Z")
_FACTOR = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_PROMPT = re.compile(r"[^$#%]{0,80}[$#%]\s+")
_MAX_COMMAND = 2000
_PLAIN = re.compile(r"[!#-&(-\[\]-~ \t\r\n]*\Z")  # no quote, no backslash: splitting at blanks is what a shell does
_NESTING = 4


@lru_cache(maxsize=1024)
def invocation(command: str | None) -> Invocation:
    """The program that a command line runs in the end, without directories and wrappers; empty names are possible."""
    return _unwrapped(_split(command or ""), _NESTING)


def parameters(found: Invocation, options: Mapping[str, Option]) -> dict[str, Param]:
    """What the command line asked for in canonical names and base units, with documented defaults filled in."""
    params = {option.param: option.default for option in options.values() if option.default is not None}
    for flag, value in _options(found.arguments, options):
        option = options.get(flag)
        if option is None:
            params[f"option_{flag.lstrip('-')}"] = value or True
        elif option.param:
            params[option.param] = option.on if option.read is None else option.read(value)
    return params


def command_in(lines: Sequence[Line], program: str) -> str:
    """The command line that a text shows before the output (`$ ./program -v 4`); empty when it shows none."""
    for line in lines:
        if program not in line.text or len(line.text) > _MAX_COMMAND or "selftests:" in line.text:
            continue
        prompt = _PROMPT.match(line.text)
        command = line.text[prompt.end() :] if prompt else line.text
        found = invocation(command)
        if found.program == program and _is_plausible(found):
            return command
    return ""


def size(text: str) -> Param:
    """Bytes of `16M`, `1G`, `0x1000`; the text itself when it is no size."""
    match = _SIZE.match(text)
    if match is None or len(text) > 40:
        return text
    return int(match["number"], 0 if "x" in match["number"].lower() else 10) * _FACTOR[match["unit"].lower()]


def gibibytes(text: str) -> Param:
    """Bytes of a number of GiB; the text itself when it is no number."""
    number = integer(text)
    return number * (1 << 30) if isinstance(number, int) else number


def integer(text: str) -> Param:
    """The integer, decimal or hexadecimal; the text itself when it is none."""
    match = _INTEGER.match(text)
    return int(text, 16 if match["hex"] else 10) if match is not None else text


def _is_plausible(found: Invocation) -> bool:
    return not found.arguments or found.arguments[0].startswith("-") or found.arguments[0] in _SEPARATORS


def _split(command: str) -> list[str]:
    if _PLAIN.match(command, 0, _MAX_COMMAND):
        return command[:_MAX_COMMAND].split()
    try:
        return shlex.split(command[:_MAX_COMMAND])
    except ValueError:  # an unbalanced quote: a command written down by hand
        return command[:_MAX_COMMAND].split()


def _unwrapped(words: list[str], depth: int) -> Invocation:
    state = _Words(words)
    while state.rest:
        word = state.rest[0]
        name = word.rsplit("/", 1)[-1]
        if _ASSIGNMENT.match(word):
            state.rest = state.rest[1:]
        elif name in _SHELLS and depth and (inner := _inner(state.rest)):
            return _unwrapped(inner, depth - 1)
        elif name in _WRAPPERS:
            _take_wrapper(state, _WRAPPERS[name])
        else:
            return Invocation(name, _arguments(state.rest[1:]), " ".join(state.kept))
    return Invocation("")


def _take_wrapper(state: _Words, wrapper: _Wrapper) -> None:
    index, positional = 1, wrapper.positional
    while index < len(state.rest):
        word = state.rest[index]
        if word.startswith("-") and len(word) > 1:
            index += 2 if word in wrapper.with_value else 1
        elif positional:
            index, positional = index + 1, positional - 1
        else:
            break
    if wrapper.matters:
        state.kept += state.rest[:index]
    state.rest = state.rest[index:]


def _inner(words: list[str]) -> list[str]:
    """The command inside `sh -c 'CMD'` or `script -qfec 'CMD' FILE`, quoted or with its quotes lost."""
    for index, word in enumerate(words[1:], start=1):
        if not word.startswith("-"):
            break
        if word.endswith("c") and not word.startswith("--"):
            rest = words[index + 1 :]
            return _split(rest[0]) if rest and " " in rest[0] else rest
    return []


def _arguments(words: list[str]) -> tuple[str, ...]:
    """The words up to a pipe, a redirection or the output file of `script`."""
    kept: list[str] = []
    for word in words:
        if word in _SEPARATORS or _REDIRECTION.match(word) or word == "/dev/null":
            break
        kept.append(word)
    return tuple(kept)


def _options(arguments: Sequence[str], options: Mapping[str, Option]) -> list[tuple[str, str]]:
    """Flag and value pairs as getopt(3) sees them: `-v 4`, `-v4`, `-ov4`; unknown flags take the next plain word."""
    found: list[tuple[str, str]] = []
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word.startswith("--") or not word.startswith("-") or len(word) == 1:
            continue
        flags = word[1:]
        while flags:
            flag, flags = f"-{flags[0]}", flags[1:]
            option = options.get(flag)
            if option is not None and option.read is None:
                found.append((flag, ""))
                continue
            takes = option is not None or (not flags and words and not words[0].startswith("-"))
            value = (flags or (words.pop(0) if words else "")) if takes else ""
            flags = "" if takes else flags
            found.append((flag, value))
    return found
