"""Whether two groups of events tell the same thing: a sum of points for what they share.

Two events of one type get points for each thing that speaks for one story (parties, keywords,
figures, places in common) and against it (parties or places that only one of them has, days in
between). A group is as near to an event as the nearest of its first and last two events is, and
gains where the event has what most of the group has, or loses where it has none of that. From
``_ENOUGH`` points on the two are one.

The points were fitted by logistic regression to the development half of the labelled stories
(ten points are a factor of e in the odds), rounded, and raised by hand where a rule must hold:
figures that disagree keep events apart whatever else they share ("$38bn" and "$83bn" look alike to
a similarity score, and are two deals), and after two weeks only the same figures, or one company's
same change of hands, go on. They are whole numbers, so that no rounding decides.
"""

from collections.abc import Iterable
from decimal import Decimal

from signals.messages import Micros
from signals.policy import DAY_US, Policy
from signals.tellings.facts import Facts
from signals.tellings.telling import Named, Telling

__all__ = ["agree", "bind", "lasts", "may_agree", "same_figures", "strength"]

_ROUNDING = Decimal("0.06")  # "$10bn" for 14.8tn won, "nearly $9.7bn" for 9.65
_ENOUGH = 0
_BOUND = 7  # so sure that an event joins two groups to one
_NEVER = -1_000

_BASE = {"deal": -1, "expansion": -1, "export_control": -3}
_A_DAY_US = 36 * DAY_US // 24
_DAYS_US = 4 * DAY_US

_ALL_ORGS, _TWO_ORGS, _RARE_ORG, _RARER_ORG = 8, 9, 13, 6
_RARE, _RARER = 65, 45  # prominence
_OTHER_ORGS, _NO_ORG, _OTHER_PARTIES = -10, -16, -25
_FIGURE, _FIGURE_OF_ORG = 6, 7
_LATER, _DAYS_LATER, _WEEKS_LATER, _CONTROL_LATER = -8, -9, -30, -14
_WORD, _WORDS, _THIRD, _TWO_THIRDS, _WORD_OF_ORG = 10, 17, 10, 4, -8
_OTHER_PROJECT, _ONE_NAME = -21, -12
_COUNTRY, _OTHER_COUNTRY, _PLACE = 11, -14, 9
_SITE, _OTHER_SITE = 7, -20
_COUNTRY_ALONE = -12
_TWO_COUNTRIES, _OTHER_DIRECTION, _OTHER_AUTHORITY = 8, -20, -8

_LARGE = 3  # from so many events on a group has a core
_CORE, _NO_CORE, _OTHER_CORE_COUNTRY, _NEW_PARTY = 12, -15, -10, -36


def may_agree(one: Telling, other: Telling) -> bool:
    """Return whether two groups can tell one thing at all, now or when they have grown.

    What says no here keeps groups apart through any chain of tellings between them that says no
    as well, so that such sets can be grouped apart.
    """
    if one.type != other.type:
        return False
    if one.lead == other.lead:
        return True
    few, many = (one, other) if len(one.names) <= len(other.names) else (other, one)
    names = {name for name, _ in few.names}
    return not names.isdisjoint([name for name, _ in many.names])


def agree(group: Telling, other: Telling, policy: Policy) -> bool:
    """Return whether two groups tell the same thing."""
    return _points(group, other, policy) >= _ENOUGH


def bind(group: Telling, other: Telling, policy: Policy) -> bool:
    """Return whether two groups tell the same so plainly that what joins them makes them one."""
    if same_figures(group, other):
        return True
    return _points(group, other, policy) >= _BOUND


def lasts(group: Telling) -> bool:
    """Return whether a telling can join a group when the span of a story is over."""
    is_steady = any(facts.is_ownership for facts in group.heads)
    return not group.is_weak and (bool(group.figures) or is_steady)


def same_figures(group: Telling, other: Telling) -> bool:
    """Return whether two groups name one figure, give or take its rounding."""
    return _same(group.figures, other.figures)


def strength(group: Telling, other: Telling, policy: Policy) -> int:
    """Return how well two groups agree that do: the greatest of several is joined."""
    return _points(group, other, policy)


def _same(ones: tuple[Decimal, ...], others: tuple[Decimal, ...]) -> bool:
    for one in ones:  # written out: it decides most pairs of groups
        for two in others:
            if one == two or abs(one - two) <= _ROUNDING * max(one, two):
                return True
    return False


# ---- groups --------------------------------------------------------------------------------------


def _points(group: Telling, other: Telling, policy: Policy) -> int:
    if group.type != other.type:
        return _NEVER
    if group.figures and other.figures and not _same(group.figures, other.figures):
        return _NEVER
    if not may_agree(group, other):
        return _NEVER
    nearest = max(
        _pair_points(group.type, one, two, policy) for one in group.heads for two in other.heads
    )
    if nearest <= _NEVER:
        return _NEVER
    large, small = (group, other) if group.told >= other.told else (other, group)
    return nearest + _core_points(large, small)


