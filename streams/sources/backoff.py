"""How long to wait before the next attempt: twice as long after each failure, up to a cap."""

__all__ = ["Backoff"]


class Backoff:
    """Seconds to wait, doubling; no randomness, since one process asks a provider by itself."""

    def __init__(self, *, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def failed(self) -> float:
        """Return how long to wait after a failure, in seconds."""
        wait_s = self._next_s
        self._next_s = min(2 * wait_s, self._longest_s)
        return wait_s

    def succeeded(self) -> None:
        """Begin again with the shortest wait."""
        self._next_s = self._first_s
