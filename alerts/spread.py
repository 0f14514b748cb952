"""Change detection of many series on the workers of a Dask scheduler: the same pure function, the same answers.

Workers get arrays and give back segmentations; they never see the database. A task of a worker that is lost is run by
another. Workers need this kvmperf installed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from db.errors import UserError
from db.types import Floats
from stats.changepoints import Segmentation, detect_many

Detector = Callable[[Sequence[Floats]], list[Segmentation]]

_TOGETHER = 250  # series of one task: a second's work of a worker at most, and little to do again
_PATIENCE_S = 10
_RETRIES = 10  # of one task, where workers are lost under it


@contextmanager
def on_scheduler(address: str) -> Iterator[Detector]:
    """A detector that works on a scheduler such as `tcp://dask1:8786`; raises UserError where none answers."""
    try:
        from distributed import Client
    except ImportError as error:
        raise UserError("--scheduler needs Dask", "pip install 'kvmperf[server,scale]'") from error
    try:
        connect: Any = Client  # distributed ships few types
        client = connect(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        hint = "an address looks like tcp://dask1:8786; `dask scheduler` starts one"
        raise UserError(f"no scheduler answers at {address}", hint) from error
    with client:
        yield partial(_spread, client)


def _spread(client: Any, series: Sequence[Floats]) -> list[Segmentation]:  # Any: distributed ships few types
    """As `detect_many`, in the order of the series."""
    from distributed import KilledWorker

    if not series:
        return []
    if not client.scheduler_info()["workers"]:
        raise UserError("the scheduler has no workers", "`dask worker ADDRESS` starts one")
    parts = [list(series[i : i + _TOGETHER]) for i in range(0, len(series), _TOGETHER)]
    tasks = client.map(detect_many, parts, pure=False, retries=_RETRIES)
    try:
        return [one for answers in client.gather(tasks) for one in answers]
    except KilledWorker as error:
        raise UserError("several workers died over the same series", "see their logs; nothing was stored") from error
