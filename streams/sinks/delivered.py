"""The delivered view: alerts through the delivery fold, for one reader."""

from collections import Counter
from collections.abc import Iterable

from signals.alerts.delivery import Decision, deliver_step, flush_delivery
from signals.alerts.notices import HELD_FOR, PASSED_FOR, Notice, Verdict
from signals.fold import KeyRows
from signals.messages import Alert
from signals.policy import Policy

__all__ = ["DeliveredView"]


class DeliveredView:
    """Keeps a reader's state in memory, and counts.

    A restart rebuilds the state: feed it the alerts of the topic again, in one order of all
    partitions (``AlertReader`` has one), and drop what comes out of those that were read before.
    """

    def __init__(self, policy: Policy, *, reader: str, watched: Iterable[str] = ()) -> None:
        """Begin with a reader who has been told nothing.

        Args:
            policy: its ``delivery`` decides.
            reader: the reader's name, which the ids of digests are made with.
            watched: the tickers that the reader asks for; all where there are none.
        """
        self.counts: Counter[Verdict] = Counter()
        self.digests = 0
        self._policy = policy
        self._reader = reader
        self._step = deliver_step(policy, watched)
        self._rows = KeyRows()

    def take(self, alert: Alert) -> tuple[Notice, ...]:
        """Return what the reader gets when an alert has come: it, a digest, both or nothing."""
        decision = self._step(self._rows, self._reader, alert)
        if decision.verdict is not None:
            self.counts[decision.verdict] += 1
        return self._sent(decision)

    def flush(self) -> tuple[Notice, ...]:
        """Return what the reader still gets when no more alerts come."""
        return self._sent(flush_delivery(self._rows, self._reader, self._policy))

    @property
    def delivered(self) -> int:
        """Return how many alerts the reader got at once."""
        return sum(self.counts[reason] for reason in PASSED_FOR)

    @property
    def held(self) -> int:
        """Return how many alerts were held back."""
        return sum(self.counts[reason] for reason in HELD_FOR)

    def _sent(self, decision: Decision) -> tuple[Notice, ...]:
        self._rows.apply(decision.changes)
        self.digests += sum(not isinstance(notice, Alert) for notice in decision.outputs)
        return decision.outputs
