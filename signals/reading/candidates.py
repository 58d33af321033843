"""What one text (a title or a sentence) reports by itself, before texts are joined."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import cast

from signals.messages import (
    AmountKind,
    DealStatus,
    Direction,
    Evidence,
    Micros,
    Party,
    Place,
    Quantity,
    Term,
)
from signals.reading.grammar import Clause, Score, make_clause, score_clause, split_clauses
from signals.reading.kinds import amount_kind
from signals.reading.match import Hit, find_hits
from signals.reading.money import Money, find_money
from signals.reading.normalise import Text
from signals.reading.places import find_places, read_countries
from signals.reading.quantities import Figure, find_quantities, find_term
from signals.reading.roles import find_parties, mentions, unknown_parties
from signals.reading.ruleset import EventType, RuleSet
from signals.reading.status import read_direction, read_status
from signals.reading.words import find_word

__all__ = [
    "Candidate", "Context", "Parts", "Sum", "TextReading", "part_text", "read_text",
    "weak_candidates",
]  # fmt: skip

# A sentence of the body counts as a telling below the threshold that a title must pass.
_TOLD = 0.3
# Below this a title says nothing of a type, not even to a story that others tell. Of a company that
# the gazetteer knows less is enough, since few stories are told of it at a time; not of the most
# prominent ones, of which there is something every hour.
_WEAK, _WEAK_OF_KNOWN, _PROMINENT = 0.05, 0.01, 90
# Words that are evidence by themselves: so many, and each says so much (logits).
_TELLING_WORDS, _TELLING = 3, 0.3


@dataclass(frozen=True, slots=True)
class Context:
    """What reading depends on besides the text."""

    rules: RuleSet
    published_us: Micros | None


@dataclass(frozen=True, slots=True)
class Sum:
    """A money amount in its text, with its kind."""

    text: Text
    money: Money
    kind: AmountKind


@dataclass(frozen=True, slots=True)
class Candidate:
    """An event as one clause tells it."""

    kind: EventType
    confidence: float
    span: tuple[int, int]
    parties: tuple[Party, ...]
    sums: tuple[Sum, ...]
    term: Term | None
    quantities: tuple[Quantity, ...]
    places: tuple[Place, ...]
    status: DealStatus | None
    status_said: bool
    direction: Direction | None
    authority: str | None
    counterpart: str | None
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class TextReading:
    """All that one text tells: its candidates, and who is its subject, where, how much."""

    candidates: tuple[Candidate, ...] = ()
    sums: tuple[Sum, ...] = ()
    subject: Party | None = None
    places: tuple[Place, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    parts: "Parts | None" = None


@dataclass(frozen=True, slots=True)
class Parts:
    """A text with its hits and figures: as a whole, and clause by clause."""

    whole: Clause
    clauses: tuple[Clause, ...]
    hits: Sequence[Hit]
    money: Sequence[Money]
    figures: Sequence[Figure]


def part_text(text: Text, rules: RuleSet) -> Parts | None:
    """Return the parts of a text that are scored; None where no concept stands in it."""
    hits = find_hits(text, rules)
    if not any(hit.kind == "concept" for hit in hits):
        return None
    money = find_money(text)
    figures = find_quantities(text)
    more = {
        "money": [(one.start, one.end) for one in money],
        "quantity": [(figure.start, figure.end) for figure in figures],
    }
    whole = make_clause(text, (0, len(text.shown)), hits, more)
    spans = split_clauses(text, hits)
    clauses = [make_clause(text, span, hits, more) for span in spans] if len(spans) > 1 else [whole]
    return Parts(whole, tuple(clauses), hits, money, figures)


def read_text(text: Text, context: Context, *, strict: bool) -> TextReading:
    """Return the candidates of a text, clause by clause.

    Args:
        text: a title or a sentence.
        context: the rules, and the time that dates the exchange rate.
        strict: a candidate must pass its type's threshold (a title); else it only has to look
            like one (a sentence that may add to what the title reports).
    """
    parts = part_text(text, context.rules)
    if parts is None:
        return TextReading()
    whole, clauses = parts.whole, parts.clauses
    reader = _Reader(text, context, parts.whole, parts.hits, parts.money, parts.figures)
    found: list[Candidate] = []
    for kind in context.rules.types:
        found += reader.candidates(kind, clauses, kind.threshold if strict else _TOLD)
    found.sort(key=lambda candidate: (candidate.span, candidate.kind.name))
    return TextReading(
        tuple(found),
        tuple(reader.sums(None, whole)),
        _subject(whole, context.rules),
        find_places(whole),
        tuple(figure.quantity for figure in parts.figures),
        parts,
    )


def weak_candidates(text: Text, told: TextReading, context: Context) -> tuple[Candidate, ...]:
    """Return what a title may tell below the threshold: the best clause of each type, by type."""
    parts = told.parts
    if parts is None:
        return ()
    reader = _Reader(text, context, parts.whole, parts.hits, parts.money, parts.figures)
    found = []
    for kind in context.rules.types:
        clauses = reader.candidates(kind, parts.clauses, _WEAK_OF_KNOWN)
        likely = [one for one in clauses if one.confidence >= _WEAK or _names_known(one)]
        found += sorted(likely, key=lambda one: (-one.confidence, one.span))[:1]
    return tuple(found)


def _names_known(candidate: Candidate) -> bool:
    return any(party.known and party.prominence < _PROMINENT for party in candidate.parties)


def _subject(whole: Clause, rules: RuleSet) -> Party | None:
    for mention in mentions(whole, rules):
        if mention.case == "subject" and not mention.product:
            company = mention.company
            return Party(
                id=company.id,
                name=company.name,
                role="owner",
                tickers=company.tickers,
                prominence=company.prominence,
            )
    return None


@dataclass(frozen=True, slots=True)
class _Reader:
    text: Text
    context: Context
    whole: Clause
    hits: Sequence[Hit]
    money: Sequence[Money]
    figures: Sequence[Figure]

    def candidates(
        self, kind: EventType, clauses: Sequence[Clause], least: float
    ) -> list[Candidate]:
        found = []
        for clause in clauses:
            score = score_clause(kind, clause, self.whole, least=least)
            if score is not None and score.confidence >= least:
                found.append(self.candidate(kind, clause, score))
        return found

    def candidate(self, kind: EventType, clause: Clause, score: Score) -> Candidate:
        found = mentions(clause, self.context.rules)
        if kind.geographic and not found:
            found = mentions(self.whole, self.context.rules)
        parties = find_parties(kind, clause, found)
        if kind.separate and len(parties) < 2:
            parties += unknown_parties(kind, clause, parties)
        status, said = read_status(kind, clause)
        authority, counterpart = (
            read_countries(clause, self.whole) if kind.geographic else (None, None)
        )
        term = find_term(self.text)
        inside = (clause.start, clause.end)
        if term is not None and not (inside[0] <= term[1] and term[2] <= inside[1] + 1):
            term = None
        figures = [one for one in self.figures if _within(one.start, one.end, inside)]
        return Candidate(
            kind=kind,
            confidence=score.confidence,
            span=inside,
            parties=parties,
            sums=tuple(self.sums(kind, clause)),
            term=None if term is None else term[0],
            quantities=tuple(figure.quantity for figure in figures),
            places=find_places(clause),
            status=status,
            status_said=said,
            direction=read_direction(kind, (clause,)),
            authority=authority,
            counterpart=counterpart,
            evidence=self.evidence(kind, clause, score, parties, figures),
        )

    def sums(self, kind: EventType | None, clause: Clause) -> list[Sum]:
        own = cast(AmountKind, "other" if kind is None else kind.amount_kind)
        return [
            Sum(self.text, money, amount_kind(self.text, money, own))
            for money in self.money
            if _within(money.start, money.end, (clause.start, clause.end))
        ]

    def evidence(
        self,
        kind: EventType,
        clause: Clause,
        score: Score,
        parties: Sequence[Party],
        figures: Sequence[Figure],
    ) -> tuple[Evidence, ...]:
        strongest: dict[tuple[int, int], tuple[float, str]] = {}
        for feature, places in score.fired:
            for span in places:
                if feature.weight > strongest.get(span, (0.0, ""))[0]:
                    strongest[span] = (feature.weight, feature.id)
        spans = {(*span, rule) for span, (_, rule) in strongest.items()}
        spans |= {span for span in self.telling_words(kind, clause) if span[:2] not in strongest}
        ids = {party.id for party in parties}
        for hit in clause.hits:
            if hit.kind == "company" and hit.ref in ids:
                spans.add((hit.start, hit.end, f"company.{hit.ref.removeprefix('org:')}"))
        for money in self.money:
            if _within(money.start, money.end, (clause.start, clause.end)):
                spans.add((money.start, money.end, "money"))
        for figure in figures:
            spans.add((figure.start, figure.end, f"quantity.{figure.quantity.unit}"))
        return tuple(self.span(*span) for span in sorted(spans))

    def telling_words(self, kind: EventType, clause: Clause) -> set[tuple[int, int, str]]:
        """Return where the words stand that say most for the type, and their rule's name."""
        rules, share = self.context.rules, 1 / sqrt(max(1, len(clause.words)))
        weights = {word: kind.words.get(word, 0.0) * share for word in clause.words}
        found = set()
        for word in sorted(weights, key=lambda one: (-weights[one], one))[:_TELLING_WORDS]:
            if word in rules.common_words or word.strip("~") in rules.tails:
                continue  # "with" and a particle count, and tell a reader nothing
            place = find_word(word, self.text.low, (clause.start, clause.end))
            if weights[word] >= _TELLING and place is not None:
                found.add((*place, f"{kind.name}.words"))
        return found

    def span(self, start: int, end: int, rule: str) -> Evidence:
        first, last = self.text.origin(start, end)
        return Evidence(
            field=self.text.field,
            start=first,
            end=last,
            text=self.text.source[first:last],
            rule=rule,
        )


def _within(start: int, end: int, span: tuple[int, int]) -> bool:
    return span[0] <= start and end <= span[1]
