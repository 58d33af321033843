"""Whether an alert agrees with itself: its ``explain`` evaluated again, without any input.

Each threshold is compared anew, each term of the severity computed again from what the alert says,
the score added up, each id derived, each move divided out of its prices. What only the inputs can
tell (the readings, and which prices there were) is for a replay: ``tapewire explain --check``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from signals.alerts.severity import Terms, level_of, move_terms, score_of, story_terms
from signals.alerts.story import Story
from signals.ids import derive_id
from signals.market.measures import ratio
from signals.messages import Alert, Move, Novelty, Threshold
from signals.policy import Policy

__all__ = ["Fault", "audit_alert"]

_SPILLED = "spill-over "
_CONFIDENCE = "confidence"
_ENDS = frozenset({"retracted", "superseded"})
_SPLITS = frozenset({"split", "split_like"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A field of an alert that does not follow from the others.

    Attributes:
        path: of the field, ``explain.score``.
        said: its value; expected: what follows from the rest, or what must hold.
    """

    path: str
    said: str
    expected: str

    def __str__(self) -> str:
        return f"{self.path} says {self.said}, must be {self.expected}"


def audit_alert(alert: Alert, policy: Policy) -> tuple[Fault, ...]:
    """Return every fault of an alert, none for one that agrees with itself and with the policy."""
    return (
        *_ids(alert),
        *_times(alert),
        *_moves(alert),
        *_evidence(alert),
        *_thresholds(alert, policy),
        *_severity(alert),
    )


def _differing(path: str, said: object, expected: object) -> Iterator[Fault]:
    if said != expected:
        yield Fault(path=path, said=str(said), expected=str(expected))


# ---- identity and time ---------------------------------------------------------------------------


def _ids(alert: Alert) -> Iterator[Fault]:
    yield from _differing("alert_id", alert.alert_id, derive_id("al", alert.story_id, alert.anchor))
    if alert.type is not None:
        first = alert.event_ids[0] if alert.event_ids else ""
        yield from _differing("story_id", alert.story_id, derive_id("st", alert.type, first))


def _times(alert: Alert) -> Iterator[Fault]:
    """Nothing that an alert rests on is later than the alert."""
    for number, move in enumerate(alert.moves):
        path = f"moves[{number}]"
        # Of what ended, the moves are those of the last alert before.
        if move.known_us > alert.known_us and alert.kind not in _ENDS:
            yield _too_late(f"{path}.known_us", move.known_us, alert.known_us)
        if move.to_us > move.known_us:
            yield _too_late(f"{path}.to_us", move.to_us, move.known_us)
        if move.from_us > move.to_us:
            yield _too_late(f"{path}.from_us", move.from_us, move.to_us)


def _too_late(path: str, said: int, limit: int) -> Fault:
    return Fault(path=path, said=str(said), expected=f"at most {limit}")


# ---- moves and evidence --------------------------------------------------------------------------


def _moves(alert: Alert) -> Iterator[Fault]:
    for number, move in enumerate(alert.moves):
        if move.raw is None or move.from_price is None or move.to_price is None:
            continue
        if _SPLITS.isdisjoint(move.flags):  # prices are as traded, and raw counts a split in
            expected = ratio(move.to_price, move.from_price)
            yield from _differing(f"moves[{number}].raw", move.raw, expected)


def _evidence(alert: Alert) -> Iterator[Fault]:
    spans = alert.explain.evidence
    for number, (headline_id, span) in enumerate(spans):
        path = f"explain.evidence[{number}]"
        if headline_id not in alert.headline_ids:
            yield Fault(path=path, said=headline_id, expected="one of headline_ids")
        yield from _differing(f"{path}.text", len(span.text), span.end - span.start)
    if alert.type is not None:
        rules = tuple(dict.fromkeys(span.rule for _, span in spans))
        yield from _differing("explain.rules", alert.explain.rules, rules)


# ---- thresholds ----------------------------------------------------------------------------------


def _thresholds(alert: Alert, policy: Policy) -> Iterator[Fault]:
    """Each is passed, and they are those that the alert's moves ask for, in order."""
    said = alert.explain.thresholds
    for number, threshold in enumerate(said):
        if threshold.value < threshold.limit:
            path = f"explain.thresholds[{number}]"
            shown = f"{threshold.name} {threshold.value}"
            yield Fault(path=path, said=shown, expected=f"at least {threshold.limit}")
    expected = _expected(alert, policy)
    for number in range(max(len(said), len(expected))):
        one = said[number] if number < len(said) else None
        other = expected[number] if number < len(expected) else None
        if one != other:
            path = f"explain.thresholds[{number}]"
            yield Fault(path=path, said=_shown(one), expected=_shown(other))
            return


def _shown(threshold: Threshold | None) -> str:
    if threshold is None:
        return "nothing"
    return f"{threshold.name}: {threshold.value} against {threshold.limit}"


def _expected(alert: Alert, policy: Policy) -> list[Threshold]:
    """Return the thresholds as they follow from the moves and the policy.

    How sure the reading was, and which tickers are related ones, only the inputs can tell.
    """
    if alert.type is None:
        return [each for move in alert.moves for each in _of_move(move, policy)]
    said = alert.explain.thresholds
    spilled = {t.name.removeprefix(_SPILLED) for t in said if t.name.startswith(_SPILLED)}
    spilled -= set(alert.tickers)  # a party's own move is none
    sure = [t for t in said[:1] if t.name == _CONFIDENCE and t.value <= 1.0]
    return [*sure, *_of_story(alert.moves, spilled, policy)]


def _of_move(move: Move, policy: Policy) -> Iterator[Threshold]:
    raw = 0.0 if move.raw is None else abs(move.raw)
    is_far = raw >= policy.unexplained_alone
    limit = policy.unexplained_alone if is_far else policy.unexplained_raw
    yield Threshold(name="abs(raw)", value=raw, limit=limit)
    if move.z is not None and not is_far:
        yield Threshold(name="abs(z)", value=abs(move.z), limit=policy.unexplained_z)


def _of_story(moves: Iterable[Move], spilled: set[str], policy: Policy) -> Iterator[Threshold]:
    for move in moves:
        if move.raw is None:
            continue
        size = abs(move.raw)
        if move.milestone.startswith("level:"):
            limit = abs(float(move.milestone.removeprefix("level:")))
            yield Threshold(name=f"abs(raw) {move.ticker}", value=size, limit=limit)
        if move.ticker in spilled:
            yield Threshold(name=_SPILLED + move.ticker, value=size, limit=policy.spill_over_raw)


# ---- severity ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What of a story an alert tells: enough for the severity."""

    type: str
    visible: Alert
    novelty: Novelty | None


def _severity(alert: Alert) -> Iterator[Fault]:
    explain = alert.explain
    yield from _differing("explain.terms", explain.terms, _terms(alert))
    yield from _differing("explain.score", explain.score, score_of(explain.terms))
    yield from _differing("severity", alert.severity, level_of(explain.score))


def _terms(alert: Alert) -> Terms:
    if alert.type is None:
        return move_terms(alert.moves)
    told = _Told(type=alert.type, visible=alert, novelty=alert.novelty)
    return story_terms(cast("Story", told))  # an alert shows all that a severity rests on
