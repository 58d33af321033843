"""How well readings agree with labels: every figure of ``tapewire rules eval``, pure."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from signals.reading import Reading
from streams.rule_labels import Label

__all__ = ["Bin", "Counts", "Found", "Scores", "Share", "found_in", "score_readings"]

_RESAMPLES = 400
_BINS = 10
_SURE = 0.8
_SEED = 20261125


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the reader found in one headline: the confidence by type, and the values."""

    types: Mapping[str, float]
    tickers: frozenset[str]
    amounts: frozenset[tuple[Decimal, str]]
    status: str | None
    direction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Right, wrong and missed, and what follows; ``low`` and ``high`` bound F1 at 95 %.

    ``forgiving`` is F1 where a borderline headline that is read as nothing is no miss.
    """

    right: int
    wrong: int
    missed: int
    precision: float
    recall: float
    f1: float
    low: float
    high: float
    forgiving: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of how many; ``share`` is 0 where there are none."""

    right: int
    of: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Readings of like confidence: how sure they are, and how many are right (ratios 0..1)."""

    low: float
    count: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Every figure; the keys of the mappings are ``all``, languages, types, sources, and pairs.

    ``false_alarms`` is per 1,000 headlines that the labels give no type. ``tickers`` counts
    issuers with a US or Korean listing, ``tickers_world`` all. ``status_confusion`` and
    ``direction_confusion`` count ``label>found``.
    """

    rows: int
    types: Mapping[str, Counts]
    exact_sets: Mapping[str, Share]
    tickers: Mapping[str, Counts]
    tickers_world: Mapping[str, Counts]
    money: Share
    status: Share
    status_confusion: Mapping[str, int]
    direction: Share
    direction_confusion: Mapping[str, int]
    sure: Share
    calibration_error: float
    bins: tuple[Bin, ...]
    false_alarms: Mapping[str, float]


def found_in(readings: Sequence[Reading]) -> Found:
    """Return what a headline's readings say together; of each value the first reading's."""
    types: dict[str, float] = {}
    for reading in readings:
        types[reading.type] = max(types.get(reading.type, 0.0), reading.confidence)
    return Found(
        types=types,
        tickers=frozenset(ticker for reading in readings for ticker in reading.tickers),
        amounts=frozenset(
            (amount.value, amount.currency) for reading in readings for amount in reading.amounts
        ),
        status=next((one.deal_status for one in readings if one.deal_status), None),
        direction=next((one.direction for one in readings if one.direction), None),
    )


def score_readings(
    labels: Sequence[Label], found: Sequence[Found], issuers: Mapping[str, tuple[str, ...]]
) -> Scores:
    """Return every figure for labels and what was found in them, row by row.

    Args:
        labels: the truth.
        found: of the same length and order.
        issuers: all listings of an issuer, by each of its listings.
    """
    rows = list(zip(labels, found, strict=True))
    met = [(label, one) for label, one in rows if label.types & one.types.keys()]
    status = [
        (str(label.status), str(one.status))
        for label, one in rows
        if label.status and "deal" in label.types and "deal" in one.types
    ]
    direction = [
        (str(label.direction), str(one.direction))
        for label, one in rows
        if label.direction and "export_control" in label.types and "export_control" in one.types
    ]
    money = [label.amounts == one.amounts for label, one in met if label.amounts or one.amounts]
    judged = [(one.types[kind], kind in label.types) for label, one in rows for kind in one.types]
    bins = _bins(judged)
    return Scores(
        rows=len(rows),
        types=_by_key(rows, _type_outcomes),
        exact_sets=_exact_sets(rows),
        tickers=_by_lang(met, lambda label, one: _issuers(label, one, issuers, home=True)),
        tickers_world=_by_lang(met, lambda label, one: _issuers(label, one, issuers, home=False)),
        money=_share(money),
        status=_share(label == one for label, one in status),
        status_confusion=_confusion(status),
        direction=_share(label == one for label, one in direction),
        direction_confusion=_confusion(direction),
        sure=_share(right for confidence, right in judged if confidence >= _SURE),
        calibration_error=sum(one.count * abs(one.confidence - one.right) for one in bins)
        / max(1, len(judged)),
        bins=bins,
        false_alarms=_false_alarms(rows),
    )


# What one row adds to one key: right, wrong, missed, and missed where nothing is forgiven.
_Outcome = tuple[str, tuple[int, int, int, int]]
_Row = tuple[Label, Found]


