"""A ticker's prices for a backtest: its tape, where one could have traded, and its jumps."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from signals.errors import BadMessage
from signals.fold import Rows, apply_changes
from signals.market.markets import mic_of
from signals.market.path import Close, ended_us
from signals.market.seconds import sample_prices_step
from signals.market.sessions import Session, Sessions
from signals.market.splits import Jump, jumps_of
from signals.market.tape import Market, Tape
from signals.messages import Daily, Micros, PriceSample, Second, Split
from signals.policy import SECOND_US, Policy

__all__ = ["Price", "Prices", "collect_prices", "price_of"]

_NONE = Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A price with its benchmark's, and the event time that both hold for."""

    at_us: Micros
    price: Decimal
    benchmark: str | None
    benchmark_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """One ticker's prices.

    Attributes:
        starts: the seconds in which a trade was made or a bar began, ascending. A bar's end is a
            price to sell at, but none to buy at: who decides within a bar has not seen its start.
        jumps: steps of the whole tape that look like splits which no record tells of, ascending.
        until_us: the newest time of any price of the same market: how far the data reach.
    """

    market: Market
    starts: Sequence[Micros]
    jumps: Sequence[Jump]
    until_us: Micros

    @property
    def reached_us(self) -> Micros:
        """Return the end of the last second that has a price, or the last close."""
        return Micros(self.market.reached_us + SECOND_US)

    def first_after(self, time_us: Micros) -> Second | None:
        """Return the first second after a time in which one could have bought, in a session.

        The second begins after the time, so that every price in it does, too.
        """
        market = self.market
        for i in range(bisect_right(self.starts, time_us), len(self.starts)):
            start_us = self.starts[i]
            if market.sessions.at(market.ticker, start_us) is not None:
                return next(market.path.between(start_us, Micros(start_us + SECOND_US)), None)
        return None

    def close_of(self, session: Session) -> Price | None:
        """Return a session's official close, else its last price where that is not stale."""
        market = self.market
        i = bisect_left(market.days, session.close_us, key=_close_us)
        if i < len(market.days) and market.days[i].close_us == session.close_us:
            day = market.days[i]
            return Price(
                at_us=day.close_us,
                price=day.close,
                benchmark=day.benchmark,
                benchmark_price=day.benchmark_close,
            )
        second = market.path.at(session.close_us)
        if second is None or second.second_us < session.open_us:
            return None
        if session.close_us - ended_us(second) > market.policy.stale_us + SECOND_US:
            return None
        return price_of(second)

    def jumped(self, from_us: Micros, to_us: Micros) -> bool:
        """Return whether prices of two times may stand on different numbers of shares."""
        return bool(self.jumps) and self._suspected(from_us) != self._suspected(to_us)

    def _suspected(self, time_us: Micros) -> Fraction:
        i = bisect_right(self.jumps, time_us, key=_jump_us)
        return self.jumps[i - 1].ratio if i else _NONE


def price_of(second: Second) -> Price:
    """Return a second's last price."""
    return Price(
        at_us=second.second_us,
        price=second.last,
        benchmark=second.benchmark,
        benchmark_price=second.benchmark_price,
    )


def collect_prices(
    samples: Iterable[PriceSample],
    sessions: Sessions,
    policy: Policy,
    on_bad: Callable[[BadMessage], None],
    wanted: Container[str] | None = None,
) -> dict[str, Prices]:
    """Return the prices by ticker, in alphabetical order, merged as sample_prices merges them.

    Args:
        samples: in any order.
        sessions: the calendars.
        policy: lateness and staleness; beta and volatility.
        on_bad: called with what is refused, as sample_prices refuses it.
        wanted: only these tickers are kept; of the others it counts how far they reach.
    """
    collector = _Collector(sessions, policy)
    until_us: dict[str | None, Micros] = {}
    for sample in samples:
        if sample.kind != "split":
            mic = mic_of(sample.ticker)
            until_us[mic] = max(until_us.get(mic, Micros(0)), _end_of(sample))
        if wanted is None or sample.ticker in wanted:
            try:
                collector.add(sample)
            except BadMessage as error:
                on_bad(error)
    return {
        ticker: Prices(
            market=market,
            starts=sorted(collector.starts.get(ticker, ())),
            jumps=_jumps(market),
            until_us=until_us.get(mic_of(ticker), Micros(0)),
        )
        for ticker, market in collector.markets().items()
    }


class _Collector:
    """Merges samples as sample_prices does, and keeps where one could have traded."""

    def __init__(self, sessions: Sessions, policy: Policy) -> None:
        self.starts: dict[str, set[Micros]] = {}
        self._sessions, self._policy = sessions, policy
        self._step = sample_prices_step(policy)
        self._tapes: dict[str, Tape] = {}
        self._states: dict[str, Rows] = {}

    def add(self, sample: PriceSample) -> None:
        """Take in a sample. Raises: BadMessage for one that sample_prices refuses."""
        ticker = sample.ticker
        tape = self._tapes.get(ticker)
        if tape is None:
            tape = self._tapes[ticker] = Tape(ticker, self._sessions, self._policy)
        rows = self._states.get(ticker, {})
        changes, outputs = self._step(rows, ticker, sample)
        self._states[ticker] = apply_changes(rows, changes)
        for output in outputs:
            if isinstance(output.message, Second | Daily | Split):
                tape.add(output.message)
        if sample.kind in ("trade", "bar") and sample.volume != 0:
            second_us = Micros(sample.event_us // SECOND_US * SECOND_US)
            self.starts.setdefault(ticker, set()).add(second_us)

    def markets(self) -> dict[str, Market]:
        """Return the markets by ticker, with the newest second of each as it stands."""
        for ticker, rows in self._states.items():
            newest = rows.get("newest")  # no later one has it sent
            if newest is not None:
                self._tapes[ticker].add(newest)
        return {ticker: self._tapes[ticker].market() for ticker in sorted(self._tapes)}


def _end_of(sample: PriceSample) -> Micros:
    """Return from when on a sample's last price is one of the past."""
    if sample.end_us is not None:
        return sample.end_us
    return Micros(sample.event_us // SECOND_US * SECOND_US + SECOND_US)


def _jumps(market: Market) -> tuple[Jump, ...]:
    """Return the jumps of a tape; the closes of days without other prices count as seconds."""
    seconds = {
        second.second_us: second
        for second in market.path.between(Micros(0), Micros(market.reached_us + 1))
    }
    for day in market.days:
        last_us = Micros(day.close_us - SECOND_US)
        seconds.setdefault(last_us, _closing_second(market.ticker, day, last_us))
    ordered = [seconds[second_us] for second_us in sorted(seconds)]
    if not ordered:
        return ()
    first = ordered[0]
    return jumps_of(first.first, first.second_us, ordered, market.splits)


def _closing_second(ticker: str, day: Close, second_us: Micros) -> Second:
    return Second(
        ticker=ticker,
        second_us=second_us,
        first_us=second_us,
        first=day.close,
        high=day.close,
        low=day.close,
        last_us=second_us,
        last=day.close,
        received_us=day.received_us,
    )


def _close_us(day: Close) -> Micros:
    return day.close_us


def _jump_us(jump: Jump) -> Micros:
    return jump.second_us
