"""A recorded run replayed: the exact promise, from the topics that the live run wrote."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from signals import names
from signals.errors import BadMessage
from signals.messages import Journal
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.codec import decode, encode
from streams.recording import Recorded, read_manifest, read_recording
from streams.replay import Pipeline, Report, replay_recorded

__all__ = ["Recomputed", "recompute_reactions", "replay_recording"]

OnRecord = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """Reactions that the recorded journal gives, against those that were recorded.

    ``missing`` were recorded and did not come out; ``extra`` came out and were not recorded.
    """

    equal: int
    missing: int
    extra: int


def replay_recording(folder: Path, policy: Policy, *, on_record: OnRecord | None = None) -> Report:
    """Return the alerts of recorded reactions, as the live run sent them.

    Args:
        folder: a recording that holds ``reactions.v1``.
        policy: that of the live run.
        on_record: called with ``folded`` for each record, to show progress.

    Raises: ConfigError for a recording that is not whole.
    """
    records = (
        ((record.key or b"").decode(), record.value)
        for record in _telling(folder, names.REACTIONS, on_record)
    )
    return replay_recorded(records, assemble_agents(policy))


def recompute_reactions(
    folder: Path, policy: Policy, *, on_record: OnRecord | None = None
) -> Recomputed | None:
    """Return how the reactions of the recorded journal compare; None where it was not recorded.

    Repeated records count once: a worker that was killed sends its last ones again.

    Raises: ConfigError for a recording that is not whole.
    """
    if names.JOURNAL not in read_manifest(folder).topics:
        return None
    pipeline = Pipeline(assemble_agents(policy))
    given: set[bytes] = set()
    for record in _telling(folder, names.JOURNAL, on_record):
        try:
            message = decode(record.value, Journal)
        except BadMessage:
            continue  # the live run has it among its dead letters
        key = (record.key or b"").decode()
        for output in pipeline.fold(names.JOURNAL, key, message):
            if output.topic == names.REACTIONS:
                given.add(output.key.encode() + b"\0" + encode(output.message))
    found = {
        (record.key or b"") + b"\0" + (record.value or b"")
        for record in read_recording(folder, names.REACTIONS)
    }
    return Recomputed(
        equal=len(given & found), missing=len(found - given), extra=len(given - found)
    )


def _telling(folder: Path, topic: str, on_record: OnRecord | None) -> Iterator[Recorded]:
    for record in read_recording(folder, topic):
        if on_record is not None:
            on_record("folded")
        yield record
