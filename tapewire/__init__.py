"""Front door: the command line and the few names that a user imports.

``classify`` reads a headline, ``replay`` folds recorded headlines and prices into alerts, and
``AlertReader`` follows ``alerts.v1``. Each loads what it needs when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.sinks.alert_reader import AlertReader
    from tapewire.reading import classify
    from tapewire.replaying import replay

__all__ = ["AlertReader", "classify", "replay"]

_HOMES = {
    "AlertReader": "streams.sinks.alert_reader",
    "classify": "tapewire.reading",
    "replay": "tapewire.replaying",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
