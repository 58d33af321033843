"""Who takes part in an event, and as what: grammatical cases around a trigger."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from signals.messages import Party
from signals.reading.grammar import Clause
from signals.reading.ruleset import Company, EventType, Role, RuleSet

__all__ = ["Mention", "find_parties", "mentions", "unknown_parties"]

# A name with the product that it names right behind is a product: "엔비디아 GB300 가속기".
_PRODUCT_GAP = 2


@dataclass(frozen=True, slots=True)
class Mention:
    """A known company in a clause, with its grammatical case."""

    company: Company
    start: int
    end: int
    case: str
    product: bool


def mentions(clause: Clause, rules: RuleSet) -> list[Mention]:
    """Return the companies of a clause in their order, each one once, the case first seen wins."""
    found: dict[str, Mention] = {}
    products = clause.spans.get("common.product", ())
    for hit in clause.hits:
        if hit.kind != "company":
            continue
        company = rules.companies[hit.ref]
        product = any(0 <= start - hit.end <= _PRODUCT_GAP for start, _ in products)
        mention = Mention(company, hit.start, hit.end, hit.case, product)
        last = found.get(company.id)
        if last is None or (last.product and not product):
            found[company.id] = mention
        elif not last.case and mention.case:
            found[company.id] = replace(last, case=mention.case)
    return list(found.values())


def find_parties(kind: EventType, clause: Clause, found: Sequence[Mention]) -> tuple[Party, ...]:
    """Return the parties of an event in the order of their mention, the lead first named."""
    taking_part = list(found)
    if not kind.geographic:  # whose product is controlled is affected; else a product is no party
        taking_part = [mention for mention in found if not mention.product] or taking_part
    role = _template(kind, clause)
    roles = {
        mention.company.id: _role_of(kind, role, mention, index)
        for index, mention in enumerate(taking_part)
    }
    _settle(kind, roles, taking_part, clause)
    return tuple(
        Party(
            id=mention.company.id,
            name=mention.company.name,
            role=roles[mention.company.id],
            tickers=mention.company.tickers,
            known=True,
            prominence=mention.company.prominence,
        )
        for mention in taking_part
    )


def _template(kind: EventType, clause: Clause) -> Role | None:
    return next(
        (role for role in kind.roles if any(name in clause.spans for name in role.trigger)), None
    )


def _role_of(kind: EventType, role: Role | None, mention: Mention, index: int) -> str:
    if role is None:
        return kind.lead_role if index == 0 else kind.other_role
    named = role.cases.get(mention.case)
    if named is not None and (index > 0 or mention.case in ("through", "from", "to", "by")):
        return named
    return role.cases["subject"] if index == 0 else role.cases.get("other", kind.other_role)


def _settle(
    kind: EventType, roles: dict[str, str], found: Sequence[Mention], clause: Clause
) -> None:
    """Let what a company sells decide between two partners: who rents out computing supplies it."""
    if not kind.separate or len(roles) < 2:
        return
    if any(role not in (kind.lead_role, kind.other_role) for role in roles.values()):
        return
    for name in clause.spans:
        goods = name.rpartition(".")[2]
        sellers = [mention.company for mention in found if goods in mention.company.sells]
        if not sellers:
            continue
        seller = min(sellers, key=lambda company: (company.prominence, company.id))
        for company_id in roles:
            roles[company_id] = "supplier" if company_id == seller.id else "buyer"
        return


_LEADING = re.compile(
    r"(?:Exclusive|Factbox|Update|Breaking|Report|Update \d)?:?\s*"
    r"(?P<name>[A-Z][\w&.'-]*(?:\s(?:of\s|and\s|&\s)?[A-Z][\w&.'-]*){0,4})"
)
_KOREAN_LEAD = re.compile(r"(?:\[[^\]]{1,16}\]\s?)?(?P<name>[가-힣A-Za-z0-9&·]{2,14}),\s")
_KOREAN_OBJECT = re.compile(r"(?P<name>[가-힣A-Za-z0-9&]{2,14}?)(?:을|를)?\s(?:지분\s\S{0,6}\s?)?$")


def unknown_parties(kind: EventType, clause: Clause, known: Sequence[Party]) -> tuple[Party, ...]:
    """Return the parties that the gazetteer does not know: who leads, and who is acted upon."""
    role = _template(kind, clause)
    trigger = None
    if role is not None:
        trigger = min(span for name in role.trigger for span in clause.spans.get(name, ()))
    low_is_title = clause.text.shown.istitle()
    korean = any("가" <= sign <= "힣" for sign in clause.text.shown)
    if low_is_title or trigger is None or role is None:
        return ()
    subject = _unknown_subject(clause, trigger, korean)
    target = _unknown_object(clause, trigger, korean)
    found = []
    taken = {party.role for party in known}
    for name, part in (
        (subject, role.cases["subject"]),
        (target, role.cases.get("object", "target")),
    ):
        if name is not None and part not in taken:
            found.append(Party(id=f"org:~{name.casefold()}", name=name, role=part, known=False))
    return tuple(found)


def _unknown_subject(clause: Clause, trigger: tuple[int, int], korean: bool) -> str | None:
    pattern = _KOREAN_LEAD if korean else _LEADING
    match = pattern.match(clause.text.shown, clause.start, trigger[0] if not korean else clause.end)
    return _free(clause, match)


def _unknown_object(clause: Clause, trigger: tuple[int, int], korean: bool) -> str | None:
    if korean:
        start = max(clause.start, trigger[0] - 28)
        return _free(clause, _KOREAN_OBJECT.search(clause.text.shown, start, trigger[0]))
    after = next((span for span in clause.spans.get("name", ()) if span[0] >= trigger[1]), None)
    if after is None or after[0] - trigger[1] > 24:
        return None
    return _free(clause, _LEADING.match(clause.text.shown, after[0], after[1]))


def _free(clause: Clause, match: re.Match[str] | None) -> str | None:
    """Return the name matched, unless a company, place, government or known word is part of it."""
    if match is None:
        return None
    start, end = match.span("name")
    taken = [(hit.start, hit.end) for hit in clause.hits] + list(clause.spans.get("money", ()))
    if any(first < end and start < last for first, last in taken):
        return None
    return match["name"].removesuffix("'s")
