"""commands.log: the only place where a tree tells how a benchmark was configured."""

import re

_MOST_LINES = 10_000
_LONGEST = 400
_TEMPORARY = re.compile(r"/tmp/\S{1,200}")  # noqa: S108 (found in logs, not used)


def unique(text: str) -> list[str]:
    """The commands in order, each once."""
    lines = (" ".join(line.split()) for line in text.split("\n")[:_MOST_LINES])
    return list(dict.fromkeys(line for line in lines if line))


def template(text: str) -> str:
    """What all commands have in common, `*` where they differ: the configuration, apart from what a metric names.

    Paths lose their folders (the tree is installed somewhere else on each host) and temporary files their names. Empty
    when the commands have nothing in common: several programs, or none.
    """
    split = [_stripped(command).split() for command in unique(text)]
    if not split or len({len(words) for words in split}) != 1:
        return ""
    columns = zip(*split, strict=True)
    words = [column[0] if len(set(column)) == 1 else "*" for column in columns]
    return " ".join(words)[:_LONGEST] if words and words[0] != "*" else ""


def _stripped(command: str) -> str:
    program, _, rest = command.partition(" ")
    return f"{program.rpartition('/')[2]} {_TEMPORARY.sub('*', rest)}"
