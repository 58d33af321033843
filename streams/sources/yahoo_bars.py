"""Bars, daily records and splits from Yahoo by polling: all that it has after what is held."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from threading import Lock
from typing import NamedTuple

from signals.errors import ConfigError, Unavailable
from signals.market.markets import BENCHMARKS
from signals.messages import Micros, PriceSample
from signals.policy import DAY_US, MINUTE_US
from streams.clock import now_us
from streams.sources.backoff import Backoff
from streams.sources.live import OnFault
from streams.sources.sessions import Market, market_of
from streams.sources.times import to_iso
from streams.sources.yahoo_benchmarks import BenchmarkBars, moment_of
from streams.sources.yahoo_client import EmptyReply, RateLimited, Unreachable, YahooClient
from streams.sources.yahoo_rows import (
    BARS,
    INTERVALS_US,
    BadRow,
    YahooInterval,
    read_bars,
    read_days,
)
from streams.sources.yahoo_windows import Progress, Window, is_due, is_silent, window_of
from streams.tables import load_sessions

__all__ = ["YahooBars"]

_POLL_S: Mapping[YahooInterval, float] = {"1m": 30.0, "5m": 60.0, "1h": 300.0, "1d": 900.0}
# How far back a ticker begins that is not held yet. Betas want 120 sessions.
_BACKLOG_US: Mapping[YahooInterval, int] = {
    "1m": 5 * DAY_US,
    "5m": 5 * DAY_US,
    "1h": 30 * DAY_US,
    "1d": 400 * DAY_US,
}
# Yahoo shows Korean prices 20 minutes late, American ones at once. What it calls the bar of now is
# then not over.
_DELAY_US: Mapping[str, int] = {"XKOS": 20 * MINUTE_US, "XKRX": 20 * MINUTE_US}
_SETTLED_US = 15 * MINUTE_US  # the auction's close and the last volume take some minutes
_TRIES = 5
_BURST = 200  # samples given without letting the loop turn


class _Reply(NamedTuple):
    samples: list[PriceSample]
    refused: list[BadRow]


class YahooBars:
    """A live source that asks Yahoo's chart for each ticker again and again.

    Requests run in worker threads. A 429, a request that fails and a reply without rows are told
    and asked again, and the source goes on where it was. Only a past span that was empty five
    times, and after which Yahoo has rows, is passed over, and that is told too. A bar is given
    once, when it is over: what Yahoo changes in it later is not.
    """

    name = BARS

    def __init__(
        self,
        *,
        tickers: Sequence[str],
        on_fault: OnFault,
        interval: YahooInterval = "1m",
        clock: Callable[[], Micros] = now_us,
        poll_s: float | None = None,
        benchmarks: Mapping[str, str] = BENCHMARKS,
        base_url: str | None = None,
        backlog_us: int | None = None,
        delay_us: Mapping[str, int] = _DELAY_US,
        parallel: int = 2,
        timeout_s: float = 10.0,
        backoff_s: tuple[float, float] = (5.0, 300.0),
    ) -> None:
        """Import yfinance, which takes about a second.

        Args:
            tickers: Yahoo style; the benchmarks of their markets are asked for and given as well.
            on_fault: told of what is refused or does not answer; the source goes on.
            interval: of the bars; ``1d`` gives daily records and splits.
            clock: the wall clock.
            poll_s: seconds between two rounds; by the interval where left out.
            benchmarks: the benchmark's ticker by MIC.
            base_url: another server that speaks Yahoo.
            backlog_us: how far back a ticker begins that is not held; by the interval if left out.
            delay_us: how late Yahoo's prices are, by MIC.
            parallel: requests at once; more threads that read replies hold the loop up for longer.
            timeout_s: for one HTTP request.
            backoff_s: the first and the longest wait after a 429 or no answer.
        Raises: ConfigError for a ticker without a known market, an unknown interval, and where
            yfinance is not installed.
        """
        _require_interval(interval)
        self._client = YahooClient(clock=clock, base_url=base_url, timeout_s=timeout_s)
        self._interval: YahooInterval = interval
        self._benchmarks = benchmarks
        self._markets = _markets(tickers, BenchmarkBars(benchmarks))
        self._on_fault = on_fault
        self._clock = clock
        self._poll_s = _POLL_S[interval] if poll_s is None else poll_s
        self._backlog_us = _BACKLOG_US[interval] if backlog_us is None else backlog_us
        self._delay_us = delay_us
        self._parallel = parallel
        self._backoff = Backoff(first_s=backoff_s[0], longest_s=backoff_s[1])
        self._sessions = load_sessions()
        # One thread at a time does what only holds the interpreter: the loop has its turn sooner.
        self._reading = Lock()

    async def samples(self, after: Mapping[str, Micros]) -> AsyncIterator[PriceSample]:
        """Yield what Yahoo has after what is held, and what it adds, until closed.

        Args:
            after: by ticker, the newest moment held: the end of a bar or daily record, the time of
                a split. Nothing up to it is given again.
        """
        benchmarks = BenchmarkBars(self._benchmarks)
        progress = self._begin(after, benchmarks)
        leaders = [each for each in progress.values() if benchmarks.lead(each.ticker)]
        others = [each for each in progress.values() if not benchmarks.lead(each.ticker)]
        pool = ThreadPoolExecutor(self._parallel, thread_name_prefix=BARS)
        try:
            while True:
                for group in (leaders, others):
                    # What is measured against a benchmark waits for it, but not for ever.
                    ready = [each for each in group if not _waits(each, progress, benchmarks)]
                    async with aclosing(self._replies(pool, ready)) as replies:
                        async for each, reply in replies:
                            async with aclosing(self._new(each, reply, benchmarks)) as new:
                                async for sample in new:
                                    yield sample
                await asyncio.sleep(self._poll_s)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _begin(self, after: Mapping[str, Micros], benchmarks: BenchmarkBars) -> dict[str, Progress]:
        now = self._clock()
        start_us = Micros(now - self._backlog_us)
        progress = {}
        for ticker, market in self._markets.items():
            given_us = after.get(ticker, start_us)
            # A benchmark is held from where the first of its followers begins.
            followers = (each for each in self._markets if benchmarks.of(each) == ticker)
            asked_us = min([given_us, *(after.get(each, start_us) for each in followers)])
            progress[ticker] = Progress(
                ticker=ticker,
                market=market,
                given_us=given_us,
                asked_us=asked_us,
                checked_us=asked_us,
            )
            window = window_of(progress[ticker], self._interval, now)
            if ticker in after and window.start_us > given_us:
                self._tell_gap(ticker, given_us, window.start_us, "is older than Yahoo keeps")
        return progress

    async def _replies(
        self, pool: ThreadPoolExecutor, group: Iterable[Progress]
    ) -> AsyncGenerator[tuple[Progress, _Reply]]:
        """Ask for each ticker up to now, some at once, and yield the replies that have rows."""
        now = self._clock()
        waiting = deque(each for each in group if is_due(each, self._sessions, now))
        while waiting:
            chunk = [waiting.popleft() for _ in range(min(self._parallel, len(waiting)))]
            asked = await asyncio.gather(*(self._ask(pool, each) for each in chunk))
            faults: list[Unavailable] = []
            for each, (window, outcome) in zip(chunk, asked, strict=True):
                if isinstance(outcome, _Reply):
                    yield each, self._noted(each, window, outcome)
                    if not window.is_last:
                        waiting.append(each)
                elif isinstance(outcome, RateLimited):
                    waiting.appendleft(each)
                    faults.append(outcome)
                elif isinstance(outcome, Unreachable):
                    # In the next round: one that never answers must not keep the others waiting.
                    each.failures += 1
                    faults.append(outcome)
                else:
                    self._came_empty(each, window, outcome)
            if faults:
                wait_s = self._backoff.failed()
                for fault in faults:
                    self._on_fault(type(fault)(f"{fault}; going on in {wait_s:g} s"))
                await asyncio.sleep(wait_s)
            else:
                self._backoff.succeeded()

    async def _ask(
        self, pool: ThreadPoolExecutor, progress: Progress
    ) -> tuple[Window, _Reply | Unavailable]:
        window = window_of(progress, self._interval, self._clock())
        loop = asyncio.get_running_loop()
        try:
            reply = await loop.run_in_executor(pool, self._fetch, progress, window)
        except Unavailable as error:
            return window, error
        return window, reply

    def _fetch(self, progress: Progress, window: Window) -> _Reply:
        """Ask and read: blocks, in a worker thread. Raises: Unavailable."""
        chart = self._client.chart(
            progress.ticker,
            interval=self._interval,
            start_us=window.start_us,
            end_us=window.end_us,
        )
        known_us = self._known_us(progress.market, chart.received_us)
        with self._reading:
            if self._interval == "1d":
                known_us = Micros(known_us - _SETTLED_US)
                return _Reply(*read_days(chart, market=progress.market, known_us=known_us))
            return _Reply(
                *read_bars(
                    chart,
                    interval_us=INTERVALS_US[self._interval],
                    sessions=self._sessions,
                    known_us=known_us,
                )
            )

    def _known_us(self, market: Market, now: Micros) -> Micros:
        return Micros(now - self._delay_us.get(market.mic, 0))

    def _noted(self, progress: Progress, window: Window, reply: _Reply) -> _Reply:
        """Return the reply after its place is noted and its bad rows and gaps are told."""
        if progress.skipped_us:
            until_us = Micros(progress.asked_us + progress.skipped_us)
            self._tell_gap(progress.ticker, progress.asked_us, until_us, "is empty at Yahoo")
        told_us = max(progress.given_us, progress.refused_us)
        for bad in reply.refused:
            if bad.end_us > told_us:
                progress.refused_us = max(progress.refused_us, bad.end_us)
                self._on_fault(bad.error)
        last_us = moment_of(reply.samples[-1]) if reply.samples else None
        progress.replied(window, last_us)
        return reply

    async def _new(
        self, progress: Progress, reply: _Reply, benchmarks: BenchmarkBars
    ) -> AsyncGenerator[PriceSample]:
        """Yield what has not been given yet, with its benchmark."""
        benchmarks.keep(reply.samples)
        new = [sample for sample in reply.samples if moment_of(sample) > progress.given_us]
        for number, sample in enumerate(benchmarks.stamp(new), start=1):
            progress.given_us = moment_of(sample)
            yield sample
            if number % _BURST == 0:
                await asyncio.sleep(0)

    def _came_empty(self, progress: Progress, window: Window, fault: Unavailable) -> None:
        known_us = self._known_us(progress.market, self._clock())
        silent = is_silent(progress.ticker, window, self._sessions, known_us)
        if isinstance(fault, EmptyReply) and not silent:
            progress.pass_over(window)
            return
        if isinstance(fault, EmptyReply):
            progress.came_empty(window, tries=_TRIES)
        else:
            progress.failures += 1
        self._on_fault(type(fault)(f"{fault}; asking again in {self._poll_s:g} s"))

    def _tell_gap(self, ticker: str, from_us: Micros, until_us: Micros, why: str) -> None:
        span = f"{to_iso(from_us)} to {to_iso(until_us)}"
        self._on_fault(EmptyReply(f"{ticker}: {span} {why} and is left out"))


def _require_interval(interval: str) -> None:
    if interval not in INTERVALS_US:
        known = ", ".join(INTERVALS_US)
        raise ConfigError(f"interval must be one of {known}, was {interval!r:.60}")


def _waits(progress: Progress, every: Mapping[str, Progress], benchmarks: BenchmarkBars) -> bool:
    leader = every.get(benchmarks.of(progress.ticker) or "")
    return leader is not None and 0 < leader.failures < _TRIES


def _markets(tickers: Sequence[str], benchmarks: BenchmarkBars) -> dict[str, Market]:
    """Return the market of each ticker and of their benchmarks. Raises: ConfigError."""
    followed = (benchmarks.of(ticker) for ticker in tickers)
    wanted = dict.fromkeys([*tickers, *(name for name in followed if name is not None)])
    markets = {ticker: market_of(ticker) for ticker in wanted}
    unknown = [ticker for ticker, market in markets.items() if market is None]
    if unknown or not tickers:
        raise ConfigError(
            "name tickers of New York or Seoul, like IREN or 005930.KS, whose sessions are known; "
            f"given were {', '.join(unknown) or 'none'}"
        )
    return {ticker: market for ticker, market in markets.items() if market is not None}
