"""What agents give, seen as they give it, without a change to the fold."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from signals.fold import Agent, Output, Result, Rows, Step

__all__ = ["tapped"]


def tapped(agents: Sequence[Agent], take: Callable[[Agent, Output], None]) -> tuple[Agent, ...]:
    """Return the agents, with every output handed over in the order of the fold."""
    return tuple(replace(agent, step=_tapped(agent, take)) for agent in agents)


def _tapped(agent: Agent, take: Callable[[Agent, Output], None]) -> Step:
    def step(rows: Rows, key: str, message: object) -> Result:
        result = agent.step(rows, key, message)
        for output in result.outputs:
            take(agent, output)
        return result

    return step
