"""Python's garbage collector, set for what a fold makes."""

import gc

__all__ = ["relax_collector"]

_THRESHOLDS = (50_000, 20, 20)


def relax_collector() -> None:
    """Have cycles looked for seldom, in the whole process.

    State, messages and rows refer to each other in no cycle, and there are hundreds of thousands of
    them: looking through all of them as often as Python does by itself takes a third of the time of
    a replay. What does form cycles (tasks, tracebacks) is little, and can wait.
    """
    gc.set_threshold(*_THRESHOLDS)
