"""The four agents, as declarations: what live runs and every replay execute."""

from signals import names
from signals.alerts.step import ROWS as ALERT_ROWS
from signals.alerts.step import raise_alerts_step
from signals.events import GivenRow, HeadlineReader, read_headlines_step
from signals.fold import Agent
from signals.market.seconds import ROWS as SECOND_ROWS
from signals.market.seconds import sample_prices_step
from signals.market.sessions import Sessions
from signals.messages import RuleSetId
from signals.policy import Policy
from signals.reactions.rows import ROWS as REACTION_ROWS
from signals.reactions.step import track_reactions_step
from signals.subjects import SubjectTables

__all__ = ["build_agents"]


def build_agents(
    *,
    read: HeadlineReader,
    rules: RuleSetId,
    tables: SubjectTables,
    sessions: Sessions,
    policy: Policy,
) -> tuple[Agent, ...]:
    """Return the agents in the order of the data's way.

    Args:
        read: a headline to the events that it reports (``signals.reading``).
        rules: which rules ``read`` decides by.
        tables: listings and relations.
        sessions: trading days.
        policy: thresholds and spans.
    """
    return (
        Agent(
            name="read_headlines",
            reads=names.HEADLINES,
            step=read_headlines_step(read, rules=rules, tables=tables, policy=policy),
            rows={"given": GivenRow},
        ),
        Agent(
            name="sample_prices",
            reads=names.PRICES,
            step=sample_prices_step(policy),
            rows=SECOND_ROWS,
        ),
        Agent(
            name="track_reactions",
            reads=names.JOURNAL,
            step=track_reactions_step(policy, sessions),
            rows=REACTION_ROWS,
        ),
        Agent(
            name="raise_alerts",
            reads=names.REACTIONS,
            step=raise_alerts_step(policy, rules),
            rows=ALERT_ROWS,
        ),
    )
