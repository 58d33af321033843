"""Whether two groups of events tell the same thing.

Same type, the same parties or a part of them, figures that do not disagree, close in time. Figures
that disagree keep events apart, whatever else they share: "$38bn" and "$83bn" look alike to a
similarity score, and are two deals.
"""

from decimal import Decimal

from signals.messages import Micros
from signals.policy import DAY_US, Policy
from signals.tellings.telling import Telling

__all__ = ["agree", "may_agree", "same_figures", "strength"]

_ROUNDING = Decimal("0.06")  # "$10bn" for 14.8tn won, "nearly $9.7bn" for 9.65


def may_agree(one: Telling, other: Telling) -> bool:
    """Return whether two groups can tell one thing at all, now or when they have grown.

    What says no here keeps groups apart through any chain of tellings between them that says no
    as well, so that such sets can be grouped apart.
    """
    if one.type != other.type:
        return False
    return not (one.parties and other.parties and one.parties.isdisjoint(other.parties))


def agree(group: Telling, other: Telling, policy: Policy) -> bool:
    """Return whether two groups tell the same thing."""
    # Nothing tells one thing of others' parties: most groups of a busy key are passed by here.
    if not may_agree(group, other):
        return False
    if group.figures and other.figures and not same_figures(group, other):
        return False
    apart_us = _apart_us(group, other)
    if apart_us > policy.status_us:
        return False
    if apart_us > policy.story_us and not (
        group.parties == other.parties and same_figures(group, other)
    ):
        return False
    if group.type == "export_control":
        return _same_measure(group, other)
    if not _same_parties(group, other, apart_us):
        return False
    return group.type == "deal" or _same_places(group, other)


def same_figures(group: Telling, other: Telling) -> bool:
    """Return whether two groups name one figure, give or take its rounding."""
    return any(
        abs(one - two) <= _ROUNDING * max(one, two)
        for one in group.figures
        for two in other.figures
    )


def strength(group: Telling, other: Telling) -> tuple[bool, int]:
    """Return how well two groups agree that do: the greater of several is joined."""
    return (same_figures(group, other), len(group.parties & other.parties))


def _apart_us(group: Telling, other: Telling) -> Micros:
    return Micros(
        min(
            abs(one.published_us - two.published_us)
            for one in (group.members[0], group.members[-1])
            for two in (other.members[0], other.members[-1])
        )
    )


def _same_parties(group: Telling, other: Telling, apart_us: Micros) -> bool:
    one, two = group.parties, other.parties
    if one == two:
        return True
    if not (one <= two or two <= one):
        return False
    # One shared name is little: then the figures must say the same, or the day.
    if len(one & two) >= 2 or same_figures(group, other):
        return True
    return bool(one & two) and apart_us <= DAY_US


def _same_measure(group: Telling, other: Telling) -> bool:
    if len(group.directions | other.directions) > 1:
        return False
    for here, there in (
        (group.authority, other.authority),
        (group.counterpart, other.counterpart),
    ):
        if here is not None and there is not None and here != there:
            return False
    return not group.parties or not other.parties or bool(group.parties & other.parties)


def _same_places(group: Telling, other: Telling) -> bool:
    one, two = group.countries, other.countries
    return not one or not two or bool(one & two)
