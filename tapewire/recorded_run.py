"""A recorded run replayed: the exact promise, from the topics that the live run wrote."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from signals import names
from signals.errors import BadMessage, ConfigError
from signals.fold import Agent, Output
from signals.messages import Alert, Journal
from streams.codec import decode, encode
from streams.recording import Recording
from streams.recordings.records import Recorded
from streams.replay import Pipeline, Report, order_alerts, replay_recorded
from tapewire.replay_inputs import Span
from tapewire.taps import tapped

__all__ = ["Recomputed", "check_from_zero", "recompute_reactions", "replay_reactions"]

OnRecord = Callable[[str], None]
Take = Callable[[Agent, Output], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """Reactions that the recorded journal gives, against those that were recorded.

    ``missing`` were recorded and did not come out; ``extra`` came out and were not recorded.
    """

    equal: int
    missing: int
    extra: int


def check_from_zero(recording: Recording, topic: str) -> None:
    """Refuse to tell exactly what came of a topic that is not there from its beginning.

    Raises: ConfigError, also for a topic that is not there at all.
    """
    if topic not in recording.topics:
        raise ConfigError(
            f"the recording {recording.name} does not hold {topic}; record it too, or replay "
            "its headlines and prices with --raw"
        )
    for partition, start in recording.starts(topic).items():
        if start > 0:
            raise ConfigError(
                f"{recording.name} has {topic} only from offset {start} of partition {partition}, "
                "and not the state that the agents had by then, so that its alerts cannot be told "
                "exactly; record it from the beginning, or replay headlines and prices with --raw"
            )


def replay_reactions(
    recording: Recording,
    agents: Sequence[Agent],
    *,
    span: Span | None = None,
    take: Take | None = None,
    on_record: OnRecord | None = None,
) -> Report:
    """Return the alerts of recorded reactions, as the live run sent them.

    Args:
        recording: holds ``reactions.v1`` from its beginning.
        agents: with the policy and the rules of the live run.
        span: by the records' timestamps: each partition is folded from its beginning up to the
            first record that is stamped at the end or later, and the alerts are those that come
            from the first record on that is stamped at the start or later. ``as_of_us`` leaves
            those alerts that rest on nothing received later.
        take: called with each alert of the span, as it comes out of the fold, and keeps them: the
            report has none then.
        on_record: called with ``folded`` for each record, to show progress.

    Raises: ConfigError for a recording that is not whole.
    """
    check_from_zero(recording, names.REACTIONS)
    told = _Spanned(recording, span or Span(), take, on_record)
    report = replay_recorded(
        told.reactions(), tapped(agents, told.take, keeps_alerts=take is not None)
    )
    if take is None:
        report.alerts = order_alerts(told.alerts)
    return report


class _Spanned:
    """Yields the reactions of a span, and keeps the alerts that come inside of it."""

    def __init__(
        self, recording: Recording, span: Span, take: Take | None, on_record: OnRecord | None
    ) -> None:
        self.alerts: list[Alert] = []
        self._recording = recording
        self._span = span
        self._ends = Span(from_us=span.from_us, to_us=span.to_us)  # by timestamps
        self._take = take
        self._on_record = on_record
        self._is_inside = span.from_us is None

    def reactions(self) -> Iterator[tuple[str, bytes | None]]:
        for partition in self._recording.starts(names.REACTIONS):
            self._is_inside = self._span.from_us is None
            for record in self._recording.read(names.REACTIONS, partition):
                if self._ends.is_after(record.timestamp_ms * 1000):
                    break
                self._is_inside |= not self._ends.is_before(record.timestamp_ms * 1000)
                if self._on_record is not None:
                    self._on_record("folded")
                yield _text(record.key), record.value

    def take(self, agent: Agent, output: Output) -> None:
        message, as_of_us = output.message, self._span.as_of_us
        if not self._is_inside or not isinstance(message, Alert):
            return
        if as_of_us is not None and message.known_us > as_of_us:
            return
        if self._take is None:
            self.alerts.append(message)
        else:
            self._take(agent, output)


def recompute_reactions(
    recording: Recording, agents: Sequence[Agent], *, on_record: OnRecord | None = None
) -> Recomputed | None:
    """Return how the reactions of the recorded journal compare; None where it was not recorded.

    Repeated records count once: a worker that was killed sends its last ones again. 16 bytes are
    held of each reaction.

    Raises: ConfigError for a recording that is not whole.
    """
    if names.JOURNAL not in recording.topics:
        return None
    check_from_zero(recording, names.JOURNAL)
    pipeline = Pipeline(agents)
    given: set[bytes] = set()
    for record in recording.read(names.JOURNAL):
        if on_record is not None:
            on_record("compared")
        try:
            message = decode(record.value, Journal)
        except BadMessage:
            continue  # the live run has it among its dead letters
        for output in pipeline.fold(names.JOURNAL, _text(record.key), message):
            if output.topic == names.REACTIONS:
                given.add(_digest(output.key.encode(), encode(output.message)))
    found = {_digest_of(record) for record in recording.read(names.REACTIONS)}
    return Recomputed(
        equal=len(given & found), missing=len(found - given), extra=len(given - found)
    )


def _text(key: bytes | None) -> str:
    return (key or b"").decode(errors="replace")


def _digest_of(record: Recorded) -> bytes:
    return _digest(record.key or b"", record.value or b"")


def _digest(key: bytes, value: bytes) -> bytes:
    return blake2b(b"%d %b%b" % (len(key), key, value), digest_size=16).digest()
