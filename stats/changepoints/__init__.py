"""Change points of a series: `detect`, `detect_many`, and `Detector` for series that grow."""

from stats.changepoints.answer import Change, Segmentation, State
from stats.changepoints.detect import detect, detect_many
from stats.changepoints.limits import Limits
from stats.changepoints.stream import Detector, Progress

__all__ = ["Change", "Detector", "Limits", "Progress", "Segmentation", "State", "detect", "detect_many"]
