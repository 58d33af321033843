"""The messages on the topics, and what they hold: frozen, checked, without a clock.

Times are integer microseconds since 1970 UTC (``_us``). Money and prices are ``Decimal``;
ratios and scores are ``float``. Tickers are Yahoo style (``IREN``, ``005930.KS``); currencies
are ISO 4217, countries ISO 3166-1 alpha-2, languages BCP 47, durations ISO 8601.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple, NewType, NoReturn

from signals.frozen import fast_init

__all__ = [
    "Alert",
    "AlertKind",
    "Amount",
    "AmountKind",
    "Claim",
    "Confounder",
    "Daily",
    "DealStatus",
    "Direction",
    "Event",
    "EventEntry",
    "EventRelay",
    "Evidence",
    "Explain",
    "Headline",
    "Journal",
    "Message",
    "Micros",
    "Move",
    "MoveFlag",
    "MoveReport",
    "Novelty",
    "NoveltyCount",
    "Party",
    "Place",
    "PriceSample",
    "Quantity",
    "Reaction",
    "Reactions",
    "RuleSetId",
    "Second",
    "SessionLabel",
    "Split",
    "Subject",
    "Term",
    "Threshold",
]

Micros = NewType("Micros", int)

_LAST_US = 253_402_300_800_000_000  # 10000-01-01: no calendar and no text of an instant goes on
_INSTANT = "after 1970 and before the year 10000"

DealStatus = Literal["rumored", "in_talks", "agreed", "signed", "closed", "cancelled", "denied"]
Direction = Literal["tighten", "relax", "unclear"]
AmountKind = Literal[
    "deal_value", "capex", "stake", "valuation", "revenue", "prepayment", "price", "loan", "other"
]
SessionLabel = Literal["pre", "regular", "post", "closed"]
# no_price: none is known before the event. split: one was counted in. split_like: the price jumped
# as in a split, but no record tells of one. stale: too old to be a price.
MoveFlag = Literal["no_price", "split", "split_like", "stale"]
AlertKind = Literal[
    "new",
    "confirmed",
    "spill_over",
    "status_changed",
    "unexplained_move",
    "explained",
    "corrected",
    "retracted",
    "superseded",
]


def _refuse(field: str, wanted: str, seen: object) -> NoReturn:
    raise ValueError(f"{field} must be {wanted}, was {seen!r:.80}")


def _require_price(field: str, value: Decimal | None, *, given_for: str = "") -> None:
    if value is None:
        if given_for:
            _refuse(field, f"given for {given_for}", None)
    elif not value.is_finite() or value <= 0:
        _refuse(field, "finite and positive", str(value))


def _require_count(field: str, value: Decimal) -> None:
    if not (value.is_finite() and value >= 0):
        _refuse(field, "0 or more", str(value))


# ---- inputs: other people's programs write these -------------------------------------------------


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One revision of one news item, on ``news.headlines.v1``, keyed by ``id``."""

    id: str
    title: str
    source: str
    # The provider's claim. A dead letter says which of the two faults it has.
    published_us: Micros = field(
        metadata={"missing_field": "no_publish_time", "wrong_type": "bad_publish_time"}
    )
    received_us: Micros  # when the source first held it
    lang: str | None = None
    revision: int = 1
    status: Literal["usable", "withdrawn"] = "usable"
    body: str | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.id) <= 512:
            _refuse("id", "1 to 512 characters", self.id)
        if self.revision < 1:
            _refuse("revision", "1 or more", self.revision)
        if not 0 < self.published_us < _LAST_US:
            _refuse("published_us", _INSTANT, self.published_us)
        if not 0 < self.received_us < _LAST_US:
            _refuse("received_us", _INSTANT, self.received_us)


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSample:
    """One trade, bar, daily record or split of a ticker, on ``market.prices.v1``, keyed by it.

    A trade has ``price``; a bar and a daily record have ``open`` to ``close`` and ``end_us``, and
    are known at their end. A split takes effect at ``event_us``, the open of its first session, and
    has ``ratio``: new shares for each old one (10 for ten-for-one, 1 to say that there was none).
    Prices are as traded, never adjusted for what came later.

    Attributes:
        volume: shares of the trade, the bar or the session.
        day_volume: shares traded in the session so far, this sample included: a repeat does not
            count twice, and no order matters. Without it there is no volume ratio.
        benchmark_price: the price of the ticker's market benchmark as the source knew it at the
            receipt; on a daily record it is the benchmark's close.
        benchmark_open: of a bar, the benchmark's price at its start. Without it the bar's first
            price has no benchmark to be adjusted with.
    """

    ticker: str
    kind: Literal["trade", "bar", "daily", "split"]
    event_us: Micros
    received_us: Micros
    source: str
    price: Decimal | None = None
    volume: Decimal | None = None
    end_us: Micros | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    close: Decimal | None = None
    benchmark: str | None = None
    benchmark_price: Decimal | None = None
    day_volume: Decimal | None = None
    ratio: Decimal | None = None
    benchmark_open: Decimal | None = None

    def __post_init__(self) -> None:
        times_are_well = 0 < self.event_us < _LAST_US and 0 < self.received_us < _LAST_US
        if not (times_are_well and 0 < len(self.ticker) <= 64):
            self._refuse_key()
        for value in (self.volume, self.day_volume, self.benchmark_price):
            if value is not None and not (value.is_finite() and value > 0):
                self._require_figures()  # zero shares are well
        if self.kind == "trade":
            _require_price("price", self.price, given_for="a trade")
        elif self.kind == "split":
            _require_price("ratio", self.ratio, given_for="a split")
        else:
            self._require_bar()

    def _require_figures(self) -> None:
        _require_price("benchmark_price", self.benchmark_price)
        for name in ("volume", "day_volume"):
            value = getattr(self, name)
            if value is not None:
                _require_count(name, value)

    def _refuse_key(self) -> NoReturn:
        if not 0 < len(self.ticker) <= 64:
            _refuse("ticker", "1 to 64 characters", self.ticker)
        field = "received_us" if 0 < self.event_us < _LAST_US else "event_us"
        _refuse(field, _INSTANT, getattr(self, field))

    def _require_bar(self) -> None:
        for name in ("open", "high", "low", "close"):
            _require_price(name, getattr(self, name), given_for=f"a {self.kind}")
        _require_price("benchmark_open", self.benchmark_open)
        if self.end_us is None:
            _refuse("end_us", f"given for a {self.kind}", None)
        elif not self.event_us < self.end_us < _LAST_US:
            _refuse("end_us", "after event_us and before the year 10000", self.end_us)