def _type_outcomes(label: Label, one: Found) -> list[_Outcome]:
    outcomes: list[_Outcome] = []
    for kind in sorted(label.types | one.types.keys()):
        right, wrong = int(kind in label.types and kind in one.types), int(kind not in label.types)
        missed = int(kind not in one.types)
        unforgiven = missed * int(bool(one.types) or not label.hard)
        for key in ("all", label.lang, kind, f"{label.lang} {kind}", label.source):
            outcomes.append((key, (right, wrong, missed, unforgiven)))
    return outcomes


def _by_key(
    rows: Iterable[_Row], outcomes_of: Callable[[Label, Found], list[_Outcome]]
) -> dict[str, Counts]:
    by_key: dict[str, list[tuple[int, int, int, int]]] = {}
    for label, one in rows:
        for key, outcome in outcomes_of(label, one):
            by_key.setdefault(key, []).append(outcome)
    return {key: _counts(by_key[key]) for key in sorted(by_key)}


def _by_lang(
    rows: Iterable[_Row], outcome_of: Callable[[Label, Found], tuple[int, int, int]]
) -> dict[str, Counts]:
    def outcomes(label: Label, one: Found) -> list[_Outcome]:
        right, wrong, missed = outcome_of(label, one)
        return [(key, (right, wrong, missed, missed)) for key in ("all", label.lang)]

    return _by_key(rows, outcomes)


def _counts(outcomes: Sequence[tuple[int, int, int, int]]) -> Counts:
    right, wrong, missed, unforgiven = (sum(column) for column in zip(*outcomes, strict=True))
    draw = random.Random(_SEED)
    drawn = []
    for _ in range(_RESAMPLES):
        sample = draw.choices(outcomes, k=len(outcomes))
        drawn.append(_f1(*(sum(column) for column in list(zip(*sample, strict=True))[:3])))
    drawn.sort()
    return Counts(
        right=right,
        wrong=wrong,
        missed=missed,
        precision=right / max(1, right + wrong),
        recall=right / max(1, right + missed),
        f1=_f1(right, wrong, missed),
        low=drawn[round(0.025 * (_RESAMPLES - 1))],
        high=drawn[round(0.975 * (_RESAMPLES - 1))],
        forgiving=_f1(right, wrong, unforgiven),
    )


def _f1(right: int, wrong: int, missed: int) -> float:
    return 2 * right / max(1, 2 * right + wrong + missed)


def _exact_sets(rows: Iterable[_Row]) -> dict[str, Share]:
    by_key: dict[str, list[bool]] = {}
    for label, one in rows:
        is_right = label.types == one.types.keys() or (label.hard and not one.types)
        keys = ["all", label.lang, label.source]
        for key in [*keys, *(["typed"] if label.types else [])]:
            by_key.setdefault(key, []).append(is_right)
    return {key: _share(by_key[key]) for key in sorted(by_key)}


def _issuers(
    label: Label, one: Found, issuers: Mapping[str, tuple[str, ...]], *, home: bool
) -> tuple[int, int, int]:
    """Count issuers found, wrong and missed; ``home`` asks for a listing in the US or Korea."""
    wanted = {issuers.get(ticker, (ticker,)) for ticker in label.tickers}
    named = {issuers.get(ticker, (ticker,)) for ticker in one.tickers}
    if home:
        wanted = {listings for listings in wanted if any(map(_is_home, listings))}
        named = {listings for listings in named if any(map(_is_home, listings))}
    return len(wanted & named), len(named - wanted), len(wanted - named)


def _is_home(ticker: str) -> bool:
    return "." not in ticker or ticker.endswith((".KS", ".KQ"))


def _share(answers: Iterable[bool]) -> Share:
    listed = list(answers)
    return Share(right=sum(listed), of=len(listed), share=sum(listed) / max(1, len(listed)))


def _confusion(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    counted = Counter(f"{label}>{found}" for label, found in pairs)
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def _bins(judged: Iterable[tuple[float, bool]]) -> tuple[Bin, ...]:
    by_bin: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in judged:
        by_bin.setdefault(min(_BINS - 1, int(confidence * _BINS)), []).append((confidence, right))
    return tuple(
        Bin(
            low=number / _BINS,
            count=len(inside),
            confidence=sum(confidence for confidence, _ in inside) / len(inside),
            right=sum(right for _, right in inside) / len(inside),
        )
        for number, inside in sorted(by_bin.items())
    )


def _false_alarms(rows: Iterable[_Row]) -> dict[str, float]:
    alarms, untyped = Counter[str](), Counter[str]()
    for label, one in rows:
        if label.types:
            continue
        for key in ("all", label.lang, label.source):
            untyped[key] += 1
            alarms[key] += bool(one.types)
    return {key: 1000 * alarms[key] / untyped[key] for key in sorted(untyped)}