def _core_points(large: Telling, small: Telling) -> int:
    """Return what a smaller group gains or loses by what most of a larger one has."""
    if large.told < _LARGE:
        return 0
    core = _most(large.names, large.told * 3, 5)
    points = 0
    if core:
        shared = len(core & {named.name for named in small.names})
        points += _CORE if shared >= 2 else 0 if shared else _NO_CORE
        if len(core) > 1 and _brings_party(small, large):
            points += _NEW_PARTY
    countries = _most(large.countries, large.told, 2)
    others = {named.name for named in small.countries}
    if countries and others and countries.isdisjoint(others):
        points += _OTHER_CORE_COUNTRY
    return points


def _brings_party(small: Telling, large: Telling) -> bool:
    """Return whether somebody takes part whom nothing of a large group names: a rival bid."""
    known = {named.name for named in large.names}
    return any(not facts.is_weak and not facts.parties <= known for facts in small.heads)


def _most(names: Iterable[Named], least: int, times: int) -> frozenset[str]:
    return frozenset(named.name for named in names if named.events * times >= least)


# ---- events --------------------------------------------------------------------------------------


def _pair_points(type_: str, one: Facts, two: Facts, policy: Policy) -> int:
    apart_us = Micros(abs(one.published_us - two.published_us))
    if apart_us > policy.status_us:
        return _NEVER
    orgs, words = one.orgs & two.orgs, one.words & two.words
    countries = one.countries & two.countries
    is_control = type_ == "export_control"
    if not (orgs or words or (is_control and countries)):
        return _NEVER
    has_figure = bool(one.figures and two.figures) and _same(one.figures, two.figures)
    points = _BASE.get(type_, 0)
    points += _org_points(one, two, orgs, is_deal=type_ == "deal")
    points += _word_points(one, two, words, has_org=bool(orgs))
    if has_figure:
        points += _FIGURE + (_FIGURE_OF_ORG if orgs else 0)
    is_one_name = len(orgs) + len(words) == 1 and one.orgs != two.orgs and not has_figure
    # A company, a unit or a stake changes hands once: what is named twice over is the same deal.
    is_steady = (one.is_ownership or two.is_ownership) and (len(orgs) > 1 or bool(orgs and words))
    if apart_us > _A_DAY_US:
        points += _ONE_NAME if is_one_name else 0
        points += 0 if is_steady else _LATER
        points += _CONTROL_LATER if is_control else 0
    if apart_us > _DAYS_US and not is_steady:
        points += _DAYS_LATER
    if apart_us > policy.story_us and not is_steady and not has_figure:
        points += _WEEKS_LATER
    if is_control and not orgs and not words and not _is_part(one, two, countries):
        points += _COUNTRY_ALONE
    return points + _place_points(type_, one, two, countries)


def _is_part(one: Facts, two: Facts, countries: frozenset[str]) -> bool:
    """Return whether one control's countries are a part of the other's, both told plainly."""
    if len(countries) > 1:
        return True
    is_part = one.countries <= two.countries or two.countries <= one.countries
    return is_part and one.authority == two.authority and not (one.is_weak or two.is_weak)


def _org_points(one: Facts, two: Facts, orgs: frozenset[str], *, is_deal: bool) -> int:
    if not orgs:
        return _NO_ORG if one.orgs and two.orgs else 0
    points = _TWO_ORGS if len(orgs) > 1 else 0
    least = _least_prominent(one, orgs)
    points += _RARE_ORG if least <= _RARE else 0
    points += _RARER_ORG if least <= _RARER else 0
    if one.orgs == two.orgs:
        return points + _ALL_ORGS
    if one.orgs <= two.orgs or two.orgs <= one.orgs:
        return points
    points += _OTHER_ORGS
    if is_deal and len(one.parties) > 1 and len(two.parties) > 1:
        is_part = one.parties <= two.orgs or two.parties <= one.orgs
        points += 0 if is_part else _OTHER_PARTIES
    return points


def _least_prominent(facts: Facts, orgs: frozenset[str]) -> int:
    for rank, org in facts.prominence:
        if org in orgs:
            return rank
    raise AssertionError("orgs are not of these facts")


def _word_points(one: Facts, two: Facts, words: frozenset[str], *, has_org: bool) -> int:
    points = 0
    if words:
        fewer = min(len(one.words), len(two.words))
        points += _WORD + (_WORDS if len(words) > 1 else 0)
        points += _THIRD if 3 * len(words) >= fewer else 0
        points += _TWO_THIRDS if 3 * len(words) >= 2 * fewer else 0
        points += _WORD_OF_ORG if has_org else 0
    for ones, twos in ((one.numbered, two.numbered), (one.sites, two.sites)):
        if ones and twos and ones.isdisjoint(twos):
            return points + _OTHER_PROJECT
    return points


def _place_points(type_: str, one: Facts, two: Facts, countries: frozenset[str]) -> int:
    is_other = bool(one.countries and two.countries) and not countries
    points = (_COUNTRY if countries else 0) + (_OTHER_COUNTRY if is_other else 0)
    is_same = not one.places.isdisjoint(two.places)
    points += _PLACE if is_same else 0
    if type_ == "expansion":
        points += (_SITE if is_same else 0) + (_OTHER_SITE if is_other else 0)
    if type_ == "export_control":
        points += _TWO_COUNTRIES if len(countries) > 1 else 0
        if one.direction and two.direction and one.direction != two.direction:
            points += _OTHER_DIRECTION
        if one.authority and two.authority and one.authority != two.authority:
            points += _OTHER_AUTHORITY
    return points