# ---- what a headline means -----------------------------------------------------------------------


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A span of the source: ``text`` equals ``field[start:end]`` (code points)."""

    field: Literal["title", "body"]
    start: int
    end: int
    text: str
    rule: str


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A money amount. ``usd`` is at the text's own rate, else the last one before the publish day.

    ``usd`` is null where no rate is known. ``text`` is the amount as written. A pair of currencies
    that says one amount twice ("$10bn (14.8tn won)") is one Amount with the second as ``paired``.
    """

    value: Decimal
    currency: str
    usd: Decimal | None
    kind: AmountKind
    text: str
    qualifier: Literal["exact", "approx", "at_least", "up_to"] = "exact"
    paired_value: Decimal | None = None
    paired_currency: str | None = None


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """How long a commitment runs: an ISO 8601 duration, or the date that it runs until."""

    duration: str | None = None
    until: str | None = None
    text: str


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A physical figure: ``unit`` is MW, GW, chips, vehicles, wafers, people, units or m2."""

    value: Decimal
    unit: str
    text: str


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place as written, and its country."""

    name: str
    country: str | None


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation that takes part in an event.

    Attributes:
        id: ``org:microsoft`` for a known one, ``org:~rumble`` (a tilde) for an unknown one.
        name: its English name where it is known, else as written.
        role: buyer, supplier, investor, investee, acquirer, target, owner, authority, affected …
        tickers: its listings, the home listing first; empty for a private company.
        known: whether the gazetteer knows it.
        prominence: 0 (least) and up; the anchor of a deal is its least prominent known party.
    """

    id: str
    name: str
    role: str
    tickers: tuple[str, ...] = ()
    known: bool = True
    prominence: int = 0


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A price move that a text tells of: what somebody wrote, never what was measured.

    Attributes:
        party: the organisation whose shares are meant; ticker: its first listing, if it has one.
        ratio: signed, 0.2 for "soars 20%"; null where the text gives no figure.
    """

    party: str
    ticker: str | None
    direction: Literal["up", "down"]
    ratio: float | None
    evidence: Evidence


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A key of the journal that an event goes to: a ticker, or an id of something without one.

    ``role`` is ``party`` (it takes part), or ``related`` with the reason (supplier, customer, peer,
    investor) and the party that it is tied to (``of``); related copies are measured, but never
    anchor a story.
    """

    key: str
    role: Literal["party", "related"]
    reason: str
    of: str | None = None


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSetId:
    """Which rules decided: ``version`` is a person's label, ``hash`` covers every byte."""

    version: str
    hash: str


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that a headline reports: a deal, an export control or an expansion.

    Attributes:
        id: the record's id: identity, revision and rule set.
        event_id: the identity: the same in every revision and under every rule set.
        revision: the headline's revision that this reading comes from.
        status: ``live``, or ``retracted`` when the headline was withdrawn or no longer says it.
        deal_status, direction: for a deal; for an export control.
        authority, counterpart: countries of an export control (``US``, ``AE``).
        anchor: the subject whose key the event's story lives on.
        late: received later than the policy allows; told, but not measured.
        keywords: the words of its title that tell stories apart, companies by their ids.
        threshold: the confidence from which on a reading of its type counts.
        weak: read below that: at most one more telling of a story that others
            tell. It goes to the journal, and is no record of ``events.v1``.
    """

    id: str
    event_id: str
    headline_id: str
    revision: int
    status: Literal["live", "retracted"]
    type: str
    confidence: float
    title: str
    lang: str
    source: str
    published_us: Micros
    received_us: Micros
    rules: RuleSetId
    anchor: str
    subjects: tuple[Subject, ...]
    deal_status: DealStatus | None = None
    direction: Direction | None = None
    authority: str | None = None
    counterpart: str | None = None
    parties: tuple[Party, ...] = ()
    tickers: tuple[str, ...] = ()
    amounts: tuple[Amount, ...] = ()
    term: Term | None = None
    quantities: tuple[Quantity, ...] = ()
    places: tuple[Place, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    late: bool = False
    keywords: tuple[str, ...] = ()
    weak: bool = False
    claims: tuple[Claim, ...] = ()
    threshold: float = 0.0

    @property
    def anchor_us(self) -> Micros:
        """Return the time that moves are measured from: the earlier of published and received."""
        return min(self.published_us, self.received_us)


# ---- the journal: both sides of the join, keyed by subject ---------------------------------------


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class EventEntry:
    """An event, on the key of one of its subjects."""

    kind: Literal["event"] = "event"
    subject: Subject
    event: Event


class Second(NamedTuple):
    """All samples of a ticker in one second, merged; sent again when it changes.

    A tuple, because nearly every record is one: a dataclass of as many fields takes four times as
    long to make. Its ``kind`` comes last, since it has a default.

    ``second_us`` is its start; ``first_us`` and ``last_us`` are the event times of its first and
    last sample, so that two records of one second merge whatever each of them holds.
    ``received_us`` is the latest receipt among its samples. ``day_volume`` is what had been traded
    in the session by its end, as far as a sample said so.
    """

    ticker: str
    second_us: Micros
    first_us: Micros
    first: Decimal
    high: Decimal
    low: Decimal
    last_us: Micros
    last: Decimal
    received_us: Micros
    benchmark: str | None = None
    benchmark_price: Decimal | None = None
    day_volume: Decimal | None = None
    kind: Literal["second"] = "second"


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Daily:
    """The close of a ticker's regular session, as traded, its volume, and its benchmark's close."""

    kind: Literal["daily"] = "daily"
    ticker: str
    close_us: Micros
    close: Decimal
    received_us: Micros
    benchmark: str | None = None
    benchmark_close: Decimal | None = None
    volume: Decimal | None = None


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """From ``effective_us``, the open of a session, each share is ``ratio`` new ones.

    A ratio of 1 says that there was no split, however much a price looked like one.
    """

    kind: Literal["split"] = "split"
    ticker: str
    effective_us: Micros
    ratio: Decimal
    received_us: Micros


Journal = EventEntry | Second | Daily | Split


# ---- reactions: what the tape did, keyed by anchor -----------------------------------------------


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A measured price move of one ticker.

    Prices are as traded: where a split lies between them, ``raw`` counts it in.

    Attributes:
        milestone: ``level:+0.20``, ``PT5M`` …, ``close``, ``next_close``, or ``session`` for a
            move that no event explains.
        relation: ``after`` the event, or ``before`` for a move that was under way when it came.
        from_us, to_us: the event times that the two prices hold for.
        raw: ratio to / from - 1; abnormal: raw less beta times the benchmark's; both null, with a
            ``note`` that says why, where a price is unknown or stale.
        z: abnormal over the deviation of the span, null under 20 daily returns.
        volume_ratio: shares traded in the move's part of its last session, over what that part has
            on an average of 20 days; null where either is not known.
        session: in which part of the trading day the price was made.
        flags: what is to be known about the prices, in alphabetical order.
        known_us: receipt of the latest input that it rests on.
    """

    ticker: str
    milestone: str
    relation: Literal["after", "before"]
    from_us: Micros
    to_us: Micros
    from_price: Decimal | None
    to_price: Decimal | None
    raw: float | None
    abnormal: float | None
    z: float | None
    beta: float | None
    benchmark: str | None
    known_us: Micros
    note: str | None = None
    volume_ratio: float | None = None
    session: SessionLabel | None = None
    flags: tuple[MoveFlag, ...] = ()


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class EventRelay:
    """The event itself, on its anchor's key.

    ``moved_to`` is set when the event turned out to be a telling of a story with another anchor,
    which has it from then on. ``sequence`` counts what ``via`` passed on of an event, from 1: with
    the event's revision it tells a newer relay from one that is sent again. ``via`` is the subject
    that passes it on; two may pass one event on to one anchor, and one of them take it back.
    ``known_us`` is the receipt of the record that made the relay, which may be another event's.
    """

    kind: Literal["event"] = "event"
    event: Event
    moved_to: str | None = None
    sequence: int = 1
    via: str = ""
    known_us: Micros = Micros(0)


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Confounder:
    """One of several stories that could explain a move of a ticker.

    ``event_id`` and ``headline_id`` are its earliest timely telling on the ticker's key. ``score``
    says how well it explains the move (``signals/reactions/confounders.py``), 0 to 4.5.
    """

    ticker: str
    event_id: str
    headline_id: str
    type: str
    role: Literal["party", "related"]
    score: float


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """One milestone of one ticker after one event, on the event's anchor's key.

    ``id`` is the record's (identity and revision), ``reaction_id`` the identity. ``event_ids`` are
    the tellings that share the measurement, the earliest first. ``confounders`` are set where more
    than one story could explain the move: this one and the best three others, the best first.
    """

    kind: Literal["reaction"] = "reaction"
    id: str
    reaction_id: str
    revision: int
    status: Literal["live", "withdrawn"]
    anchor: str
    event_ids: tuple[str, ...]
    role: Literal["party", "related"]
    reason: str
    move: Move
    confounders: tuple[Confounder, ...] = ()


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class MoveReport:
    """A move past the threshold that no event explained when it happened, on the ticker's key.

    ``explained_by`` names events, the best first; it is empty while nothing explains the move.
    ``confounders`` has the best four of them with their scores, where there are two or more.
    """

    kind: Literal["move"] = "move"
    id: str
    move_id: str
    revision: int
    status: Literal["live", "withdrawn"]
    ticker: str
    move: Move
    explained_by: tuple[str, ...] = ()
    explained_headlines: tuple[str, ...] = ()
    confounders: tuple[Confounder, ...] = ()


