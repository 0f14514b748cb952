"""Machine code of the scalar code beside it, made on first use and kept on disk.

The import of numba alone costs half a second, and the first compilation some more: few points are faster without, and
so are many where nothing can be kept. The same functions run either way.
"""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from stats.changepoints import excursions, follow, limits, noise, partition, scan, sides, steps, trends

MANY = 12_000  # points from which starting the machine code pays


# What Python calls; the rest needs no wrapping.
PLAIN: dict[str, Callable[..., Any]] = {  # what numba returns has no type
    "scan": scan.scan,
    "follow": follow.follow,
    "follow_all": follow.follow_all,
    "extend": follow.extend,
    "side_step": sides.side_step,
}


def runner(name: str, points: int) -> Callable[..., Any]:  # what numba returns has no type
    """Return a function of `follow` or `scan`: compiled for many points or where that was done before, else plain."""
    if (points >= MANY or _compile_all.cache_info().currsize) and is_compiler_there():
        return _compile_all()[name]
    return PLAIN[name]


def prepare() -> None:
    """Make the machine code now, so that short series profit too: for processes that run long.

    It is handed out when it is on the disk: who asks meanwhile in another thread takes the plain code and waits for
    nothing.
    """
    if is_compiler_there() and not _compile_all.cache_info().currsize:
        made, values = _build(), np.linspace(1.0, 2.0, 50)
        made["scan"](values, limits.DEFAULTS.min_z, limits.DEFAULTS.min_effect)
        made["follow_all"](values, np.array([20, 50]), limits.DEFAULTS.min_z, limits.DEFAULTS.min_effect)
        _compile_all()


@cache
def is_compiler_there() -> bool:
    """Return whether numba is installed."""
    return find_spec("numba") is not None


@cache
def _compile_all() -> dict[str, Callable[..., Any]]:
    return _build()


def _build() -> dict[str, Callable[..., Any]]:
    """Return the machine code, or the plain code where numba finds no folder that it can write to.

    Compiling costs more than it saves where each process does it anew.
    """
    try:
        return _machine_code()
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        return PLAIN


def _machine_code() -> dict[str, Callable[..., Any]]:
    import numba

    modules = (noise, partition, steps, trends, excursions, scan, sides, follow)
    names: dict[str, Any] = {}
    version = _digest((limits, *modules))
    for module in modules:
        names |= vars(module)
    compiled = {}
    for module in modules:
        for name, function in _own(module):
            copy = FunctionType(function.__code__, names, name, function.__defaults__)
            copy.__module__, copy.__qualname__ = module.__name__, f"{name}_{version}"
            wrapping: dict[str, Any] = {"no_cpython_wrapper": name not in PLAIN, "no_cfunc_wrapper": True}
            compiled[name] = numba.njit(cache=True, nogil=True, error_model="numpy", **wrapping)(copy)
    names |= compiled  # each finds the compiled form of the others
    return compiled


def _digest(modules: tuple[ModuleType, ...]) -> str:
    """Return a name for this state of code and constants: numba notices a change in a function's own file only."""
    return sha256(b"".join(Path(str(module.__file__)).read_bytes() for module in modules)).hexdigest()[:12]


def _own(module: ModuleType) -> list[tuple[str, FunctionType]]:
    return [
        (name, value)
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ == module.__name__
    ]
