"""A recorded run replayed: the exact promise, from the topics that the live run wrote."""

from collections.abc import Callable, Iterator
from pathlib import Path

from signals import names
from signals.policy import Policy
from streams.assemble import assemble_agents
from streams.recording import read_recording
from streams.replay import Report, replay_recorded

__all__ = ["replay_recording"]


def replay_recording(
    folder: Path, policy: Policy, *, on_record: Callable[[str], None] | None = None
) -> Report:
    """Return the alerts of recorded reactions, as the live run sent them.

    Args:
        folder: a recording that holds ``reactions.v1``.
        policy: that of the live run.
        on_record: called with ``folded`` for each record, to show progress.
    Raises: ConfigError for a recording that is not whole.
    """

    def records() -> Iterator[tuple[str, bytes | None]]:
        for record in read_recording(folder, names.REACTIONS):
            if on_record is not None:
                on_record("folded")
            yield (record.key or b"").decode(), record.value

    return replay_recorded(records(), assemble_agents(policy))
