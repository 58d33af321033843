"""Hand records over as the bytes that they are; Faust's own way to that costs as much as a fold."""

from collections.abc import Awaitable, Callable
from typing import Any

import faust
from faust.events import Event

__all__ = ["RawSchema"]


class RawSchema(faust.Schema[Any, Any]):
    """A schema that decodes nothing."""

    def compile(self, app: Any, **_: Any) -> Callable[..., Awaitable[Any]]:
        """Return the function that makes a record's event."""

        async def decode(message: Any, **_: Any) -> Any:
            return Event(app, message.key, message.value, message.headers, message)

        return decode
