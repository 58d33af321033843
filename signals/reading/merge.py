"""Several tellings to one event: clauses of a title, and the sentences that add to it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from signals.messages import Amount, Evidence, Party, Place, Quantity, Term
from signals.reading.candidates import Candidate, Context, Sum, TextReading
from signals.reading.model import Reading
from signals.reading.money import Money, same_money, to_amount

__all__ = ["BACKGROUND", "enrich", "find_owner", "join_candidates", "to_reading"]

# What stands beside an event and is not its value.
BACKGROUND = frozenset({"valuation", "revenue", "price"})


def join_candidates(
    title: TextReading, told: Sequence[TextReading], context: Context
) -> list[Candidate]:
    """Return the events of a title: one of each type, of a deal as many as are told apart.

    Two clauses tell two deals if each names parties that the other does not, and the body (or,
    where there is none, an amount of its own) confirms the later one. "Microsoft rents chips from
    IREN for $9.7bn; Dell gets $5.8bn order" are two.
    """
    joined: list[Candidate] = []
    for candidate in title.candidates:
        index = _same_event(joined, candidate, told, context)
        if index is None:
            joined.append(candidate)
        else:
            joined[index] = _join(joined[index], candidate)
    return joined


def _same_event(
    joined: Sequence[Candidate],
    candidate: Candidate,
    told: Sequence[TextReading],
    context: Context,
) -> int | None:
    same = [i for i, other in enumerate(joined) if other.kind is candidate.kind]
    if not same:
        return None
    if not candidate.kind.separate:
        return same[0]
    own = _ids(candidate.parties)
    for index in same:
        if own <= _ids(joined[index].parties) or not _ids(joined[index].parties):
            return index
    if told:
        apart = any(
            own <= _ids(other.parties)
            and other.sums
            and not _agree(joined[same[0]], other, context)
            for text in told
            for other in text.candidates
            if other.kind is candidate.kind
        )
    else:
        first = joined[same[0]]
        apart = bool(candidate.sums and first.sums) and (
            len(own) > 1
            or (own.isdisjoint(_ids(first.parties)) and not _agree(first, candidate, context))
        )
    return None if apart else same[0]


def _ids(parties: Sequence[Party]) -> frozenset[str]:
    return frozenset(party.id for party in parties if party.known)


def _join(base: Candidate, more: Candidate) -> Candidate:
    known = {party.id for party in base.parties}
    return replace(
        base,
        confidence=max(base.confidence, more.confidence),
        parties=base.parties + tuple(party for party in more.parties if party.id not in known),
        sums=base.sums + tuple(one for one in more.sums if one not in base.sums),
        term=base.term or more.term,
        quantities=_union(base.quantities, more.quantities),
        places=_union(base.places, more.places),
        status=base.status if base.status_said else more.status,
        status_said=base.status_said or more.status_said,
        direction=base.direction if base.direction != "unclear" else more.direction,
        authority=base.authority or more.authority,
        counterpart=base.counterpart or more.counterpart,
        evidence=_union(base.evidence, more.evidence),
    )


_Item = TypeVar("_Item", Quantity, Place, Evidence)


def _union(one: tuple[_Item, ...], other: tuple[_Item, ...]) -> tuple[_Item, ...]:
    return one + tuple(item for item in other if item not in one)


def enrich(candidate: Candidate, told: Sequence[TextReading], context: Context) -> Candidate:
    """Return the candidate with what sentences that tell the same event add to it."""
    for text in told:
        for other in text.candidates:
            if other.kind is candidate.kind and _tells(candidate, other, context):
                candidate = _add(candidate, other)
    return candidate


def _tells(candidate: Candidate, other: Candidate, context: Context) -> bool:
    """Tell whether a sentence is about the event: parties that fit, and amounts that agree."""
    own, others = _ids(candidate.parties), _ids(other.parties)
    if not _agree(candidate, other, context):
        return False
    if own and others:
        return own <= others or others <= own
    return not own or bool(_own_sums(candidate) and _own_sums(other))


def _own_sums(candidate: Candidate) -> list[Sum]:
    return [one for one in candidate.sums if one.kind not in BACKGROUND]


def _agree(candidate: Candidate, other: Candidate, context: Context) -> bool:
    """Tell whether no amount speaks against one event: one of each is the same, or one has none."""
    own, others = _own_sums(candidate), _own_sums(other)
    if not own or not others:
        return True
    return any(
        same_money(_amount(one, context, ()), _amount(two, context, ()))
        for one in own
        for two in others
    )


def _add(candidate: Candidate, other: Candidate) -> Candidate:
    roles = {party.id: party.role for party in other.parties}
    generic = (candidate.kind.lead_role, candidate.kind.other_role)
    vague = candidate.kind.separate and all(party.role in generic for party in candidate.parties)
    parties = tuple(
        replace(party, role=roles[party.id]) if vague and party.id in roles else party
        for party in candidate.parties
    )
    known = {party.id for party in parties}
    if candidate.kind.separate and len(known) < 2:
        parties += tuple(party for party in other.parties if party.known and party.id not in known)
    if candidate.kind.geographic and not parties:
        parties = other.parties
    own = candidate.sums if _own_sums(candidate) else ()
    # Without a party in common the sentence's money may be another event's.
    shared = _ids(candidate.parties) & _ids(other.parties)
    return replace(
        candidate,
        parties=parties,
        sums=(*own, *_own_sums(other)) if shared else candidate.sums,
        term=_join_terms(candidate.term, other.term),
        quantities=candidate.quantities or (() if candidate.kind.separate else other.quantities),
        places=candidate.places or (() if candidate.kind.separate else other.places),
        status=candidate.status if candidate.status_said else other.status,
        status_said=candidate.status_said or other.status_said,
        authority=candidate.authority or other.authority,
        counterpart=candidate.counterpart or other.counterpart,
        evidence=_union(candidate.evidence, other.evidence),
    )


def _join_terms(one: Term | None, other: Term | None) -> Term | None:
    if one is None or other is None:
        return one or other
    return replace(one, duration=one.duration or other.duration, until=one.until or other.until)


def find_owner(
    candidate: Candidate,
    joined: Sequence[Candidate],
    title: TextReading,
    told: Sequence[TextReading],
) -> Candidate:
    """Return the candidate with its owner, where its own clause does not name one.

    First the subject of a sentence that names the same place or figure; then, in a title that also
    tells a deal, the one who supplies (who rents out a data centre builds it); then the title's
    first company.
    """
    if candidate.parties or candidate.kind.separate or candidate.kind.geographic:
        return candidate
    for text in told:
        names = any(place in text.places for place in candidate.places)
        values = {(one.value, one.unit) for one in text.quantities}
        counted = any((one.value, one.unit) in values for one in candidate.quantities)
        if text.subject is not None and (names or counted):
            return replace(candidate, parties=(text.subject,))
    parties = [party for other in joined for party in other.parties if party.known]
    supplier = next((party for party in parties if party.role == "supplier"), None)
    owner = supplier or next(iter(parties), None) or title.subject
    return (
        candidate
        if owner is None
        else replace(candidate, parties=(replace(owner, role=candidate.kind.lead_role),))
    )


def to_reading(candidate: Candidate, context: Context, sums: Sequence[Sum]) -> Reading:
    """Return the reading of a candidate with these amounts."""
    stated = [one.money for one in sums if one.money.paired_value is not None]
    amounts: list[Amount] = []
    for one in sums:
        amount = _amount(one, context, stated)
        index = next((i for i, seen in enumerate(amounts) if same_money(seen, amount)), None)
        if index is None:
            amounts.append(amount)
        else:
            amounts[index] = _one_amount(amounts[index], amount)
    tickers = dict.fromkeys(party.tickers[0] for party in candidate.parties if party.tickers)
    is_deal = candidate.kind.separate
    return Reading(
        type=candidate.kind.name,
        confidence=candidate.confidence,
        threshold=candidate.kind.threshold,
        parties=candidate.parties,
        tickers=tuple(tickers),
        evidence=tuple(
            sorted(candidate.evidence, key=lambda one: (one.field, one.start, one.end, one.rule))
        ),
        deal_status=candidate.status if is_deal else None,
        direction=candidate.direction,
        authority=candidate.authority,
        counterpart=candidate.counterpart,
        amounts=tuple(amounts),
        term=candidate.term,
        quantities=candidate.quantities,
        places=candidate.places,
    )


def _amount(one: Sum, context: Context, stated: Sequence[Money]) -> Amount:
    return to_amount(
        one.text,
        one.money,
        one.kind,
        rates=context.rules.rates,
        published_us=context.published_us,
        stated=stated,
    )


def _one_amount(first: Amount, second: Amount) -> Amount:
    """Return the first telling of an amount with the second's currency as its pair.

    "15조원" in a title and "100억 달러(약 14조8000억원)" below are one amount, of $10bn.
    """
    if first.paired_value is not None or first.currency == "USD":
        if first.paired_value is None and second.paired_value is not None:
            return replace(
                first, paired_value=second.paired_value, paired_currency=second.paired_currency
            )
        return first
    if second.currency == first.currency:
        value, currency = second.paired_value, second.paired_currency
    else:
        value, currency = second.value, second.currency
    if value is None or currency is None:
        return first
    usd = value if currency == "USD" else first.usd
    return replace(first, usd=usd, paired_value=value, paired_currency=currency)
