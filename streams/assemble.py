"""The agents with the rules, tables and sessions that ship: what worker and replay both run."""

import hashlib
from functools import partial

from signals.fold import Agent
from signals.messages import RuleSetId
from signals.pipeline import build_agents
from signals.policy import Policy
from signals.reading import read_headline
from streams.rules import load_rules
from streams.tables import load_sessions, load_subject_tables, tables_hash

__all__ = ["assemble_agents", "rule_set_id"]


def assemble_agents(policy: Policy) -> tuple[Agent, ...]:
    """Return the four agents, in the order of the data's way."""
    rules = load_rules()
    return build_agents(
        read=partial(read_headline, rules=rules),
        rules=rule_set_id(),
        tables=load_subject_tables(),
        sessions=load_sessions(),
        policy=policy,
    )


def rule_set_id() -> RuleSetId:
    """Return the version and hash of all that ships and decides: rules, rates and tables."""
    rules = load_rules().id
    both = hashlib.sha256(f"{rules.hash} {tables_hash()}".encode())
    return RuleSetId(version=rules.version, hash=both.hexdigest())
