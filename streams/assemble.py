"""The agents with a rule set, tables and sessions: what worker and replay both run."""

import hashlib
from functools import cache, partial

from signals.events import HeadlineReader
from signals.fold import Agent
from signals.messages import RuleSetId
from signals.pipeline import build_agents
from signals.policy import Policy
from signals.reading import read_tellings
from signals.reading.ruleset import RuleSet
from streams.rule_files import RuleFiles, shipped_files
from streams.rule_loading import load_rules
from streams.tables import read_sessions, read_subject_tables

__all__ = ["assemble_agents", "rule_set_id"]


def assemble_agents(
    policy: Policy, *, rules: RuleFiles | None = None, read: HeadlineReader | None = None
) -> tuple[Agent, ...]:
    """Return the four agents, in the order of the data's way.

    Args:
        policy: thresholds and spans.
        rules: the files that decide; those that ship where left out.
        read: how a headline is read; by the rules where left out.
    Raises: ConfigError for rules of another engine.
    """
    found = shipped_files() if rules is None else rules
    reader = _loaded(found)
    return build_agents(
        read=read or partial(read_tellings, rules=reader),
        rules=rule_set_id(found),
        tables=read_subject_tables(found),
        sessions=read_sessions(found),
        policy=policy,
    )


def rule_set_id(rules: RuleFiles | None = None) -> RuleSetId:
    """Return the version and hash of all that decides: rules, rates and tables."""
    found = shipped_files() if rules is None else rules
    digest = hashlib.sha256()
    for raw in (found.rules, found.rates, found.sessions, found.listings, found.relations):
        digest.update(hashlib.sha256(raw).digest())
    return RuleSetId(version=_loaded(found).id.version, hash=digest.hexdigest())


@cache
def _loaded(rules: RuleFiles) -> RuleSet:
    return load_rules(rules.rules, rules.rates)
