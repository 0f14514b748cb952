"""What a sink answers: nothing where it took the message, else whether another try may help."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.notices.notice import Kind, Notice


class DeliveryError(Exception):
    """The message was not taken. One line, without secrets; `for_good`: trying again is of no use."""

    def __init__(self, said: str, *, for_good: bool = False, wait_s: float = 0.0) -> None:
        super().__init__(" ".join(said.split())[:500])
        self.for_good, self.wait_s = for_good, wait_s


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to be put into a sink's form; the same for every try.

    `key` names it for receivers that tell repeats; `message_id` and `answers` (the first mail of its group, or a cover
    letter) stand without angle brackets; `at` is when it was decided. A digest has a `period` and several notices.
    """

    key: str
    message_id: str
    at: datetime
    notices: Sequence[Notice]
    answers: tuple[str, ...] = ()
    period: str = ""
    dashboard: str = ""

    @property
    def kind(self) -> Kind:
        """What it tells."""
        return Kind.DIGEST if self.period else self.notices[0].kind