Reactions = EventRelay | Reaction | MoveReport


# ---- alerts --------------------------------------------------------------------------------------


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One comparison that a decision rests on: ``value`` against ``limit``."""

    name: str
    value: float
    limit: float


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Explain:
    """Why an alert went out: enough to recompute the decision.

    ``evidence`` holds spans of the headline named beside it; ``score`` is the severity's score and
    ``terms`` what it is made of.
    """

    summary: str
    rules: tuple[str, ...]
    evidence: tuple[tuple[str, Evidence], ...]
    thresholds: tuple[Threshold, ...]
    score: float
    terms: tuple[tuple[str, float], ...] = ()
    supersedes: tuple[str, ...] = ()


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyCount:
    """How many earlier tellings a window (an ISO 8601 duration) before the newest one holds."""

    window: str
    count: int


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Novelty:
    """How new a story's newest telling is: its earlier tellings within 12 h to 7 days.

    Attributes:
        counts: by window, the shortest first; each holds the one before it.
        headline_ids: the earlier tellings of the longest window, the newest first, at most 20: the
            first ``count`` of them are those of a shorter window.
        days_since: days since the telling before the newest one, null for the first telling.
    """

    counts: tuple[NoveltyCount, ...]
    headline_ids: tuple[str, ...] = ()
    days_since: float | None = None


@fast_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One transition of one story, on ``alerts.v1``; a revision of one alert id.

    Attributes:
        novelty: null for a move that no story stands behind.
        confounders: by ticker, the stories that could explain its move where there is more than
            one, this alert's own among them, the best first.
        claims: moves that headlines tell of, each with the headline's id; ``moves`` are measured.
        langs: the languages of the tellings, in alphabetical order.
    """

    alert_id: str
    revision: int
    kind: AlertKind
    type: str | None
    status: DealStatus | None
    direction: Direction | None
    story_id: str
    anchor: str
    title: str
    parties: tuple[Party, ...]
    tickers: tuple[str, ...]
    amounts: tuple[Amount, ...]
    headline_ids: tuple[str, ...]
    event_ids: tuple[str, ...]
    moves: tuple[Move, ...]
    known_us: Micros
    severity: Literal["low", "medium", "high"]
    explain: Explain
    rules: RuleSetId
    quantities: tuple[Quantity, ...] = ()
    places: tuple[Place, ...] = ()
    term: Term | None = None
    novelty: Novelty | None = None
    confounders: tuple[Confounder, ...] = ()
    claims: tuple[tuple[str, Claim], ...] = ()
    langs: tuple[str, ...] = ()


Message = (
    Headline
    | PriceSample
    | Event
    | EventEntry
    | Second
    | Daily
    | Split
    | EventRelay
    | Reaction
    | MoveReport
    | Alert
)
