"""What goes in: the demo's headlines in both languages, and its tape."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial

from tests.chaos.real import World, recorded_world

# By name, so that a replay in a process of its own builds the same one.
WORLDS: Mapping[str, Callable[[], World]] = {
    "two days": recorded_world,
    "one day": partial(recorded_world, [date(2025, 11, 3)], ("CIFR", "IREN", "MSFT")),
}
