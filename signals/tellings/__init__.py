"""Which events tell the same thing: a pure function of a set of events."""

from signals.tellings.agreement import lasts
from signals.tellings.facts import slimmed
from signals.tellings.grouping import (
    Change,
    add_telling,
    change_groups,
    group_tellings,
    regroup,
)
from signals.tellings.telling import Member, Telling, join, telling_of

__all__ = [
    "Change",
    "Member",
    "Telling",
    "add_telling",
    "change_groups",
    "group_tellings",
    "join",
    "lasts",
    "regroup",
    "slimmed",
    "telling_of",
]
