"""What agents give, seen as they give it, without a change to the fold."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from signals.fold import Agent, Output, Result, Rows, Step
from signals.names import ALERTS

__all__ = ["tapped"]


def tapped(
    agents: Sequence[Agent], take: Callable[[Agent, Output], None], *, keeps_alerts: bool = False
) -> tuple[Agent, ...]:
    """Return the agents, with every output handed over in the order of the fold.

    Alerts, which no agent reads, go no further where the one who takes them keeps them.
    """
    return tuple(
        replace(agent, step=_tapped(agent, take, keeps_alerts=keeps_alerts)) for agent in agents
    )


def _tapped(agent: Agent, take: Callable[[Agent, Output], None], *, keeps_alerts: bool) -> Step:
    def step(rows: Rows, key: str, message: object) -> Result:
        changes, outputs = agent.step(rows, key, message)
        for output in outputs:
            take(agent, output)
        if keeps_alerts and any(output.topic == ALERTS for output in outputs):
            return changes, tuple(output for output in outputs if output.topic != ALERTS)
        return changes, outputs

    return step
